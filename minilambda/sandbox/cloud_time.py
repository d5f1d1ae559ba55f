"""Runs inside an execution environment: the cloud's clock, as Python code gets to see it.

Stands for nothing of AWS's: there a function's clock is the machine's. Here the cloud's time may be
virtual, so ``time`` and ``datetime`` read the cloud's clock off a page of shared memory, much as a
kernel's vDSO does, and waiting asks the cloud to let time pass.

* ``time.time``, ``monotonic``, ``perf_counter`` (and ``…_ns``), ``gmtime``, ``localtime``, ``ctime``,
  ``strftime`` without an instant; ``datetime.now``, ``utcnow``, ``today``, ``date.today``.
* ``time.sleep``; ``Condition.wait`` and ``Thread.join`` with a timeout (and so ``Event``,
  ``Semaphore``, ``Queue``, futures); ``selectors``, and so ``asyncio.sleep`` and its timeouts.

On a virtual clock code takes no time, so a loop that reads the clock until it has moved would never
end: every read costs a microsecond, paid a millisecond at a time.

Leaves out: ``process_time`` and ``thread_time`` (real, as they measure CPU), ``clock_gettime``, file
times, raw locks', sockets' and ``select.select``'s timeouts, signals' timers, other programs. Those
are the machine's.
"""

import mmap
import os
import struct
import sys
import threading
import time
from importlib.machinery import PathFinder

PAGE = struct.Struct("<qqd")  # cloud's time, machine's time when written (ns); rate (0: stands still)
READS_A_MILLISECOND = 1000
GRACE_SECONDS = 0.003  # real: for other threads to reach their own waits
SETTLE_SECONDS = 3.0  # of others' work, after which a wait lets time pass all the same
STARVED_SECONDS = 60.0  # real: how long that may take
LOOK_SECONDS = 0.05  # real: what passes between two looks counts as no more
POLL_SECONDS = 0.001
MANY_THREADS = 64  # nobody looks at each of more
LINUX = sys.platform.startswith("linux")

real_open, real_listdir = open, os.listdir  # as they are before paths are redirected
real_sleep, real_monotonic, real_monotonic_ns = time.sleep, time.monotonic, time.monotonic_ns
real_time_ns = time.time_ns
real_gmtime, real_localtime, real_strftime = time.gmtime, time.localtime, time.strftime
real_wait, real_join = threading.Condition.wait, threading.Thread.join


class CloudClock:
    """The cloud's time. Until it has a page (in the process that forks environments) it is real.

    ``api``: the Runtime API, once waiting costs virtual time.
    """

    def __init__(self):
        self.page = self.api = None
        self.main = 0  # the runtime's own process
        self.origin = 0  # ns: where the monotonic clocks count from
        self.seen = self.reads = 0
        # Threads (native ids) that wait: until when (ns), and since when if the cloud knows of it.
        self.settling, self.asleep = {}, {}

    def open(self, descriptor):
        self.page = mmap.mmap(descriptor, PAGE.size, prot=mmap.PROT_READ)
        os.close(descriptor)
        self.main = os.getpid()
        self.origin = self.time_ns() - 100 * 10**9

    def time_ns(self):
        """Nanoseconds since 1970."""
        if self.page is None:
            return real_time_ns()
        now, written, rate = PAGE.unpack(self.page[:])
        if rate:
            return now + int((real_monotonic_ns() - written) * rate)
        if now != self.seen:
            self.seen, self.reads = now, 0
        self.reads += 1
        if self.reads > READS_A_MILLISECOND and self.api is not None:
            self.reads = 0
            self.api.sleep(0.001)
            return self._page()
        return now

    def time(self):
        """Seconds since 1970."""
        return self.time_ns() / 1e9

    def monotonic_ns(self):
        return real_monotonic_ns() if self.page is None else self.time_ns() - self.origin

    def monotonic(self):
        return self.monotonic_ns() / 1e9

    def sleep(self, seconds):
        if self.api is None:
            return real_sleep(seconds)
        if seconds < 0:
            raise ValueError("sleep length must be non-negative")
        if os.getpid() != self.main:
            _await_parents(self.main)
        if threading.active_count() == 1:
            return self.api.sleep(float(seconds))
        return self.wait(real_sleep, seconds)

    def wait(self, ready, seconds):
        """Until ``ready(real seconds to wait)`` is true, at most for ``seconds`` of the cloud's time.

        Value: what ``ready`` gave last.
        """
        end = self.time_ns() - int(-seconds * 1e9 // 1)  # rounded up: who waits for less spins
        me = threading.get_native_id()
        self.settling[me] = end
        try:
            while True:
                if found := self._settle(ready, end):
                    return found
                if not self._left(end):
                    return ready(0)
                # When another thread has been woken time stands still, until someone waits anew.
                began, found = self._page(), False
                nap = self.api.nap(began, end)
                self.asleep[me] = began, end
                del self.settling[me]
                try:
                    while not (found or nap.over()) and self._page() == began:
                        found = ready(POLL_SECONDS)
                finally:
                    self.settling[me] = 0 if found else end  # 0: nobody else may let time pass
                    del self.asleep[me]
                    nap.end()
                if found:
                    return found
        finally:
            self.settling.pop(me, None)

    def _page(self):
        """The cloud's time (ns) as it was last written; reading it costs nothing."""
        return PAGE.unpack(self.page[:])[0]

    def _left(self, end):
        return max(0, end - self.time_ns()) / 1e9

    def _waking(self):
        """Is a thread about to find out that time has moved since it fell asleep?"""
        now = self._page()
        return any(began != now or end <= now for began, end in list(self.asleep.values()))

    def _settle(self, ready, end):
        """Wait until time may pass: nobody else computes, and nobody's wait ends earlier.

        Only as long as it would really take, and for some seconds of others' work at the most.
        Their work counts by the CPU time it gets, and what child processes wait for as it passes:
        so a machine that is busy or stalls makes no difference. Value: what ``ready`` gave last.
        """
        patience = min(self._left(end), SETTLE_SECONDS)
        latest = real_monotonic() + STARVED_SECONDS
        found, before, looked = ready(GRACE_SECONDS), _look(self), real_monotonic()
        while LINUX and not found and patience > 0 and real_monotonic() < latest:
            found = ready(2 * POLL_SECONDS)
            # In this order: who goes over to the other list is seen in one of them, and who has
            # left both is seen at work by the next look.
            waking = self._waking()
            first = end <= min(list(self.settling.values()))
            after, now = _look(self), real_monotonic()
            grown = max(0, after.used - before.used) / 1e9
            if first and not waking:
                if not (after.computing or after.children or grown):
                    break
                waited = min(now - looked, LOOK_SECONDS)
                patience -= grown if after.computing or grown else waited
            before, looked = after, now
        return found


clock = CloudClock()


def _await_parents(main):
    """In a forked process: time may pass when the one it was forked from, and the runtime, wait.

    When the runtime has ended all else is about to be killed: then there is nothing to wait for.
    """
    latest = real_monotonic() + SETTLE_SECONDS
    real_sleep(GRACE_SECONDS)
    while LINUX and real_monotonic() < latest:
        try:
            states = [_read(f"/proc/{pid}/stat").rsplit(")", 1)[1].split()[0]
                      for pid in (main, os.getppid())]
        except (OSError, IndexError):
            states = ["Z"]
        if states[0] in "ZX":
            real_sleep(SETTLE_SECONDS)
            latest = real_monotonic() + SETTLE_SECONDS
        elif states[1] not in "RD" and states[0] not in "RD":
            return
        real_sleep(POLL_SECONDS)


class _Look:
    """At the threads that don't wait, and at the processes that this one has started.

    ``used``: CPU time (ns). ``computing``: does one compute, or would if it had a processor?
    ``children``: is a process alive that was started here?
    """

    def __init__(self, used=0, computing=False, children=False):
        self.used, self.computing, self.children = used, computing, children


def _look(clock):
    look, main = _Look(), os.getpid()
    if threading.active_count() > MANY_THREADS:
        return look
    queue = [main]
    while queue:
        pid = queue.pop()
        try:
            for task in real_listdir(f"/proc/{pid}/task"):
                folder = f"/proc/{pid}/task/{task}"
                queue += _read(f"{folder}/children").split()
                if int(task) not in clock.settling and int(task) not in clock.asleep:
                    look.used += int(_read(f"{folder}/schedstat").split()[0])
                    state = _read(f"{folder}/stat").rsplit(")", 1)[1].split()[0]
                    look.computing |= state in "RD"
                    look.children |= pid != main and state not in "ZX"
        except (OSError, IndexError):
            look.computing = True  # one has just ended: look again
    return look


def _read(path):
    with real_open(path) as file:
        return file.read()


def _patch_time():
    def at(seconds):
        return clock.time() if seconds is None else seconds

    def strftime(format, t=None):
        return real_strftime(format, real_localtime(clock.time()) if t is None else t)

    time.time, time.time_ns = clock.time, clock.time_ns
    time.monotonic = time.perf_counter = clock.monotonic
    time.monotonic_ns = time.perf_counter_ns = clock.monotonic_ns
    time.sleep = clock.sleep
    time.gmtime = lambda seconds=None: real_gmtime(at(seconds))
    time.localtime = lambda seconds=None: real_localtime(at(seconds))
    time.ctime = lambda seconds=None: time.asctime(real_localtime(at(seconds)))
    time.strftime = strftime


def _patch_threading():
    def wait(self, timeout=None):
        if timeout is None or timeout <= 0 or clock.api is None:
            return real_wait(self, timeout)
        # As the standard library's own, but for how it waits.
        if not self._is_owned():
            raise RuntimeError("cannot wait on un-acquired lock")
        waiter = threading._allocate_lock()
        waiter.acquire()
        self._waiters.append(waiter)
        state = self._release_save()
        notified = False
        try:
            notified = clock.wait(lambda real: waiter.acquire(True, real), timeout)
            return bool(notified)
        finally:
            self._acquire_restore(state)
            if not notified and waiter in self._waiters:
                self._waiters.remove(waiter)

    def join(self, timeout=None):
        if timeout is None or timeout <= 0 or clock.api is None:
            return real_join(self, timeout)

        def ended(real):
            real_join(self, real)
            return not self.is_alive()

        clock.wait(ended, timeout)

    threading.Condition.wait = wait
    threading.Thread.join = join
    threading._time = clock.monotonic  # bound before this module could patch time


def _patch_selectors(selectors):
    for name in ("SelectSelector", "PollSelector", "EpollSelector", "KqueueSelector"):
        if name in vars(selectors):
            _patch_selector(vars(selectors)[name])


def _patch_selector(kind):
    real_select = kind.select

    def select(self, timeout=None):
        if timeout is None or timeout <= 0 or clock.api is None:
            return real_select(self, timeout)
        return clock.wait(lambda real: real_select(self, real), timeout) or []

    kind.select = select


def _patch_datetime(datetime):
    """Put subclasses into the module that know what time it is here, as freezegun does.

    Objects that C code makes are of the real classes: they count as instances of ours, and are
    pickled as ours.
    """
    import copyreg

    real_date, real_datetime = datetime.date, datetime.datetime

    class OfReal(type):
        def __instancecheck__(cls, item):
            return isinstance(item, real[cls]) if cls in real else type.__instancecheck__(cls, item)

        def __subclasscheck__(cls, kind):
            return issubclass(kind, real[cls]) if cls in real else type.__subclasscheck__(cls, kind)

    def of_module(self, shown):
        return f"datetime.{shown}" if type(self) in real else shown

    class date(real_date, metaclass=OfReal):
        __module__, __qualname__ = "datetime", "date"
        __slots__ = ()

        @classmethod
        def today(cls):
            return cls.fromtimestamp(clock.time())

        def __repr__(self):
            return of_module(self, super().__repr__())

    class datetime_(real_datetime, metaclass=OfReal):
        __module__, __qualname__ = "datetime", "datetime"
        __slots__ = ()

        @classmethod
        def now(cls, tz=None):
            return cls.fromtimestamp(clock.time(), tz)

        @classmethod
        def today(cls):
            return cls.fromtimestamp(clock.time())

        @classmethod
        def utcnow(cls):
            return cls.fromtimestamp(clock.time(), datetime.timezone.utc).replace(tzinfo=None)

        def date(self):
            return date(self.year, self.month, self.day)

        def __repr__(self):
            return of_module(self, super().__repr__())

    datetime_.__name__ = "datetime"
    real = {date: real_date, datetime_: real_datetime}
    for ours, theirs in real.items():
        ours.min, ours.max = (
            ours(*(getattr(limit, part) for part in _PARTS if hasattr(limit, part)))
            for limit in (theirs.min, theirs.max))
        copyreg.pickle(theirs, lambda item, ours=ours: (ours, item.__reduce__()[1]))
    datetime.date, datetime.datetime = date, datetime_


_PARTS = ("year", "month", "day", "hour", "minute", "second", "microsecond")
_LATER = {"datetime": _patch_datetime, "selectors": _patch_selectors}


class _OnImport:
    """Patches a module when it is imported: importing it only for that would cost a cold start."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        patch = _LATER.get(name)
        spec = PathFinder.find_spec(name, path) if patch else None
        if spec is not None:
            execute = spec.loader.exec_module

            def exec_module(module):
                execute(module)
                patch(module)

            spec.loader.exec_module = exec_module
        return spec


def install():
    """Let this process's Python read :data:`clock`; before anything binds the real functions."""
    _patch_time()
    _patch_threading()
    for waiting in (clock.settling, clock.asleep):  # a child of fork has none of the other threads
        os.register_at_fork(after_in_child=waiting.clear)
    sys.meta_path.insert(0, _OnImport)
    for name, patch in _LATER.items():
        if name in sys.modules:
            patch(sys.modules[name])
