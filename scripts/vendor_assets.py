#!/usr/bin/env python3
"""Fetch the browser assets that the built book serves itself, and check the committed copies.

    python scripts/vendor_assets.py            re-create the committed files (npm and a network)
    python scripts/vendor_assets.py --check    compare them with the record (needs neither)

A page of the book asks no other host for anything, so what a theme would load from a CDN is
committed here, taken unchanged from npm packages. Each package is pinned by version and by the
SHA-512 of its tarball; `record.json` beside the files keeps the SHA-256 of each. Readers never need
npm. requirejs and html-manager bring no licence file: theirs were added by hand from their sources.

Not here: plotly.min.js and anywidget.js. They must match the installed Python packages, so the
build copies them from those wheels (book/_ext/offline_assets.py).

One file is committed compressed: html-manager's embed-amd.js is 3.6 MB, 0.4 MB as .xz, because it
holds the same code several times. The build unpacks it.
"""

import argparse
import base64
import hashlib
import json
import lzma
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENDOR = ROOT / "book" / "_static" / "vendor"
TEST_ASSETS = ROOT / "tests" / "browser" / "assets"


@dataclass(frozen=True)
class Package:
    """One npm package and the files of it that we keep.

    `files` maps a path inside the package to a path below `target`; a path that ends in `/` on both
    sides means every file of that folder. A target name ending in `.xz` is written compressed.
    """

    name: str
    version: str
    integrity: str  # npm's own: "sha512-" + base64 of the tarball's digest
    target: Path
    files: dict[str, str]


PACKAGES = [
    Package(
        "mathjax", "3.2.2",
        "sha512-Bt+SSVU8eBG27zChVewOicYs7Xsdt40qm4+UpHyX7k0/O9NliPc+x77k1/FEsPsjKPZGJvtRZM1vO+geW0OhGw==",
        VENDOR / "mathjax",
        # "full" has every TeX extension inside, so that no macro asks for a file that isn't served.
        {
            "es5/tex-chtml-full.js": "tex-chtml-full.js",
            "es5/output/chtml/fonts/woff-v2/": "output/chtml/fonts/woff-v2/",
            "LICENSE": "LICENSE",
        },
    ),
    Package(
        "requirejs", "2.3.8",
        "sha512-7/cTSLOdYkNBNJcDMWf+luFvMriVm7eYxp4BcFCsAX0wF421Vyce5SXP17c+Jd5otXKGNehIonFlyQXSowL6Mw==",
        VENDOR / "requirejs",
        {"require.js": "require.js"},
    ),
    Package(
        "@jupyter-widgets/html-manager", "1.0.15",
        "sha512-5thBIV6ymNgmPVOHvzx+gGy8ZSKmSazhtGw4/c4xJDVzRhG9PTeQsRjF3FUTopvFi//SABeNz1yp47bCrJ3CQA==",
        VENDOR / "html-manager",
        {
            "dist/embed-amd.js": "embed-amd.js.xz",
            "dist/embed.js.LICENSE.txt": "THIRD-PARTY-LICENSES.txt",
            # Font Awesome 4 and 5 as woff2, the one form that present browsers ask for.
            "dist/1551f4f60c37af51121f.woff2": "1551f4f60c37af51121f.woff2",
            "dist/7a3337626410ca2f4071.woff2": "7a3337626410ca2f4071.woff2",
            "dist/d878b0a6a1144760244f.woff2": "d878b0a6a1144760244f.woff2",
        },
    ),
    Package(
        "axe-core", "4.14.1",
        "sha512-FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ==",
        TEST_ASSETS / "axe-core",
        {
            "axe.min.js": "axe.min.js",
            "LICENSE": "LICENSE",
            "LICENSE-3RD-PARTY.txt": "LICENSE-3RD-PARTY.txt",
        },
    ),
]
RECORD = VENDOR / "record.json"


def pack(package: Package, folder: Path) -> Path:
    """Download one package's tarball with npm and check its digest; the tarball's path."""
    done = subprocess.run(
        ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
        cwd=folder, stdout=subprocess.PIPE, text=True, check=True,
    )
    tarball = folder / done.stdout.strip().splitlines()[-1]
    digest = base64.b64encode(hashlib.sha512(tarball.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != package.integrity:
        sys.exit(f"{package.name} {package.version}: the tarball isn't the one that was recorded.")
    return tarball


def members(package: Package, tarball: Path):
    """Yield (target path, content) for each file we keep."""
    with tarfile.open(tarball) as archive:
        inside = {m.name.removeprefix("package/"): m for m in archive.getmembers() if m.isfile()}
        for source, target in package.files.items():
            whole = source.endswith("/")
            names = [n for n in inside if n.startswith(source)] if whole else [source]
            for name in names:
                content = archive.extractfile(inside[name]).read()
                if target.endswith(".xz"):
                    content = lzma.compress(content, preset=9 | lzma.PRESET_EXTREME)
                yield package.target / (target + name.removeprefix(source)), content


def digest_of(path: Path) -> str:
    """SHA-256 of a file's content; of what an .xz file unpacks to, which is what npm shipped."""
    content = path.read_bytes()
    if path.suffix == ".xz":
        content = lzma.decompress(content)
    return hashlib.sha256(content).hexdigest()


def fetch() -> None:
    """Write every file and the record."""
    record = []
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            files = {}
            for path, content in members(package, pack(package, Path(folder))):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
                files[path.relative_to(ROOT).as_posix()] = digest_of(path)
            record.append({"package": package.name, "version": package.version, "files": files})
            print(f"{package.name} {package.version}: {len(files)} files")
    RECORD.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def problems() -> list[str]:
    """What differs between the table above, the record and the files; empty when all agree."""
    found = []
    record = {entry["package"]: entry for entry in json.loads(RECORD.read_text(encoding="utf-8"))}
    for package in PACKAGES:
        entry = record.get(package.name)
        if entry is None or entry["version"] != package.version:
            found.append(f"{package.name} {package.version} isn't in {RECORD.name}")
            continue
        for name, digest in entry["files"].items():
            path = ROOT / name
            if not path.is_file():
                found.append(f"{name} is missing")
            elif digest_of(path) != digest:
                found.append(f"{name} differs from {package.name} {package.version}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="compare only; change nothing")
    if parser.parse_args().check:
        found = problems()
        sys.exit("\n".join(found) or 0)
    fetch()


if __name__ == "__main__":
    main()
