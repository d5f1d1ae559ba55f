"""Trials of how large code may be.

AWS pages: *Lambda quotas*; *Working with .zip file archives for Python Lambda functions*.

The archives are made of zeros, so that the large ones cost little. Where nothing but the size is in
question they are checked and not kept (``DryRun``).
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator

from .bench import PLAIN, Bench, Edge, add, archive

_VERSIONS = 512  # of one package that fill a region's storage: each has 150 MB


def direct(bench: Bench) -> Iterator[Edge]:
    most, name = bench.limits.zip_direct, bench.function("plain")

    def upload(size: int):
        return lambda: bench.lam.update_function_code(
            FunctionName=name, ZipFile=stored(size), DryRun=True) and None

    def by_s3() -> str:
        _put(bench, "direct.zip", stored(most + 1))
        bench.lam.update_function_code(FunctionName=name, S3Bucket=_bucket(bench),
                                       S3Key="direct.zip", DryRun=True)
        return "accepted through S3"

    yield bench.edge("", f"{most:,} bytes", upload(most), f"{most + 1:,} bytes", upload(most + 1))
    yield bench.edge("by way of S3", f"{most + 1:,} bytes", by_s3,
                     "as little, but too much unpacked", lambda: _unpacked_by_s3(bench))


def unzipped(bench: Bench) -> Iterator[Edge]:
    most, name = bench.limits.unzipped, bench.function("plain")

    def upload(zipped: bytes):
        return lambda: bench.lam.update_function_code(
            FunctionName=name, ZipFile=zipped, DryRun=True) and None

    # AWS: "must be smaller than".
    fits = zeros(most - 1)
    more = io.BytesIO(fits)
    add(more, {"one": 1}, zipfile.ZIP_STORED)
    yield bench.edge("", f"{most - 1:,} bytes", upload(fits), f"{most:,} bytes",
                     upload(more.getvalue()))


def code_storage(bench: Bench) -> Iterator[Edge]:
    """Versions of one large package: each counts, though all are the same."""
    most = bench.limits.code_storage
    name = bench.function("versions")
    used = bench.lam.get_account_settings()["AccountUsage"]["TotalCodeSize"]
    own = bench.lam.get_function_configuration(FunctionName=name)["CodeSize"]
    room = most - (used - own)
    size = (room - 1000) // _VERSIONS
    rest = room - size * _VERSIONS

    def fill() -> str:
        _put(bench, "large.zip", stored(size))
        bench.lam.update_function_code(FunctionName=name, S3Bucket=_bucket(bench),
                                       S3Key="large.zip")
        for number in range(1, _VERSIONS):
            bench.version(name, str(number))
        create(rest)
        return f"accepted: {_VERSIONS} versions of {size >> 20} MB, and some bytes"

    def create(length: int) -> None:
        bench.lam.create_function(
            FunctionName="edges-rest", Runtime="python3.8", Handler="app.handler", Role=bench.role,
            Code={"ZipFile": stored(length)})

    def past() -> None:
        bench.lam.delete_function(FunctionName="edges-rest")
        create(rest + 1)

    tried = bench.edge("", f"{most:,} bytes", fill, f"{most + 1:,} bytes", past)
    if not tried.past.refused:
        bench.lam.delete_function(FunctionName="edges-rest")
    yield tried


def stored(size: int) -> bytes:
    """A zip of exactly so many bytes."""
    around = len(archive({"app.py": PLAIN, "data.bin": 0}, zipfile.ZIP_STORED))
    return archive({"app.py": PLAIN, "data.bin": size - around}, zipfile.ZIP_STORED)


def zeros(size: int) -> bytes:
    """A small zip that unpacks to exactly so many bytes."""
    return archive({"app.py": PLAIN, "data.bin": size - len(PLAIN)})


def _unpacked_by_s3(bench: Bench) -> None:
    _put(bench, "unpacked.zip", zeros(bench.limits.unzipped))
    bench.lam.update_function_code(FunctionName=bench.function("plain"), S3Bucket=_bucket(bench),
                                   S3Key="unpacked.zip", DryRun=True)


def _bucket(bench: Bench) -> str:
    def make() -> str:
        bench.client("s3").create_bucket(Bucket="edges-code", CreateBucketConfiguration={
            "LocationConstraint": bench.cloud.region})
        bench.afterwards(bench.client("s3").delete_bucket, Bucket="edges-code")
        return "edges-code"
    return bench.once("bucket", make)


def _put(bench: Bench, key: str, body: bytes) -> None:
    s3, bucket = bench.client("s3"), _bucket(bench)
    s3.put_object(Bucket=bucket, Key=key, Body=body)
    bench.afterwards(s3.delete_object, Bucket=bucket, Key=key)


TRIALS = {
    "Deployment package, direct upload": direct,
    "Deployment package, unzipped, with layers": unzipped,
    "Code storage of a region": code_storage,
}
