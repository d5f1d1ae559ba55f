"""Our own browser files, as anywidget takes them.

Stands for nothing of AWS's. A widget's module is one text; what several share is a file of its own.
"""

from importlib.resources import files

_HERE = files(__package__)


def source(*names: str) -> str:
    """The files of those names in this folder, one after the other."""
    return "\n".join((_HERE / name).read_text(encoding="utf-8") for name in names)
