"""The cloud's on-switch.

``Cloud()`` starts a small AWS on this machine: our Lambda beside moto's other services, one clock,
sandboxed processes for functions. While it is on, plain ``boto3`` and the plain AWS CLI reach it
with no argument, and nothing reaches the real AWS.
"""

from __future__ import annotations

import atexit
import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from .appointments import Appointments
from .async_queue import AsyncQueue
from .aws import localhost_names
from .aws.current import Asking, asking
from .aws.delivery import Delivery
from .aws.execution_role import role_may
from .aws.guard import Guard
from .aws.installation import install, uninstall
from .aws.neighbours import fetch_code, organization_of, role_trusts_lambda
from .aws.inprocess import InProcessServer
from .aws.network_interfaces import NetworkInterfaces
from .aws.server import Server
from .aws.telemetry import LogWriter, MetricWriter, write_segment
from .aws.waiting import WaitersSleep
from .clock import COURSE_START, Clock
from .concurrency import Concurrency
from .connected import ConnectedCloud
from .conversation import Killed
from .databases import Databases
from .destination_arn import check_dead_letter
from .destinations import Destinations
from .doctor import Report, doctor
from .frontend import Frontend
from .function import LATEST, FunctionConfiguration
from .gauges import Gauges
from .limits import Limits
from .metrics import Metrics
from .model import Model
from .modelled import Models
from .modelling import Modelling
from .placement import Placement
from .provisioned import Provisioned
from .registry import Registry
from .sandbox import Host, InlineHost, InlineSandbox, Sandbox, runtimes
from .setting import Setting
from .trace import Trace

ACCOUNT = "123456789012"
REGION = "eu-west-2"  # the course's
CLOSE_SECONDS = 6.0  # real ones, for environments' Shutdown phases
LEAVE_SECONDS = 5.0  # real ones, for requests that are being served
DEAD_PROXY = "http://127.0.0.1:9"  # nobody listens on the discard port: a leak fails at once

_current: Cloud | None = None
_last_port = 0
_switch = threading.RLock()


class Cloud(Modelling):
    """A cloud that is on from its making until :meth:`close`; also a context manager.

    There is one at a time: starting another closes the one before, so that the cell that starts
    it can simply be run again.

    Args:
        clock: ``"virtual"`` (time stands still while code runs, then jumps) or ``"wall"``.
        speed: on the wall clock, how many times as fast as the computer's own.
        durations: ``"measured"`` (an invocation takes what its CPU time would on its share) or
            ``"modelled"`` (fixed figures, so that every run on every machine gives the same).
        limits: the profile in force, ``"course"`` (early 2020) or ``"today"``.
        sandbox: ``"auto"``, ``"bubblewrap"``, ``"process"``, or ``"inline"`` (no thread, process or
            socket: handlers run in this very process, and nothing protects it from them).
        start: the instant at which the clock starts (aware datetime). Unless given: now with
            measured durations, 2 March 2020, 9:00 UTC with modelled ones.
        seed: of everything random.
        async_retry_wait: seconds between an asynchronous invocation's first failure and its retry;
            the second wait grows in proportion. Unless given: the profile's 60 and 120.
        async_duplicates: how likely the event queue is to deliver an event once more though nothing
            failed, 0 to 1. AWS promises at least once, and doesn't say how often it is twice.
        port: of the AWS endpoint on 127.0.0.1; 0 takes the one that this process's last cloud
            had, so that clients made for that reach this one, or else a free one.

    Raises:
        ValueError: an argument that isn't one of the above.
        OSError: the port is taken.
        RuntimeError: the sandbox asked for doesn't work on this machine.
    """

    def __init__(self, *, clock: str = "virtual", speed: float = 1.0,
                 durations: str = "measured", limits: str = "course", sandbox: str = "auto",
                 start: datetime | None = None, seed: int = 0, port: int = 0,
                 async_retry_wait: float | None = None, async_duplicates: float = 0.0) -> None:
        _one_of("clock", clock, "virtual", "wall")
        _one_of("durations", durations, "measured", "modelled")
        if clock == "virtual" and speed != 1.0:
            raise ValueError("speed is for the wall clock: Cloud(clock='wall', speed=...)")
        if not 0.0 <= async_duplicates <= 1.0:
            raise ValueError("async_duplicates must be from 0 to 1")
        if async_retry_wait is not None and not 0.0 <= async_retry_wait < float("inf"):
            raise ValueError("async_retry_wait must be a number of seconds, 0 or more")
        self._new_queue = partial(AsyncQueue, retry_wait=async_retry_wait,
                                  duplicates=async_duplicates)
        if start is None and durations == "modelled":
            start = COURSE_START
        self.limits = Limits.load(limits)
        self.seed, self._sandbox_asked = seed, sandbox
        self._new_clock = partial(Clock, wall=clock == "wall", speed=speed, start=start, seed=seed)
        global _current
        with _switch:
            if _current is not None:
                _current.close()
            self.account_id, self.region = ACCOUNT, REGION
            self.clock = self._new_clock()  # its arguments may be wrong: before anything is started
            self.durations = durations
            self._ending = False
            with contextlib.ExitStack() as stack:
                self._server = self._open_endpoint(stack, port)
                self._begin()
                self._endpoint = stack.pop_all()
            self._open = True
            _current = self

    def _new_server(self, port: int) -> Server:
        return Server(port)

    def _open_endpoint(self, stack: contextlib.ExitStack,
                       port: int) -> Server | InProcessServer:
        """Take the port, and this process with it. Whoever asks already waits at the door."""
        global _last_port
        if self._sandbox_asked == "inline":
            server = InProcessServer()
            server.start()
        else:
            server = self._new_server(port or _last_port)
            server.door.shut()
            try:
                server.start()
            except OSError:
                if port or not _last_port:
                    raise
                server.port = 0  # somebody else has taken it meanwhile
                server.start()
            _last_port = server.port
        stack.callback(server.stop)
        stack.callback(server.door.lock)
        self.endpoint_url = server.url
        guard = Guard(server.url, self.region)
        guard.apply()
        stack.callback(guard.restore)
        localhost_names.apply()
        stack.callback(localhost_names.restore)
        if not self.clock.wall and self._sandbox_asked != "inline":
            sleep = WaitersSleep(lambda seconds: self.clock.run(seconds))  # of whichever is on
            sleep.apply()
            stack.callback(sleep.restore)
        return server

    def _begin(self) -> None:
        """Start all that a new cloud has, behind the endpoint, and let requests in."""
        self.trace = Trace()
        with contextlib.ExitStack() as stack:
            self._start(stack, self._sandbox_asked, self._server)
            self._stack = stack.pop_all()
        self._server.door.open()

    def _start(self, stack: contextlib.ExitStack, sandbox: str,
               server: Server | InProcessServer) -> None:
        """Start the parts, inner ones first; what was started is stopped if a later one fails."""
        inline = sandbox == "inline"
        self.registry = Registry(self.clock, self.limits, fetch_code=fetch_code,
                                 role_trusts_lambda=role_trusts_lambda,
                                 organization_of=organization_of, on_change=self._changed,
                                 check_dead_letter=partial(check_dead_letter, may=role_may),
                                 networks=NetworkInterfaces())
        install(self)
        stack.callback(uninstall)
        if inline:
            host = InlineHost(self.clock, server.port)
        else:
            host = Host(sandbox, server.port, server.serve_connection)
            self.clock.pump = host.pump
        stack.callback(host.close)
        self.registry.on_create = host.expect
        self.sandbox = host.tier.name
        setting = Setting(self.clock, self.trace, self.limits, Model.load(), host,
                          partial(InlineSandbox if inline else Sandbox, host), LogWriter(),
                          write_segment, self.durations == "modelled", server.url, DEAD_PROXY)
        writer = MetricWriter(self.clock, self.account_id, self.region)
        Metrics(self.trace, writer)
        concurrency = Concurrency.of(self.limits, Gauges(self.clock, writer))
        self.placement = Placement(setting, Models(), concurrency.lost)
        stack.callback(self.placement.close)
        self.provisioned = Provisioned(self.clock, self.trace, concurrency, self.placement,
                                       self.registry.versions)
        self.frontend = Frontend(self.clock, self.trace, concurrency, self.placement)
        destinations = Destinations(self.frontend, self.registry, role_may, Delivery(self.limits))
        self._new_queue(self.frontend, self.registry, self.limits, destinations)
        self.databases = Databases(setting, self.placement.by_access_key)
        stack.callback(self.databases.close)
        stack.callback(server.door.wait_until_empty, LEAVE_SECONDS)
        stack.callback(self.clock.stop)
        stack.callback(lambda: server.door.lock() if self._ending else server.door.shut())
        stack.callback(self.placement.wind_down, CLOSE_SECONDS)

    @property
    def is_open(self) -> bool:
        """Whether it is on: until :meth:`close`, or until another cloud is started."""
        return self._open

    # -- time ---------------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The present instant on the cloud's clock (aware, UTC)."""
        return self.clock.now

    @property
    def seconds(self) -> float:
        """Seconds on the cloud's clock since it was switched on; the trace's events carry these."""
        return self.clock.seconds

    @property
    def notes(self) -> list[str]:
        """Where what runs differs from what was asked for: one sentence a function, if any."""
        found = ((f.name, runtimes.note(f.runtime)) for f in self.registry)
        return [f"{name}: {note}" for name, note in found if note]

    def run(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass, and everything happen that falls due in it."""
        self._check()
        self.clock.run(timedelta(hours=hours, minutes=minutes, seconds=seconds).total_seconds())

    def run_until_idle(self) -> None:
        """Let time pass until nothing is going on any more."""
        self._check()
        self.clock.run_until_idle()

    def reset(self) -> None:
        """Everything gone, as new: functions, every service's data, the trace, the time.

        The endpoint stays: clients made for it go on working. Calls that are being served are
        answered 503; who calls meanwhile waits. ``trace`` is another one afterwards.
        """
        with _switch:
            self._check()
            try:
                self._stack.close()
                self.clock = self._new_clock()
                self._begin()
            except BaseException:
                self.close()
                raise

    @contextlib.contextmanager
    def hold(self, callers: int) -> Iterator[None]:
        """Inside, invocations wait at the door, and time with them, until ``callers`` are there.

        Then all of them enter at one instant, in an order that doesn't depend on which thread was
        quicker: how to make many callers call at once, and get the same every time. If nobody comes
        for ten seconds of yours, those who wait get an error that says how many are missing.
        """
        self._check()
        if callers < 1:
            raise ValueError("callers must be at least 1")
        gate = self.frontend.gather(callers)
        try:
            yield
        finally:
            self.frontend.open_gate(gate)

    def appoint(self, name: str, instants: Iterable[tuple[float, int]],
                come: Callable[[int], None]) -> Appointments:
        """Have callers at the door at instants to come: how traffic is made.

        At each instant ``come`` is told how many are to invoke now, and must return at once: they
        are threads of yours. They send the header ``X-Minilambda-Appointment: <name>``, and wait
        for their answers without letting time pass: :meth:`run` does. Time stands still until all
        of an instant are there; then they enter at that instant as those of :meth:`hold` do.

        Args:
            name: any that no appointments of this cloud had before.
            instants: (seconds on the clock, callers), in order.
            come: called with the number of callers on whichever thread lets time pass.

        Raises:
            ValueError: an instant in the past or out of order, or a name that was used.
            RuntimeError: the inline sandbox, which has no threads.
        """
        self._check()
        if self.sandbox == "inline":
            raise RuntimeError("appoint: the inline sandbox has no threads for callers")
        return self.frontend.appoint(name, instants, come)

    def finish(self, appointments: Appointments) -> None:
        """Let time pass until the last caller of these appointments has its answer."""
        self._check()
        self.clock.run_until(appointments.done)

    @staticmethod
    def connect(url: str = "http://127.0.0.1:4566") -> ConnectedCloud:
        """Drive a cloud that ``minilambda serve`` runs, from here.

        This process then belongs to it as it does to a :class:`Cloud` of its own: plain boto3 and
        ``aws`` reach that, and nothing else. What it gives has ``now``, ``seconds``, ``run``,
        ``run_until_idle``, ``trace``, ``limits`` and ``reset``; ``close`` gives the process back,
        and the server runs on.

        Raises:
            ValueError: not the URL of a server.
            ConnectionError: nobody answers there, or something else than ``minilambda serve``.
        """
        return ConnectedCloud(url)

    @staticmethod
    def doctor() -> Report:
        """What works on this machine and what doesn't; print it."""
        return doctor()

    # -- for the AWS surface ----------------------------------------------------------------------

    @contextlib.contextmanager
    def on_request(self, access_key: str | None, service: str | None) -> Iterator[None]:
        """Around each request to the endpoint: one that a function makes takes its time."""
        environment = self.placement.by_access_key(access_key) if access_key else None
        if environment is None:
            yield
            return
        with contextlib.suppress(Killed), environment.talk.aws_call(service):
            before = asking.set(Asking(environment.function.name, environment.name, service))
            try:
                yield
            finally:
                asking.reset(before)
            return
        raise ConnectionAbortedError("the execution environment that asked has ended")

    def function_of(self, access_key: str) -> FunctionConfiguration | None:
        """Whose execution environment these credentials were given to, if they were."""
        environment = self.placement.by_access_key(access_key)
        return None if environment is None else environment.function

    def _changed(self, old: FunctionConfiguration, new: FunctionConfiguration | None) -> None:
        with self.clock.lock:
            self.placement.retire(old, "configuration" if new is not None else "deleted")
            if new is None:
                self.provisioned.drop(old, None if old.version == LATEST else old.version)
                if old.version == LATEST:
                    self.frontend.concurrency.release(old)
                    self.placement.models.set(old, None)
        if new is not None:
            self.placement.setting.host.expect(new)

    # -- the switch --------------------------------------------------------------------------------

    def close(self) -> None:
        """Switch off: end every function, and put the process's environment back as it was."""
        global _current
        with _switch:
            if self._open:
                self._open, self._ending = False, True
                with self._endpoint:
                    self._stack.close()
            if _current is self:
                _current = None

    def __enter__(self) -> Cloud:
        self._check()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def __repr__(self) -> str:
        if not getattr(self, "_open", False):
            return "<Cloud, closed>"
        clock = "wall" if self.clock.wall else "virtual"
        return (f"<Cloud {self.region}, {clock} clock {self.now:%Y-%m-%d %H:%M:%S}, "
                f"{self.limits.profile} limits>")

    def _check(self) -> None:
        if not self._open:
            raise RuntimeError("this cloud is closed: start a new one with Cloud()")


def _one_of(name: str, value: str, *allowed: str) -> None:
    if value not in allowed:
        raise ValueError(f"{name} must be {' or '.join(map(repr, allowed))}, not {value!r}")


@atexit.register
def _close_at_exit() -> None:
    if _current is not None:
        _current.close()
