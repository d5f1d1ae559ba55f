"""Archives and small libraries that the tests of layers and dependencies are made from."""

import io
import subprocess
import zipfile


def zipped(files, executable=()):
    """A zip archive from names and contents (text or bytes)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name)
            entry.create_system = 3
            entry.external_attr = (0o100755 if name in executable else 0o100644) << 16
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def zeros(megabytes, name="data.bin"):
    """An archive of so many MB of zeros, made a piece at a time: the archive itself is small."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open(name, "w", force_zip64=True) as file:
            piece = bytes(1 << 20)
            for _ in range(megabytes):
                file.write(piece)
    return buffer.getvalue()


def compiled(folder, name, source, *options):
    """A shared library from C source: its bytes."""
    (folder / f"{name}.c").write_text(source)
    subprocess.run(["cc", "-shared", "-fPIC", "-o", folder / name, folder / f"{name}.c", *options],
                   check=True)
    return (folder / name).read_bytes()
