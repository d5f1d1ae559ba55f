"""``/_minilambda``: what isn't AWS, over HTTP. The clock, the trace, a new beginning.

Stands for nothing of AWS's. Only ``minilambda serve`` has it: a notebook has its ``Cloud`` instead, and
code under the judge must reach neither clock nor trace.

All answers are JSON, errors too (``{"error": ...}``). :data:`PATHS` lists what there is.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any, Protocol
from urllib.parse import parse_qs

from ..clock import Clock, ClockStopped
from ..limits import Limits
from ..trace import KINDS, Event, Trace
from .door import Door, DoorShut

PATHS = {
    "/_minilambda/health": "GET: is it ready, what is it",
    "/_minilambda/clock": 'GET: the time; POST {"seconds": n} or {"run_until_idle": true}: '
                          "let time pass",
    "/_minilambda/trace": "GET: what happened, one event a line; ?since=N (events from number N on), "
                          "?kind= ?function= ?environment= ?request_id= ?limit=N ?format=json",
    "/_minilambda/reset": "POST: everything gone, as new",
}
_LONGEST = 1 << 16  # of a request's body
_LAST = datetime(9999, 1, 1)
_FILTERS = ("function", "environment", "request_id")
Answer = tuple[int, list[tuple[str, str]], bytes]


class Controlled(Protocol):
    """What is controlled (``minilambda.serve``)."""

    clock: Clock
    trace: Trace
    limits: Limits

    def describe(self) -> dict[str, Any]:
        """What it is (as JSON): which cloud, its options, the present time."""

    def reset(self) -> None: ...


class _Refused(Exception):
    def __init__(self, status: int, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status, self.headers = status, list(headers.items())


class Control:
    """Answers for one cloud."""

    def __init__(self, cloud: Controlled) -> None:
        self._cloud = cloud
        self._actions: dict[tuple[str, str], Callable[..., Answer]] = {
            ("health", "GET"): self._health,
            ("clock", "GET"): self._time,
            ("clock", "POST"): self._let_pass,
            ("trace", "GET"): self._trace,
            ("reset", "POST"): self._reset,
            ("", "GET"): self._index,
        }

    def answer(self, environ: Mapping[str, Any], door: Door, objection: str | None) -> Answer:
        """Status, headers and body for a request as WSGI has it.

        ``objection``: why whoever asks may not, if so.
        """
        try:
            if environ.get("REMOTE_PORT") == 0:  # a connection out of a sandbox
                objection = "functions may not control their cloud"
            if objection is not None:
                raise _Refused(403, objection)
            action = self._find(environ)
            if action in (self._let_pass, self._reset):
                return action(environ)  # they end, or outlast, what is behind the door
            with door.passing():
                return action(environ)
        except _Refused as refused:
            status, message, headers = refused.status, str(refused), refused.headers
        except DoorShut:
            status, message, headers = 503, "the server is stopping", []
        except ClockStopped:
            status, message, headers = 409, "the cloud was reset or closed meanwhile", []
        except Exception as error:
            status, message, headers = 500, f"{type(error).__name__}: {error}", []
        return _json({"error": message}, status, headers)

    def _find(self, environ: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], Answer]:
        name = environ.get("PATH_INFO", "").removeprefix("/_minilambda").strip("/")
        method = environ.get("REQUEST_METHOD", "GET")
        methods = [asked for known, asked in self._actions if known == name]
        if not methods:
            raise _Refused(404, f"no /_minilambda/{name}: there is {', '.join(PATHS)}")
        action = self._actions.get((name, "GET" if method == "HEAD" else method))
        if action is None:
            allowed = ", ".join(methods)
            raise _Refused(405, f"/_minilambda/{name} takes {allowed}, not {method}", Allow=allowed)
        return action

    # -- what may be asked ---------------------------------------------------------------------------

    def _index(self, environ: Mapping[str, Any]) -> Answer:
        _parameters(environ)
        return _json({"paths": PATHS})

    def _health(self, environ: Mapping[str, Any]) -> Answer:
        _parameters(environ)
        return _json({"status": "ok", **self._cloud.describe()})

    def _time(self, environ: Mapping[str, Any]) -> Answer:
        _parameters(environ)
        return _json(self._now())

    def _let_pass(self, environ: Mapping[str, Any]) -> Answer:
        _parameters(environ)
        wanted, clock = _body(environ), self._cloud.clock
        seconds = wanted.get("seconds")
        if wanted.keys() == {"run_until_idle"} and wanted["run_until_idle"] is True:
            clock.run_until_idle()
        elif wanted.keys() == {"seconds"} and _is_figure(seconds):
            left = (_LAST - clock.now.replace(tzinfo=None)).total_seconds()
            if not 0 <= seconds <= left:
                raise _Refused(400, f"seconds must be from 0 to {left:.0f}: time only moves "
                                    "forward, and this clock ends with the year 9998")
            clock.run(float(seconds))
        else:
            raise _Refused(400, 'say {"seconds": n} or {"run_until_idle": true}')
        return _json(self._now())

    def _trace(self, environ: Mapping[str, Any]) -> Answer:
        asked = _parameters(environ, "since", "limit", "kind", "format", *_FILTERS)
        form = asked.get("format", ["lines"])[-1]
        if form not in ("lines", "json"):
            raise _Refused(400, f"format must be lines or json, not {form!r}")
        for kind in asked.get("kind", []):
            if kind not in KINDS:
                raise _Refused(400, f"no kind of event {kind!r}: there is {', '.join(KINDS)}")
        events = list(_chosen(self._cloud.trace, asked))
        if form == "json":
            return _json({**self._cloud.describe(), "events": events})
        body = b"".join(json.dumps(event).encode() + b"\n" for event in events)
        return 200, [("Content-Type", "application/x-ndjson"), *_PRIVATE], body

    def _reset(self, environ: Mapping[str, Any]) -> Answer:
        _parameters(environ)
        if _body(environ):
            raise _Refused(400, "a reset takes no options")
        self._cloud.reset()
        return _json({"status": "ok", **self._cloud.describe()})

    def _now(self) -> dict[str, Any]:
        clock = self._cloud.clock
        seconds = clock.seconds
        return {"now": clock.at(seconds).isoformat(), "seconds": seconds,
                "clock": "wall" if clock.wall else "virtual"}


_PRIVATE = [("Cache-Control", "no-store"), ("X-Content-Type-Options", "nosniff")]


def _chosen(trace: Trace, asked: Mapping[str, list[str]]) -> Iterator[dict[str, Any]]:
    since, limit = _count(asked, "since", 0), _count(asked, "limit", len(trace))
    wanted = {name: asked[name][-1] for name in _FILTERS if name in asked}
    for event in trace.select(*asked.get("kind", []), **wanted):
        if limit <= 0:
            return
        if event.number >= since:
            limit -= 1
            yield as_json(event)


def as_json(event: Event) -> dict[str, Any]:
    return {"number": event.number, "at": event.at, "kind": event.kind,
            "function": event.function, "environment": event.environment, "data": dict(event.data)}


def _count(asked: Mapping[str, list[str]], name: str, usual: int) -> int:
    text = asked.get(name, [str(usual)])[-1]
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise _Refused(400, f"{name} must be a whole number from 0, not {text!r}")
    return int(text)


def _is_figure(value: Any) -> bool:
    return (isinstance(value, int | float) and not isinstance(value, bool)
            and (isinstance(value, int) or math.isfinite(value)))


def _parameters(environ: Mapping[str, Any], *known: str) -> dict[str, list[str]]:
    asked = parse_qs(environ.get("QUERY_STRING", ""), keep_blank_values=True)
    for name in asked:
        if name not in known:
            raise _Refused(400, f"no parameter {name!r}" + (
                f": there is {', '.join(known)}" if known else " here"))
    return asked


def _body(environ: Mapping[str, Any]) -> dict[str, Any]:
    data = environ["wsgi.input"].read(_LONGEST + 1)
    try:
        document = json.loads(data) if data.strip() and len(data) <= _LONGEST else {}
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict):
        raise _Refused(400, "the body must be a JSON object")
    return document


def _json(document: Any, status: int = 200, headers: list[tuple[str, str]] | None = None) -> Answer:
    return (status, [("Content-Type", "application/json"), *_PRIVATE, *(headers or [])],
            json.dumps(document).encode() + b"\n")
