"""The AWS surface: our Lambda API among moto's services, on one loopback endpoint.

Stands for: the service endpoints of an AWS region. Lambda's own API is ours; every other service
is moto's, reading our clock.

Names are loaded when first used: the AWS CLI imports ``minilambda.aws.cli_plugin`` at every
command and must not pay for moto.
"""

from importlib import import_module

_HOMES = {
    "Guard": "guard",
    "Server": "server",
    "VirtualClock": "vclock",
    "fetch_code": "neighbours",
    "install": "installation",
    "installed": "current",
    "organization_of": "neighbours",
    "role_trusts_lambda": "neighbours",
    "uninstall": "installation",
}
__all__ = list(_HOMES)


def __getattr__(name: str):
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
