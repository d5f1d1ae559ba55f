"""The engine's side of the talk with a sandbox: where real code and virtual time meet.

Stands for nothing of AWS's: it is the co-simulation. Between two messages from the sandbox real
code runs and virtual time stands still (the conversation holds a piece of *work* on the clock).
A message may let time pass:

* code *sleeps*: time passes until it wakes, or until the deadline falls and it is killed;
* it *calls an AWS service*: the call is served at that very instant, then its latency passes;
* it *answers*: the CPU time that it is charged passes.

Methods named ``…_steps`` are simpy processes (generators).
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

import simpy

from .clock import Work
from .errands import Errands, Killed
from .extensions import Extensions
from .function import FunctionConfiguration
from .patience import LOOK_SECONDS, QUIET_CPU, QUIET_SECONDS, Patience
from .processor import CpuTime, Meter, Processor
from .sandbox import (
    Exit, ExtensionOutput, Failure, FromExtension, GaveUp, InlineSandbox, Message, Output, Response,
    Sandbox, Segments, Sleep, Started, Usage, runtimes,
)
from .setting import Setting

Steps = Generator[simpy.Event, Any, Any]
RESPONSE_HEADROOM = 100  # AWS's own figure for a result is 6,291,556 bytes, 100 over 6 MB


class Conversation(Errands):
    """With one sandbox at a time; a second Init replaces it by a fresh one.

    Args:
        hear: takes what the code wrote and what it sent to the X-Ray daemon.
        on_death: called when the process dies while it ought to be frozen.
    """

    def __init__(self, setting: Setting, function: FunctionConfiguration,
                 hear: Callable[[Output | Segments], None], on_death: Callable[[], None]) -> None:
        self.setting, self.function, self.clock = setting, function, setting.clock
        self.figures = setting.model.runtimes[runtimes.family(function.runtime)]
        self.processor = Processor(function.memory_size, setting.limits.vcpu_at_mb,
                                   setting.clock.wall)
        self.hear, self.on_death, self.extensions = hear, on_death, Extensions({})
        self.alive = False  # is there a process tree?
        self.sandbox: Sandbox | InlineSandbox | None = None
        self.peak_mb = 0.0
        self._active = False  # may its code run?
        self._ended = False  # is it to be gone?
        self._runs = False  # does its code run, for all we know?
        self._mailbox: list[Message | str] = []
        self._arrival = self.clock.event()
        self._usage_wanted: list[tuple[Work, simpy.Event]] = []
        self._parked: set[simpy.Event] = set()
        self._naps: dict[simpy.Event, Sleep] = {}  # of those that are parked, who may give up
        self._work: Work | None = None
        self._quiet: float | None = None  # CPU seconds at the last look, if it did nothing then
        self._patience = Patience()
        self._gave_way = False  # does the runtime wait for the clock, and time for extensions?
        self._meter = Meter(self.processor, setting.modelled)
        self._shown_ns = 0  # what code sees as the present
        self.endings: list[Callable[[], None]] = []  # called when nothing of it may live on

    # -- what an environment does with it --------------------------------------------------------

    def start(self, name: str, variables: dict[str, str]) -> None:
        """Start a fresh sandbox; its runtime begins to initialise."""
        setting = self.setting
        self._mailbox.clear()
        self._ended, self.alive = False, True
        self._meter = Meter(self.processor, setting.modelled)
        base = self.figures.memory_mb * 1024 if setting.modelled else None
        self.sandbox = setting.sandbox(
            name, self.function, variables, self._receive,
            setting.limits.payload_sync + RESPONSE_HEADROOM, base, self.clock.timestamp_ns())

    def begin(self, deadline: float, stuck: float | None = None) -> None:
        """Real code runs until ``deadline``; it may do nothing for ``stuck`` real seconds more."""
        left = deadline - self.clock.seconds
        share = 1.0 if self.setting.modelled else self.processor.share
        self._patience.begin(left * share, stuck)
        self._meter.begin()
        self._active, self._gave_way = True, False
        self._pause()
        self._resume()

    def listen_steps(self, deadline: float, charge_ms: float | None = None,
                     share: float = 1.0) -> Steps:
        """Let code run until it has something final to say, or the deadline falls.

        Value: the message, its CPU time charged unless it is an answer; or None, at the deadline.
        ``charge_ms`` is what the CPU costs when durations are modelled, on ``share`` of a vCPU;
        None: nothing.
        """
        alarm = self.clock.timeout(deadline - self.clock.seconds)
        try:
            while True:
                while not self._mailbox:
                    self._arrival = self.clock.event()
                    yield self.clock.any_of([self._arrival, alarm])
                    if alarm.processed and not self._mailbox:
                        return None
                message = self._mailbox.pop(0)
                if isinstance(message, Output | Segments):
                    self.hear(message)
                elif isinstance(message, Sleep):
                    self._sleep(message)
                elif message == "overrun":
                    if self._parked and (yield from self._idle_steps()):
                        continue
                    if (yield from self._ran_away_steps(deadline)):
                        self._pause()
                        yield alarm
                        return None
                elif not isinstance(message, Started):
                    # After an answer code runs on, until it is frozen; then all is charged.
                    if charge_ms is not None and not isinstance(
                            message, Response | Failure | FromExtension):
                        cpu = message.cpu if isinstance(message, Exit) else None
                        if not (yield from self.charge_steps(cpu, deadline, charge_ms, share)):
                            return None
                        self._resume()
                    return message
        finally:
            self.clock.cancel(alarm)

    def freeze_steps(self) -> Steps:
        """Stop the tree. Value: the CPU time it has used in all; None if it has died instead."""
        self._active = False
        usage = yield from self._ask_steps(
            lambda: (used := self.sandbox.freeze()) and self._measured(used))
        self._pause()
        return None if usage is None else usage.cpu

    def kill_steps(self) -> Steps:
        """Kill what is left, and wait (in real time) until it is gone."""
        self._active, self._ended = False, True
        self._pause()
        self.sandbox.kill()
        work = self.clock.work()
        while True:
            while not self._mailbox:
                self._arrival = self.clock.event()
                yield self._arrival
            message = self._mailbox.pop(0)
            if isinstance(message, Output | Segments):
                self.hear(message)
            elif isinstance(message, Exit):
                break
            self.extensions.take(message)
        self._abandon()
        work.done()

    def end(self) -> None:
        """Nothing of it may live on. Calls still being served end with :class:`Killed`."""
        self._active, self._ended = False, True
        self._pause()
        if self.sandbox is not None:
            self.sandbox.kill()
        self._abandon()

    def _abandon(self) -> None:
        for ending in list(self.endings):
            ending()
        parked, self._parked = self._parked, set()
        self._naps.clear()
        for event in parked:
            self.clock.succeed(event, Killed)

    # -- waiting ------------------------------------------------------------------------------------

    def _sleep(self, message: Sleep) -> None:
        if message.until is not None and message.until[0] != self._shown_ns:
            message.wake()
            return
        if not message.wanted():
            return
        woken = self.clock.event()
        woken.callbacks.append(lambda event: event.value is Killed or message.wake())
        self._parked.add(woken)
        if message.until is not None:
            self._naps[woken] = message
        self._give_way()
        self.clock.process(self._sleep_steps(woken, message))

    def _sleep_steps(self, woken: simpy.Event, message: Sleep) -> Steps:
        charged = yield from self._charge_steps()
        seconds = message.seconds
        if message.until is not None:
            seconds = max(0.0, (message.until[1] - self.clock.timestamp_ns()) / 1e9)
        yield self.clock.background(charged + seconds)  # what may happen is the deadline's to say
        if message.wanted():
            self._naps.pop(woken, None)
            yield from self._wake_steps(woken, 0.0)
        elif woken in self._naps:  # it has been given up, and the news is on its way
            self._gave_up()

    def _gave_up(self) -> None:
        """A nap was ended by the code itself: it waits no longer, and runs."""
        for woken in [event for event, nap in self._naps.items() if not nap.wanted()]:
            del self._naps[woken]
            self._parked.discard(woken)
        self._quiet, self._gave_way = None, False
        self._resume()

    def _wake_steps(self, event: simpy.Event, seconds: float) -> Steps:
        """After ``seconds`` code runs on (unless it was killed meanwhile)."""
        yield self.clock.timeout(seconds)
        if event in self._parked and not self._ended:
            self._parked.discard(event)
            self._quiet, self._gave_way = None, False
            self._resume()
            self.clock.succeed(event)

    # -- CPU time -----------------------------------------------------------------------------------

    def charge_steps(self, cpu: CpuTime | None, deadline: float, charge_ms: float,
                     share: float) -> Steps:
        """Let CPU time pass: what was modelled, or of ``cpu`` (None: up to now) what isn't charged.

        Value: False if the deadline fell meanwhile.
        """
        if cpu is None:
            cpu = yield from self._measure_steps()
        seconds = charge_ms / 1000 / share if self.setting.modelled else self._meter.owed(cpu)
        left = deadline - self.clock.seconds
        self._pause()
        yield self.clock.timeout(min(seconds, left))
        return seconds <= left

    def _measure_steps(self) -> Steps:
        """Value: CPU time used in all; as long as durations are modelled nobody asks."""
        if self.setting.modelled:
            return ()
        usage = yield from self._ask_steps(self.sandbox.measure)
        return self._meter.charged if usage is None else usage.cpu

    def _charge_steps(self) -> Steps:
        """Value: seconds to let pass for the CPU time up to here."""
        cpu = yield from self._measure_steps()
        return 0.0 if self.setting.modelled else self._meter.owed(cpu)

    def _ask_steps(self, question: Callable[[], None]) -> Steps:
        """Value: the Usage that answers, or None if the process died first. Holds time."""
        work = self.clock.work()
        # The question's work stands in for the code's own, which may end while it is open.
        self._drop_work()
        wanted = self.clock.event()
        self._usage_wanted.append((work, wanted))
        question()
        usage = yield wanted
        if self._runs and self._active:
            self._resume()
        work.done()
        return usage

    def _ran_away_steps(self, deadline: float) -> Steps:
        """Real code has run for long. Value: True if it must be killed (see ``patience``)."""
        waited = self._work.patience_given if self._work is not None else 0.0
        usage = yield from self._ask_steps(self.sandbox.measure)
        if usage is None or self._work is None:
            return False
        left = max(0.0, deadline - self.clock.seconds)
        taken = self._meter.taken(usage.cpu)
        if self._patience.is_over(waited, taken, self._meter.computed(usage.cpu), left):
            return True
        more = (left - taken) * (1.0 if self.setting.modelled else self.processor.share)
        self._work.extend(QUIET_SECONDS if self._parked else max(0.05, min(more, LOOK_SECONDS)))
        return False

    def _idle_steps(self) -> Steps:
        """Some threads of the code wait for the clock. Value: True if the others only wait too.

        A thread that waits for another (a pool's, say) tells nobody. What uses no CPU from one look
        to the next, and doesn't ask for any, does nothing: time may pass. (On a busy machine code
        can go without for long. It is runnable all the while, and that shows.)
        """
        usage = yield from self._ask_steps(lambda: self.sandbox.measure(states=True))
        if usage is not None:
            if self._work is None or usage.busy:
                self._quiet = None
                return False
            before, self._quiet = self._quiet, usage.total
            if before is None or usage.total - before >= QUIET_CPU:
                return False
        self._pause()
        return True

    # -- real work, announced to the clock ------------------------------------------------------------

    def _resume(self) -> None:
        if self._active:
            self._runs = True
            self._shown_ns = self.clock.timestamp_ns()
            rate = self.clock.speed if self.clock.wall else 0.0
            self.sandbox.set_time(self._shown_ns, rate)
            if self._work is None:
                patience = QUIET_SECONDS if self._parked else self._patience.first
                self._work = self.clock.work(patience, self._overran)

    def _pause(self) -> None:
        self._runs, self._quiet = False, None
        self._drop_work()

    def _give_way(self) -> None:
        """Code waits for the clock: time may pass, if no extension is at work."""
        self._pause()
        self._gave_way = self.extensions.at_work()
        if self._gave_way:
            self._resume()

    def extensions_rest(self) -> None:
        """An extension has done its work: time need not wait for it any longer."""
        if self._gave_way and not self.extensions.at_work():
            self._gave_way = False
            self._pause()

    def _drop_work(self) -> None:
        if self._work is not None:
            self._work.done()
            self._work = None

    def _receive(self, message: Message) -> None:
        """From the sandbox's thread."""
        with self.clock.lock:
            if isinstance(message, Usage):
                self._measured(message)
                return
            if isinstance(message, GaveUp):
                self._gave_up()
                return
            self._mailbox.append(message)
            if isinstance(message, Exit):
                self.alive = False
                self.peak_mb = max(self.peak_mb, message.peak_mb)
                self._measured(None)
                if not self._active:
                    self.on_death()
            # Code runs on after these; the next message that it stops at brings them in.
            if not isinstance(message, Output | Segments | Started | Response | Failure
                              | ExtensionOutput):
                self._answer(lambda: self.clock.succeed(self._arrival))

    def _measured(self, usage: Usage | None) -> None:
        if usage is not None:
            self.peak_mb = max(self.peak_mb, usage.peak_mb)
            self._meter.seen = usage.cpu
        wanted, self._usage_wanted = self._usage_wanted, []
        for work, event in wanted:
            if self.setting.modelled:
                work.answer(lambda event=event: self.clock.succeed(event, usage))
            else:
                # Measured runs differ anyway. And code with several threads may be running on,
                # waiting for just the one whose CPU time is asked for here.
                self.clock.succeed(event, usage)

    def _answer(self, reply: Callable[[], None]) -> None:
        reply() if self._work is None else self._work.answer(reply)

    def _overran(self) -> None:
        self._mailbox.append("overrun")
        self.clock.succeed(self._arrival)
