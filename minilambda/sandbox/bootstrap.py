"""Runs inside an execution environment: loads the handler and speaks the Runtime API.

Stands for: the Python runtime's bootstrap. AWS pages: *Using the Lambda runtime API*, *Building a
custom runtime*, *Python Lambda function errors*.

Only the standard library is used, and nothing of minilambda: it must run where only Python is.
One thing is ours: time is the cloud's (see ``cloud_time``), and waiting asks the cloud's clock to
let time pass (through ``POST /minilambda/sleep``).
"""

import _thread
import contextlib
import importlib
import io
import json
import logging
import os
import re
import sys
import threading
import time
import traceback
from decimal import Decimal

try:
    import cloud_time
    from api_connection import RuntimeApi
except ImportError:  # the inline tier imports this file as a part of its package
    from . import cloud_time
    from .api_connection import RuntimeApi

SMALL = 1 << 20  # bytes: a result of this size is never refused
CLOCK_FD = 4
THREADS = 1024  # AWS page: Lambda quotas, "Execution processes/threads"


class LambdaContext:
    """The handler's second argument (AWS page: *Using the Lambda context object*)."""

    def __init__(self, headers, clock):
        self.aws_request_id = headers["lambda-runtime-aws-request-id"]
        self.invoked_function_arn = headers["lambda-runtime-invoked-function-arn"]
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self.identity = CognitoIdentity()
        client = headers.get("lambda-runtime-client-context")
        self.client_context = ClientContext(json.loads(client)) if client else None
        self._deadline_ms = int(headers["lambda-runtime-deadline-ms"])
        self._clock = clock

    def get_remaining_time_in_millis(self):
        return max(0, self._deadline_ms - round(self._clock.time() * 1000))

    def log(self, message):
        sys.stdout.write(str(message))

    def __repr__(self):
        shown = {k: v for k, v in vars(self).items() if not k.startswith("_")}
        return f"LambdaContext({shown})"


class CognitoIdentity:
    cognito_identity_id = None
    cognito_identity_pool_id = None

    def __repr__(self):
        return "CognitoIdentity([cognito_identity_id=None,cognito_identity_pool_id=None])"


class ClientContext:
    def __init__(self, document):
        self.custom = document.get("custom")
        self.env = document.get("env")
        self.client = document.get("client")


class Fault(Exception):
    """The function can't be loaded, or its result can't be sent; in AWS's words."""

    def __init__(self, kind, message, trace=()):
        super().__init__(message)
        self.kind, self.message, self.trace = kind, message, list(trace)


def to_json(value):
    """JSON as AWS's client for Python writes it: decimals with all of their digits."""
    decimals = []
    mark = f"decimal-{id(decimals)}-"  # stands in for one: the encoder writes no number as it is told

    def default(item):
        if isinstance(item, Decimal):
            if item.is_nan():
                return float("nan")
            decimals.append(str(item))
            return f"{mark}{len(decimals) - 1}"
        raise TypeError(f"Object of type {type(item).__name__} is not JSON serializable")

    # From Python 3.12 on letters are sent as they are, before that only those of ASCII.
    version = os.environ.get("AWS_EXECUTION_ENV", "").rpartition("3.")[2]
    text = json.dumps(value, default=default, ensure_ascii=version.isdigit() and int(version) < 12)
    return re.sub(f'"{mark}([0-9]+)"', lambda m: decimals[int(m[1])], text) if decimals else text


def to_bytes(result):
    """What is sent for a handler's result; bytes are sent as they are."""
    return result if isinstance(result, bytes) else to_json(result).encode("utf-8", "surrogatepass")


def stack(tb):
    """Frames of user code, one string each, without ours."""
    ours = (__file__, os.path.join(os.path.dirname(__file__), "redirection.py"))
    frames = [frame for frame in traceback.extract_tb(tb) if frame.filename not in ours]
    return [
        f'  File "{f.filename}", line {f.lineno}, in {f.name}\n' + (f"    {f.line}\n" if f.line else "")
        for f in frames
    ]


def error_document(kind, message, trace, request_id):
    return {"errorMessage": message, "errorType": kind, "requestId": request_id, "stackTrace": trace}


def log_error(error):
    lines = [f"[ERROR] {error['errorType']}: {error['errorMessage']}",
             "Traceback (most recent call last):"]  # whether there are any
    lines += "".join(error["stackTrace"]).splitlines()
    nbsp = "\u00a0"
    lines = [nbsp * (len(line) - len(line.lstrip(" "))) + line.lstrip(" ") for line in lines]
    # A carriage return, not a newline, keeps the whole message one event of the log.
    print("\r".join(line.replace("\n", "\r") for line in lines), flush=True)


class LogFormatter(logging.Formatter):
    """``[LEVEL]\\ttime\\trequest id\\tmessage``, on the cloud's clock."""

    def __init__(self, clock):
        super().__init__("[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(request_id)s\t%(message)s",
                         "%Y-%m-%dT%H:%M:%S")
        self.converter = time.gmtime
        self.clock, self.request_id = clock, ""

    def format(self, record):
        record.created = self.clock.time()
        record.msecs = int(record.created * 1000) % 1000
        record.request_id = self.request_id
        return super().format(record).replace("\n", "\r")


def load(name):
    """The handler function, or a Fault in AWS's words."""
    try:
        module_name, function_name = name.rsplit(".", 1)
    except ValueError as error:
        raise Fault("Runtime.MalformedHandlerName", f"Bad handler '{name}': {error}") from None
    if module_name.split(".")[0] in sys.builtin_module_names:
        raise Fault("Runtime.BuiltInModuleConflict",
                    f"Cannot use built-in module {module_name} as a handler module")
    try:
        module = importlib.import_module(module_name.replace("/", "."))
    except ImportError as error:
        raise Fault("Runtime.ImportModuleError",
                    f"Unable to import module '{module_name}': {error}") from None
    except SyntaxError as error:
        message = f"Syntax error in module '{module_name}': {error}"
        line = f'  File "{error.filename}" Line {error.lineno}\n    {error.text or ""}'
        raise Fault("Runtime.UserCodeSyntaxError", message, [line]) from None
    try:
        return getattr(module, function_name)
    except AttributeError:
        raise Fault("Runtime.HandlerNotFound",
                    f"Handler '{function_name}' missing on module '{module_name}'") from None


def layer_folders(opt, runtime):
    """Where Python looks for a layer's modules, in AWS's order (after the function's own).

    The version in the folder's name is that of the function's runtime.
    """
    version = runtime.removeprefix("AWS_Lambda_")
    return [f"{opt}/python/lib/{version}/site-packages", f"{opt}/python"]


def add_path_files(folders):
    """Follow the ``.pth`` files of layers, as AWS's runtime does."""
    for folder in folders:
        if os.path.isdir(folder) and any(name.endswith(".pth") for name in os.listdir(folder)):
            import site  # only where it is needed: it takes a good part of a cold start

            site.addsitedir(folder)


def limit_threads():
    """Refuse a thread too many as the kernel does there; here it wouldn't, least of all to root."""
    start = _thread.start_new_thread

    def start_new_thread(*arguments):
        if _thread._count() + 1 >= THREADS:  # the main thread isn't counted
            raise RuntimeError("can't start new thread")
        return start(*arguments)

    _thread.start_new_thread = _thread.start_new = start_new_thread
    threading._start_new_thread = start_new_thread


def set_up_output(clock):
    for number, name in ((1, "stdout"), (2, "stderr")):
        stream = io.TextIOWrapper(io.FileIO(number, "w", closefd=False), "utf-8", "backslashreplace",
                                  newline="\n", write_through=True)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    handler = logging.StreamHandler(sys.stdout)
    formatter = LogFormatter(clock)
    handler.setFormatter(formatter)
    logging.getLogger().addHandler(handler)
    return formatter


def serve(api, clock, formatter, handler):
    """Answer invocations for ever. Returns only in a child that the handler forked."""
    process, following = os.getpid(), None
    while True:
        headers, body = following or api.next()
        following = None
        request_id = headers["lambda-runtime-aws-request-id"]
        trace_id = headers.get("lambda-runtime-trace-id")
        if trace_id:
            os.environ["_X_AMZN_TRACE_ID"] = trace_id
        else:
            os.environ.pop("_X_AMZN_TRACE_ID", None)
        formatter.request_id = request_id
        try:
            try:
                event = json.loads(body)
            except ValueError as error:
                raise Fault("Runtime.UnmarshalError",
                            f"Unable to unmarshal input: {error}") from None
            result = handler(event, LambdaContext(headers, clock))
            try:
                reply = to_bytes(result)
            except Exception as error:
                raise Fault("Runtime.MarshalError", f"Unable to marshal response: {error}") from None
            if os.getpid() != process:
                return
            if len(reply) <= SMALL:
                following = api.next(request_id, reply)
                continue
            status, _, answer = api.respond(request_id, reply)
            if status == 413:
                problem = json.loads(answer)
                error = error_document(problem["errorType"], problem["errorMessage"], [], request_id)
                log_error(error)
        except Fault as fault:
            error = error_document(fault.kind, fault.message, fault.trace, request_id)
            log_error(error)
            api.fail(f"/invocation/{request_id}/error", to_json(error).encode(), fault.kind)
        except Exception as exception:
            if os.getpid() != process:
                return
            kind = type(exception).__name__
            error = error_document(kind, str(exception), stack(exception.__traceback__), request_id)
            log_error(error)
            api.fail(f"/invocation/{request_id}/error", to_json(error).encode(), kind)


def last_words(problem, tb):
    """What Python says when it ends by an exception."""
    return "".join(["Traceback (most recent call last):\n", *stack(tb),
                    *traceback.format_exception_only(type(problem), problem)])


def main(redirect=None):
    """Initialise once, then serve; end as a Python program does.

    ``redirect``: a Redirection, where there is no mount namespace.
    """
    try:
        run(redirect)
    except SystemExit:
        raise
    except BaseException as problem:
        with contextlib.suppress(OSError, ValueError):  # its code may have closed it
            sys.stderr.write(last_words(problem, problem.__traceback__))
        if isinstance(problem, KeyboardInterrupt):
            import signal  # only where it is needed

            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        os._exit(1)


def run(redirect):
    if redirect:
        redirect.start_afresh()
    clock = cloud_time.clock
    clock.open(CLOCK_FD)
    formatter = set_up_output(clock)
    limit_threads()
    api = RuntimeApi(os.environ["AWS_LAMBDA_RUNTIME_API"])
    root = os.environ["LAMBDA_TASK_ROOT"]
    layers = layer_folders(redirect.paths["/opt"] if redirect else "/opt",
                           os.environ["AWS_EXECUTION_ENV"])
    named = os.environ.get("PYTHONPATH", "").split(":")  # a forked Python hasn't read it
    sys.path[:0] = [root, *layers, *(folder for folder in named if folder not in ("", *sys.path))]
    sys.path.append(os.environ["LAMBDA_RUNTIME_DIR"])
    add_path_files(layers)
    os.chdir(root)
    if redirect:
        redirect.apply()
    api.start()
    clock.api = api  # from here on waiting costs the cloud's time
    try:
        handler = load(os.environ["_HANDLER"])
    except Fault as fault:
        error = error_document(fault.kind, fault.message, fault.trace, "")
        log_error(error)
        api.fail("/init/error", to_json(error).encode(), fault.kind)
        os._exit(1)
    except Exception as exception:
        kind = type(exception).__name__
        error = error_document(kind, str(exception), stack(exception.__traceback__), "")
        log_error(error)
        api.fail("/init/error", to_json(error).encode(), kind)
        os._exit(1)
    serve(api, clock, formatter, handler)
    os._exit(0)
