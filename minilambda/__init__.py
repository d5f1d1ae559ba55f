"""AWS Lambda in your own process: the runtime behind an executable textbook.

>>> from minilambda import Cloud
>>> cloud = Cloud()          # from here on plain boto3 and `aws` reach it, and nothing else

Names are loaded when first used: the AWS CLI loads a plugin of this package at every command and
must not pay for moto.
"""

from importlib import import_module

_HOMES = {"Cloud": "cloud", "FunctionModel": "modelled", "zip_handler": "package"}
__all__ = list(_HOMES)
__version__ = "0.1.0"


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_HOMES[name]}", __name__), name)
