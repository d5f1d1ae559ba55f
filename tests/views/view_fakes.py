"""Stand-ins for the views' tests: a client without a cloud, a cloud without functions."""

import base64
import io
import json
from types import SimpleNamespace

from botocore.exceptions import ClientError

from minilambda.limits import Limits
from minilambda.trace import Trace


class FakeLambda:
    """Three of a Lambda client's calls, kept in ``calls``. A run takes 2,500 ms and 200 MB."""

    def __init__(self, memory=128, timeout=3):
        self.memory, self.timeout, self.calls = memory, timeout, []
        self.refuse = self.explode = None

    def get_function_configuration(self, FunctionName):
        return {"MemorySize": self.memory, "Timeout": self.timeout}

    def update_function_configuration(self, FunctionName, MemorySize, Timeout):
        self.calls.append(("update", MemorySize, Timeout))
        if self.explode:
            raise self.explode
        if self.refuse:
            raise ClientError({"Error": {"Code": self.refuse, "Message": "not today"}},
                              "UpdateFunctionConfiguration")
        self.memory, self.timeout = MemorySize, Timeout
        return {"LastUpdateStatus": "Successful"}

    def invoke(self, FunctionName, Payload, LogType):
        assert LogType == "Tail"
        self.calls.append(("invoke", json.loads(Payload)))
        answer, duration, used, error = {"memory": self.memory}, 2500.0, 200, True
        if self.timeout <= 2:
            duration = self.timeout * 1000.0
            answer = {"errorMessage": f"x Task timed out after {self.timeout}.00 seconds"}
        elif self.memory < 200:
            used = self.memory
            answer = {"errorType": "Runtime.ExitError",
                      "errorMessage": "Error: Runtime exited with error: signal: killed"}
        else:
            error = False
        log = ("START RequestId: x\nEND RequestId: x\nREPORT RequestId: x\t"
               f"Duration: {duration:.2f} ms\tBilled Duration: {duration:.0f} ms\t"
               f"Memory Size: {self.memory} MB\t"
               f"Max Memory Used: {used} MB\tInit Duration: 110.00 ms\t\n")
        response = {"Payload": io.BytesIO(json.dumps(answer).encode()),
                    "LogResult": base64.b64encode(log.encode()).decode()}
        return response | ({"FunctionError": "Unhandled"} if error else {})


class Story:
    """A cloud whose trace a test writes: it has ``trace``, ``clock.seconds`` and limits, no more."""

    is_open = False

    def __init__(self):
        self.trace, self.clock = Trace(), SimpleNamespace(seconds=0.0)
        self.limits = Limits.load("course")
        self.environments = self.requests = 0

    def create(self, function="hello"):
        self.environments += 1
        name = f"{self.environments:032x}"
        self._note("environment.created", (function, name), version="$LATEST", memory_size=128,
                   timeout=3)
        return function, name

    def init(self, *environments, ms=110.0):
        for environment in environments:
            self._note("init.started", environment)
        self.wait(ms / 1000)
        for environment in environments:
            self._note("init.ended", environment, duration_ms=ms, status="success", error_type=None)

    def invoke(self, *environments, ms=1.4, cold=False, status="success", error_type=None,
               reason=None):
        """Run one invocation in each, all at once. Gives their request ids."""
        ids = []
        for environment in environments:
            self.requests += 1
            ids.append(f"{self.requests:08x}-0000-4000-8000-000000000000")
            if not cold:
                self._note("environment.thawed", environment)
            self._note("invoke.started", environment, request_id=ids[-1], cold=cold)
        self.wait(ms / 1000)
        for environment, request_id in zip(environments, ids, strict=True):
            self._note("invoke.ended", environment, request_id=request_id, status=status,
                       error_type=error_type, duration_ms=ms, billed_ms=100, memory_size=128,
                       max_memory_used=36, init_ms=110.0 if cold else None, cost=4.0833e-7)
            if reason:
                self._note("environment.shutdown", environment, reason=reason)
            else:
                self._note("environment.frozen", environment)
        return ids

    def throttle(self, count=1, function="hello", reason="ConcurrentInvocationLimitExceeded"):
        """So many requests arrive and are refused. Gives their request ids."""
        ids = []
        for _ in range(count):
            self.requests += 1
            ids.append(f"{self.requests:08x}-0000-4000-8000-000000000000")
            self._note("request.accepted", (function,), request_id=ids[-1])
            self._note("request.throttled", (function,), request_id=ids[-1], reason=reason)
        return ids

    def wait(self, seconds):
        self.clock.seconds += seconds

    def _note(self, kind, environment, **data):
        self.trace.append(self.clock.seconds, kind, *environment, **data)
