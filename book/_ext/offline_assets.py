"""Sphinx extension: put browser files of installed Python packages into the built book.

A page asks no other host for anything. Most of what it needs is committed below book/_static/vendor
(scripts/vendor_assets.py). Three files are put in place here, after the build:

- plotly.min.js, from the plotly wheel that draws the notebooks' figures;
- anywidget.js, from the wheel that the notebooks' widgets use, so that the versions match;
- embed-amd.js, the widget manager, unpacked from its committed .xz.
"""

import lzma
import shutil
from importlib.metadata import distribution
from pathlib import Path

from sphinx.errors import ExtensionError

# (distribution, file inside it, name below _static/vendor)
FROM_WHEELS = [
    ("plotly", "plotly/package_data/plotly.min.js", "plotly/plotly.min.js"),
    ("anywidget", "anywidget/nbextension/index.js", "anywidget.js"),
]


def installed_file(package: str, name: str) -> Path:
    """The path of one file of an installed package; ExtensionError says so when it isn't there."""
    path = Path(distribution(package).locate_file(name))
    if not path.is_file():
        raise ExtensionError(
            f"{package} {distribution(package).version} has no {name}: install the versions in"
            " requirements.txt, or tell book/_ext/offline_assets.py where the file went."
        )
    return path


def licences(package: str) -> list[Path]:
    """The licence files that an installed package brings."""
    files = distribution(package).files or []
    found = [f for f in files if ".dist-info" in str(f) and "LICENSE" in f.name.upper()]
    return [Path(f.locate()) for f in found]


def place_assets(app, exception) -> None:
    """Copy and unpack into the output folder, once the pages are written."""
    if exception or app.builder.format != "html":
        return
    vendor = Path(app.outdir) / "_static" / "vendor"
    for package, source, target in FROM_WHEELS:
        copy_if_changed(installed_file(package, source), vendor / target)
        for licence in licences(package):
            copy_if_changed(licence, vendor / f"{package}-LICENSE.txt")
    committed = Path(app.srcdir) / "book" / "_static" / "vendor"
    for packed in committed.rglob("*.xz"):
        target = vendor / packed.relative_to(committed).with_suffix("")
        if not target.is_file() or target.stat().st_mtime < packed.stat().st_mtime:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(lzma.decompress(packed.read_bytes()))


def copy_if_changed(source: Path, target: Path) -> None:
    """Copy a file unless the target has its size and time already."""
    if target.is_file():
        old, new = target.stat(), source.stat()
        if (old.st_size, old.st_mtime) == (new.st_size, new.st_mtime):
            return
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy2(source, target)


def setup(app):
    app.connect("build-finished", place_assets)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
