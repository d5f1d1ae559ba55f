"""Others that run Lambda functions on one's own machine, installed for this run only.

Each is a context manager whose value measures it; :class:`Missing` says why one isn't here.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from . import raw
from .sampling import Sample, sample

SERVERLESS = "serverless@3", "serverless-offline@13"
HANDLER = "def handler(event, context):\n    return event\n"
BOTO3_HANDLER = "import boto3\nclient = boto3.client('s3')\n" + HANDLER
_CONFIGURATION = """
service: bench
provider: {name: aws, runtime: "python%d.%d", region: eu-west-2}
plugins: [serverless-offline]
functions:
  py: {handler: app.handler}
  js: {handler: index.handler, runtime: nodejs20.x}
"""


class Missing(Exception):
    """Why a peer can't be measured here."""


def _run(*command: str, **options) -> str:
    try:
        return subprocess.run(command, check=True, capture_output=True, text=True, timeout=400,
                              **options).stdout
    except (OSError, subprocess.SubprocessError) as error:
        raise Missing(f"{command[0]}: {getattr(error, 'stderr', '') or error}"[:200]) from None


class ServerlessOffline:
    """serverless-offline's Lambda endpoint, which speaks Invoke."""

    def __init__(self, port: int) -> None:
        self.port = port

    def path(self, name: str) -> str:
        return raw.path(f"bench-dev-{name}")

    def warm(self, name: str) -> Sample:
        connection = raw.connect("127.0.0.1", self.port)
        data = raw.request("127.0.0.1", self.port, self.path(name))
        with contextlib.closing(connection):
            return sample(lambda: raw.call(connection, data), 300, warm=20)


@contextlib.contextmanager
def serverless_offline(folder: Path) -> Iterator[ServerlessOffline]:
    if shutil.which("npm") is None:
        raise Missing("there is no npm here")
    folder.mkdir()
    (folder / "package.json").write_text("{}")
    _run("npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", *SERVERLESS, cwd=folder)
    (folder / "serverless.yml").write_text(_CONFIGURATION % sys.version_info[:2])
    (folder / "app.py").write_text(HANDLER)
    (folder / "index.js").write_text("exports.handler = async (event) => event\n")
    port = _free_port()
    server = subprocess.Popen(
        ["node", "node_modules/serverless/bin/serverless.js", "offline", "--noTimeout",
         "--host", "127.0.0.1", "--lambdaPort", str(port), "--httpPort", str(_free_port())],
        cwd=folder, env=dict(os.environ, SLS_TELEMETRY_DISABLED="1"), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait_for(port, server)
        yield ServerlessOffline(port)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


class PythonLambdaLocal:
    """A command that runs one invocation: every start is a cold one."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.program = folder, str(folder / "bin" / "python-lambda-local")

    def cold(self, source: str, times: int) -> Sample:
        (self.folder / "app.py").write_text(source)
        (self.folder / "event.json").write_text(json.dumps({}))
        return sample(lambda: _run(self.program, "-f", "handler", "app.py", "event.json",
                                   cwd=self.folder), times, warm=1)


@contextlib.contextmanager
def python_lambda_local(folder: Path) -> Iterator[PythonLambdaLocal]:
    _run(sys.executable, "-m", "venv", str(folder))
    _run(str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "python-lambda-local",
         "setuptools<80")
    yield PythonLambdaLocal(folder)


def awslambdaric_files(folder: Path) -> dict[str, bytes]:
    """AWS's own Python runtime client, as a custom runtime's package has it."""
    _run(sys.executable, "-m", "venv", str(folder))
    _run(str(folder / "bin" / "python"), "-m", "pip", "install", "-q", "--target",
         str(folder / "target"), "awslambdaric")
    target = folder / "target"
    return {str(file.relative_to(target)): file.read_bytes() for file in target.rglob("*")
            if file.is_file() and "__pycache__" not in file.parts}


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


def _wait_for(port: int, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and server.poll() is None:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        time.sleep(0.1)
    raise Missing("it didn't start")
