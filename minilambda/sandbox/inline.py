"""The tier without threads, processes or sockets: handlers run on the caller's own stack.

For places where none of the three exists (a browser). The engine is the same; what a sandbox tells
it comes from here instead of from a process. What this tier can't do, it says:

- an endless loop can't be stopped, and memory isn't enforced or measured;
- a handler's sleeps are added up and pass when it returns: nothing happens in between;
- a layer's modules are found, its programs, libraries and other files are not (there is no /opt);
- of the clocks only ``time.time`` is the cloud's;
- what several threads compute, if there are threads, counts as if one after the other;
- ``os._exit`` and a crash of the interpreter end the reader's own process.

AWS's counterpart is, as for the other tiers, the worker's sandbox. Nothing is isolated here.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3

from .. import faults
from ..clock import Clock
from ..function import FunctionConfiguration
from . import bootstrap, runtimes
from .code_store import merge, unpack
from .messages import (
    Exit,
    Failure,
    InitError,
    Message,
    Next,
    Output,
    Response,
    Sleep,
    Started,
    Usage,
)
from .runtime_api import Work


class InlineTier:
    name = "inline"


class _TimedOut(BaseException):
    """Unwinds a handler whose sleeps have used up its time."""


class InlineHost:
    """Runs sandboxes' jobs when the clock has nothing to do but wait for them."""

    tier = InlineTier()

    def __init__(self, clock: Clock, cloud_port: int) -> None:
        self.clock, self.cloud_port = clock, cloud_port
        self.root = Path(tempfile.mkdtemp(prefix="minilambda-"))
        self.sandboxes: dict[str, InlineSandbox] = {}
        self.jobs: list[Callable[[], None]] = []
        self.inside: list[InlineSandbox] = []  # whose code is on the stack, the outermost first
        clock.lend_a_hand = self.step

    def entrypoint_problem(self, function: FunctionConfiguration,
                           variables: dict[str, str]) -> str | None:
        """Why a function can't be started here, if so."""
        if runtimes.family(function.runtime) != "python" or variables.get(runtimes.WRAPPER):
            return (f"the inline sandbox starts no programs, so none of runtime {function.runtime}"
                    "; use Cloud(sandbox='process')")
        return None

    def step(self) -> bool:
        """Do one piece of real work. False if there is none."""
        if not self.jobs:
            return False
        self.jobs.pop(0)()
        return True

    def close(self) -> None:
        self.clock.lend_a_hand = None
        self.jobs.clear()
        self.sandboxes.clear()
        for parent, _, _ in os.walk(self.root):
            os.chmod(parent, 0o700)
        shutil.rmtree(self.root, ignore_errors=True)


class InlineSandbox:
    """The same methods and messages as :class:`~minilambda.sandbox.sandbox.Sandbox`."""

    def __init__(self, host: InlineHost, name: str, function: FunctionConfiguration,
                 variables: dict[str, str], receiver: Callable[[Message], None],
                 response_limit: int, base_model_kb: int | None) -> None:
        self.host, self.name, self.receiver = host, name, receiver
        self.response_limit, self.base_mb = response_limit, (base_model_kb or 0) / 1024
        self.task = unpack(host.root, function.code)
        self.opt = merge(host.root, [layer.content for layer in function.layers])
        self.tmp = host.root / "environments" / name / "tmp"
        self.tmp.mkdir(parents=True)
        self.variables = variables | {
            "LAMBDA_TASK_ROOT": str(self.task), "TMPDIR": str(self.tmp),
            "AWS_LAMBDA_RUNTIME_API": "inline"}
        self.output = self
        self.modules: dict[str, Any] = {}
        self.session: boto3.Session | None = None
        layers = bootstrap.layer_folders(self.opt, variables["AWS_EXECUTION_ENV"])
        self.path = [str(self.task), *layers, *sys.path]
        self.cpu = self.slept = self.allowed = 0.0
        self.gone = False
        host.sandboxes[name] = self
        host.jobs.append(self._boot)

    # -- what the engine asks --------------------------------------------------------------------

    def set_time(self, timestamp_ns: int, rate: float) -> None:
        """Nothing to write: :meth:`time` reads the clock itself."""

    def invoke(self, work: Work) -> None:
        self.host.jobs.append(lambda: self._serve(work))

    def freeze(self) -> None:
        self.measure()

    def measure(self) -> None:
        self.receiver(Usage(self.base_mb, (self.cpu,)))

    def kill(self) -> None:
        if not self.gone:
            self._end(-9, "killed")

    def rename(self, data: bytes) -> bytes:
        return data.replace(os.fsencode(self.task), b"/var/task").replace(
            os.fsencode(self.opt), b"/opt")

    # -- for the bootstrap's LambdaContext ---------------------------------------------------------

    def time(self) -> float:
        """Seconds since 1970 as the running code has them: its own sleeps count."""
        return self.host.clock.timestamp() + self.slept

    # -- jobs ------------------------------------------------------------------------------------

    def _boot(self) -> None:
        if self.gone:
            return
        self.receiver(Started())
        self.allowed = float("inf")
        with self._inside():
            try:
                self.handler = bootstrap.load(self.variables["_HANDLER"])
                replies = [Next()]
            except bootstrap.Fault as fault:
                replies = [self._init_error(fault.kind, fault.message, fault.trace)]
            except Exception as error:
                frames = bootstrap.stack(error.__traceback__.tb_next)
                replies = [self._init_error(type(error).__name__, str(error), frames)]
            except BaseException as end:
                replies = [self._exit(end)]
        self._tell(replies)

    def _serve(self, work: Work) -> None:
        if self.gone:
            return
        request_id, deadline = work.request_id, int(work.headers["Lambda-Runtime-Deadline-Ms"])
        self.allowed = deadline / 1000 - self.host.clock.timestamp()
        headers = {name.lower(): value for name, value in work.headers.items()}
        with self._inside():
            try:
                event = json.loads(work.payload)
                result = self.handler(event, bootstrap.LambdaContext(headers, self))
                replies = self._response(request_id, result)
            except _TimedOut:
                replies = []
            except Exception as error:
                frames = bootstrap.stack(error.__traceback__.tb_next)
                replies = self._failure(request_id, type(error).__name__, str(error), frames)
            except BaseException as end:
                replies = [self._exit(end)]
        self._tell(replies)

    def _response(self, request_id: str, result: Any) -> list[Message]:
        try:
            body = bootstrap.to_json(result).encode()
        except Exception as error:
            return self._failure(request_id, "Runtime.MarshalError",
                                 f"Unable to marshal response: {error}", [])
        if len(body) > self.response_limit:
            kind, message = faults.response_too_large(self.response_limit)
            return self._failure(request_id, kind, message, [])
        return [Response(request_id, body), Next()]

    def _failure(self, request_id: str, kind: str, message: str,
                 frames: list[str]) -> list[Message]:
        document = bootstrap.error_document(kind, message, frames, request_id)
        bootstrap.log_error(document)
        return [Failure(request_id, kind, bootstrap.to_json(document).encode()), Next()]

    def _init_error(self, kind: str, message: str, frames: list[str]) -> Message:
        document = bootstrap.error_document(kind, message, frames, "")
        bootstrap.log_error(document)
        return InitError(kind, bootstrap.to_json(document).encode())

    def _exit(self, end: BaseException) -> Message:
        """What would have ended the process of a runtime."""
        if not isinstance(end, SystemExit):
            traceback.print_exception(end)
        code = getattr(end, "code", 1)
        if code is not None and not isinstance(code, int):
            print(code, file=sys.stderr)
            code = 1
        self.gone = True
        return Exit((code or 0) & 0xFF, None, self.base_mb, (self.cpu,))

    def _tell(self, replies: list[Message]) -> None:
        """Say what was printed; then, when the time that it slept has passed, what came of it."""
        lines = tuple(self.rename(line.encode()).decode()
                      for line in self.printed.getvalue().split("\n") if line)
        if lines:
            self.receiver(Output(lines))

        def finish() -> None:
            if not self.gone or any(isinstance(reply, Exit) for reply in replies):
                for reply in replies:
                    self.receiver(reply)

        slept, self.slept = self.slept, 0.0
        if slept:
            self.receiver(Sleep(slept, lambda: self.host.jobs.append(finish)))
        else:
            finish()

    def _end(self, code: int, reason: str) -> None:
        self.gone = True
        self.host.sandboxes.pop(self.name, None)
        self.receiver(Exit(code, reason, self.base_mb, (self.cpu,)))

    # -- making the interpreter look like a function's own ---------------------------------------

    @contextlib.contextmanager
    def _inside(self) -> Iterator[None]:
        """Its own environment variables, modules, folder, output and sleep, while its code runs."""
        before = dict(os.environ)
        folder, path, out, err = os.getcwd(), sys.path, sys.stdout, sys.stderr
        temporary, began = tempfile.tempdir, time.process_time()
        asleep, told = time.sleep, time.time
        self.printed = io.StringIO()
        session = boto3.DEFAULT_SESSION  # the reader's, with the reader's credentials
        boto3.DEFAULT_SESSION = self.session
        if self.host.inside:  # called by a handler that is still running
            self.host.inside[-1]._take_modules()
        self.host.inside.append(self)
        os.environ.clear()
        os.environ.update(self.variables)
        sys.modules.update(self.modules)
        sys.path = list(self.path)
        sys.stdout = sys.stderr = self.printed
        tempfile.tempdir = str(self.tmp)
        time.sleep, time.time = self._sleep, self.time
        os.chdir(self.task)
        try:
            yield
        finally:
            self.path, sys.path = sys.path, path
            sys.stdout, sys.stderr = out, err
            tempfile.tempdir = temporary
            time.sleep, time.time = asleep, told
            self.session, boto3.DEFAULT_SESSION = boto3.DEFAULT_SESSION, session
            os.environ.clear()
            os.environ.update(before)
            os.chdir(folder)
            self._take_modules()
            self.host.inside.pop()
            if self.host.inside:
                sys.modules.update(self.host.inside[-1].modules)
            self.cpu += time.process_time() - began

    def _take_modules(self) -> None:
        """Modules from the function's own code are this environment's, not the next one's."""
        for name, module in list(sys.modules.items()):
            if (getattr(module, "__file__", None) or "").startswith((str(self.task),
                                                                     str(self.opt))):
                self.modules[name] = sys.modules.pop(name)

    def _sleep(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        self.slept += seconds
        if self.slept > self.allowed:
            raise _TimedOut
