"""AWS's own Python runtime client, unmodified, on our Runtime API: do its words agree with ours?

It runs as a custom runtime out of the function's package. Where the two differ on purpose, the
table says how: ours are the words AWS's managed runtimes were recorded to use.
"""

import importlib.util
import io
import pathlib
import zipfile

import pytest

from minilambda.sandbox.tiers import python

CLIENT = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
BOOTSTRAP = f"#!/bin/sh\nexec {python()[0]} -s -P -m awslambdaric \"$_HANDLER\"\n"


def client_files():
    for name in CLIENT:
        origin = pathlib.Path(importlib.util.find_spec(name).origin)
        files = origin.parent.rglob("*") if origin.name == "__init__.py" else [origin]
        base = origin.parent.parent if origin.name == "__init__.py" else origin.parent
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                yield str(file.relative_to(base)), file.read_bytes()


@pytest.fixture(scope="session")
def client():
    if importlib.util.find_spec("awslambdaric") is None:
        pytest.skip("AWS's runtime client isn't here; pip install awslambdaric")
    return dict(client_files())


def both(lab, client, source, handler="app.handler", event=None):
    """What ours and AWS's make of the same function: (error, document, log) of each."""
    found = []
    for runtime, files in (("python3.8", {}), ("provided.al2023", client)):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in {**files, "app.py": source}.items():
                archive.writestr(name, content)
            if files:
                entry = zipfile.ZipInfo("bootstrap")
                entry.create_system, entry.external_attr = 3, 0o100755 << 16
                archive.writestr(entry, BOOTSTRAP)
        lab.count += 1
        name = f"function-{lab.count}"
        lab.client.create_function(
            FunctionName=name, Runtime=runtime, Role=lab.role, Handler=handler, Timeout=20,
            MemorySize=512, Code={"ZipFile": buffer.getvalue()},
            Environment={"Variables": {"PYTHONPATH": "."}} if files else {"Variables": {}})
        reply = lab.invoke(name, event)
        value = reply.value
        if isinstance(value, dict) and value.get("requestId"):
            assert value["requestId"] == reply.raw["ResponseMetadata"]["RequestId"]
            value["requestId"] = "<id>"
        if isinstance(value, dict) and "errorMessage" in value:
            value["errorMessage"] = value["errorMessage"].replace(
                reply.raw["ResponseMetadata"]["RequestId"], "<id>")
        found.append((reply.error, value, reply.log))
    return found


@pytest.mark.parametrize(("source", "handler"), [
    ("def handler(e, c): return {'got': e, 'é': 1}\n", "app.handler"),
    ("def handler(e, c): raise ValueError('because')\n", "app.handler"),
    ("class Odd(Exception): pass\ndef inner(): raise Odd('in')\ndef handler(e, c): inner()\n",
     "app.handler"),
    ("def handler(e, c): return object()\n", "app.handler"),
    ("import nosuchmodule\n", "app.handler"),
    ("def other(e, c): pass\n", "app.handler"),
    ("x = 1\n", "nodot"),
    ("x = 1\n", "nomodule.handler"),
    ("import sys\ndef handler(e, c): sys.exit(3)\n", "app.handler"),
    ("import os\ndef handler(e, c): os._exit(7)\n", "app.handler"),
    ("import os\ndef handler(e, c): os.kill(os.getpid(), 11)\n", "app.handler"),
    ("import sys\nsys.exit(3)\n", "app.handler"),
    ("def handler(e, c): return 'x' * 6_291_560\n", "app.handler"),
    ("def handler(e, c)\n    pass\n", "app.handler"),
    ("1 / 0\ndef handler(e, c): pass\n", "app.handler"),
])
def test_the_same_words(lab, client, source, handler):
    ours, theirs = both(lab, client, source, handler, {"a": 1})
    assert ours[:2] == theirs[:2]
