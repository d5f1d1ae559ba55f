"""A cloud that another process serves, driven from this one.

Stands for nothing of AWS's: it is ``Cloud``'s own interface, spoken to ``minilambda serve`` by the paths
below ``/_minilambda`` (see ``aws/control``). What is AWS, boto3 asks the same port for.
Leaves out: ``hold``, for which callers must be in one process with their cloud.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
from datetime import datetime, timedelta
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from .aws import localhost_names
from .aws.guard import Guard
from .aws.waiting import WaitersSleep
from .limits import Limits
from .trace import Trace

_PATIENCE = 60.0  # real seconds for an answer; letting time pass and a reset may take any
# Nothing of this kind goes through a proxy: the guard has set one that is dead.
_open = build_opener(ProxyHandler({})).open
_switch = threading.RLock()
_current: ConnectedCloud | None = None


class ConnectedCloud:
    """What :meth:`minilambda.Cloud.connect` gives; also a context manager.

    There is one at a time: connecting again closes the connection before.

    Raises:
        ValueError: not the URL of a server.
        ConnectionError: nobody answers there, or something else than ``minilambda serve``.
    """

    def __init__(self, url: str) -> None:
        global _current
        self.endpoint_url = _checked(url)
        found = self._health()
        self.account_id, self.region = found["account"], found["region"]
        self.durations, self.sandbox = found["durations"], found["sandbox"]
        self.seed, self.limits = found["seed"], Limits.load(found["limits"])
        self._kept, self._kept_of = Trace(), found["cloud"]
        self._fetching = threading.Lock()
        self._guard = Guard(self.endpoint_url, self.region)
        self._sleep = WaitersSleep(lambda seconds: self.run(seconds=seconds))
        with _switch:
            if _current is not None:
                _current.close()
            self._guard.apply()
            localhost_names.apply()
            if found["clock"] == "virtual":
                self._sleep.apply()
            self._connected = True
            _current = self

    # -- time ---------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The present instant on the cloud's clock (aware, UTC)."""
        return datetime.fromisoformat(self._ask("clock")["now"])

    @property
    def seconds(self) -> float:
        """Seconds on the cloud's clock since it was started or reset, as the trace's events have
        them."""
        return self._ask("clock")["seconds"]

    @property
    def clock(self) -> ConnectedCloud:
        """For views, which read ``cloud.clock.seconds``."""
        return self

    def run(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass, and everything happen that falls due in it.

        Raises:
            ValueError: time only moves forward, and not past the year 9998.
        """
        passing = timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds()
        self._ask("clock", {"seconds": passing})

    def run_until_idle(self) -> None:
        """Let time pass until nothing is going on any more."""
        self._ask("clock", {"run_until_idle": True})

    # -- record -------------------------------------------------------------------------------------

    @property
    def trace(self) -> Trace:
        """What has happened up to now: fetched, as far as it isn't here yet.

        The same object until the cloud is reset, and another one afterwards.
        """
        with self._fetching:
            answer = self._ask(f"trace?format=json&since={len(self._kept)}")
            if answer["cloud"] != self._kept_of:
                answer = self._ask("trace?format=json")
                self._kept, self._kept_of = Trace(), answer["cloud"]
            for event in answer["events"]:
                self._kept.append(event["at"], event["kind"], event["function"],
                                  event["environment"], **event["data"])
            return self._kept

    # -- the switch ---------------------------------------------------------------------------------

    def reset(self) -> None:
        """Everything gone, as new: functions, every service's data, the trace, the time."""
        self._ask("reset", {})

    def close(self) -> None:
        """Put this process's environment back as it was. The server runs on."""
        global _current
        with _switch:
            if self._connected:
                self._connected = False
                self._guard.restore()
                localhost_names.restore()
                self._sleep.restore()
            if _current is self:
                _current = None

    def __enter__(self) -> ConnectedCloud:
        self._check()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        if not self._connected:
            return f"<Cloud at {self.endpoint_url}, not connected any more>"
        return f"<Cloud at {self.endpoint_url}, {self.region}, {self.limits.profile} limits>"

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"a cloud that another process serves has no {name!r} here: there is "
                             "boto3, and now, seconds, run, run_until_idle, trace, limits, reset "
                             "and close")

    # -- inside -------------------------------------------------------------------------------------

    def _check(self) -> None:
        if not self._connected:
            raise RuntimeError("this connection is closed: connect anew with Cloud.connect(url)")

    def _health(self) -> dict[str, Any]:
        try:
            found = _fetch(f"{self.endpoint_url}/_minilambda/health", None, _PATIENCE)
        except (HTTPError, ValueError) as error:
            headers = getattr(error, "headers", None) or {}
            if "minilambda" in str(headers.get("Server", "")):
                raise ConnectionError(
                    f"{self.endpoint_url} is the cloud of another Python process, which only that "
                    "can drive: start one for everybody with `minilambda serve`") from None
            raise ConnectionError(f"what answers at {self.endpoint_url} isn't minilambda") from None
        except (URLError, OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None
        if not (isinstance(found, dict) and found.get("service") == "minilambda"):
            raise ConnectionError(f"what answers at {self.endpoint_url} isn't minilambda")
        return found

    def _ask(self, what: str, body: dict[str, Any] | None = None) -> Any:
        self._check()
        url = f"{self.endpoint_url}/_minilambda/{what}"
        try:
            return _fetch(url, body, _PATIENCE if body is None else None)
        except HTTPError as error:
            said = error.read()
            with contextlib.suppress(ValueError, KeyError, TypeError):
                said = json.loads(said)["error"]
            kind = ValueError if error.code == 400 else RuntimeError
            raise kind(f"{self.endpoint_url}: {said}") from None
        except (URLError, OSError, http.client.HTTPException) as error:
            raise self._unreachable(error) from None

    def _unreachable(self, error: Exception) -> ConnectionError:
        port = urlsplit(self.endpoint_url).port or 80
        return ConnectionError(f"nobody answers at {self.endpoint_url} "
                               f"({getattr(error, 'reason', error)}): start the server with "
                               f"`minilambda serve --port {port}`")


def _fetch(url: str, body: dict[str, Any] | None, seconds: float | None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = Request(url, data, {"Content-Type": "application/json"} if data else {})
    with _open(request, timeout=seconds) as answer:
        return json.loads(answer.read())


def _checked(url: str) -> str:
    """Scheme, host and port only."""
    try:
        parts = urlsplit(url)
        good = (parts.scheme == "http" and parts.hostname and parts.path in ("", "/")
                and not parts.query and not parts.fragment and not parts.username)
        parts.port  # noqa: B018  (it may be no number)
    except (ValueError, AttributeError):
        good = False
    if not good:
        raise ValueError(f"{url!r} isn't the URL of a server: it looks like http://127.0.0.1:4566")
    return f"http://{parts.netloc}"
