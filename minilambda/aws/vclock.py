"""moto reads our clock.

Stands for: the one time that all of AWS shares.
Leaves out: modules that import ``time`` or ``datetime`` inside a function (they get the real ones),
and long polling, which waits for moto's clock to move.

In the namespaces of ``moto.*`` modules, and nowhere else, the names bound to the standard library's
``time`` and ``datetime`` (modules, classes or functions) are bound to stand-ins. Modules that moto
loads later are treated as they are loaded. Nothing outside moto ever sees the other time.
"""

from __future__ import annotations

import datetime as real_datetime
import importlib.abc
import importlib.machinery
import sys
import time as real_time
from collections.abc import Callable, Mapping
from datetime import UTC
from types import ModuleType
from typing import Any, Protocol


class Now(Protocol):
    """The part of :class:`minilambda.clock.Clock` that is read here."""

    @property
    def now(self) -> real_datetime.datetime: ...

    def timestamp(self) -> float: ...


class VirtualClock(importlib.abc.MetaPathFinder):
    """Binds moto to ``clock`` between :meth:`start` and :meth:`stop`."""

    def __init__(self, clock: Now, when_loaded: Mapping[str, Callable[[], None]] | None = None
                 ) -> None:
        self._stand_ins, self._when_loaded = _stand_ins(clock), dict(when_loaded or {})
        self._bound: list[tuple[ModuleType, str, Any]] = []
        self._running = False

    def start(self) -> None:
        self._running = True
        sys.meta_path.insert(0, self)
        for name, module in list(sys.modules.items()):
            if _is_moto(name) and module is not None:
                self.bind(module)
        for name in [name for name in self._when_loaded if name in sys.modules]:
            self.loaded(name)

    def stop(self) -> None:
        """Every name back to what it was."""
        self._running = False
        if self in sys.meta_path:
            sys.meta_path.remove(self)
        while self._bound:
            module, name, value = self._bound.pop()
            setattr(module, name, value)

    def bind(self, module: ModuleType) -> None:
        """Rebind a module's own names for the time, whatever it calls them."""
        for name, value in list(vars(module).items()):
            try:
                stand_in = self._stand_ins.get(value)
            except TypeError:  # not hashable, so not one of ours
                continue
            if stand_in is not None:
                self._bound.append((module, name, value))
                setattr(module, name, stand_in)

    def loaded(self, name: str) -> None:
        """A module is there now: do what was to be done then, once."""
        action = self._when_loaded.pop(name, None)
        if action is not None:
            action()

    def find_spec(self, fullname: str, path: Any = None,
                  target: Any = None) -> importlib.machinery.ModuleSpec | None:
        if not _is_moto(fullname):
            return None
        for finder in sys.meta_path:
            spec = None if finder is self else finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    spec.loader = _BindingLoader(spec.loader, self)
                return spec
        return None


class _BindingLoader(importlib.abc.Loader):
    """Loads as ``loader`` does, then binds the module to the clock."""

    def __init__(self, loader: Any, clock: VirtualClock) -> None:
        self._loader, self._clock = loader, clock

    def create_module(self, spec: Any) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        if self._clock._running:
            self._clock.bind(module)
            self._clock.loaded(module.__name__)

    def __getattr__(self, name: str) -> Any:  # get_resource_reader, get_data, is_package…
        return getattr(self._loader, name)


def _is_moto(name: str) -> bool:
    return name == "moto" or name.startswith("moto.")


def _stand_ins(clock: Now) -> dict[Any, Any]:
    """The standard library's things by which time is read -> ours."""

    class DateTimeType(type(real_datetime.datetime)):
        # Real datetimes must pass as instances: every datetime that anyone holds is a real one.
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, real_datetime.datetime)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, real_datetime.datetime)

    class DateTime(real_datetime.datetime, metaclass=DateTimeType):
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return real_datetime.datetime(*args, **kwargs)

        @classmethod
        def now(cls, tz: Any = None) -> real_datetime.datetime:
            # moto runs "in the cloud", where local time is UTC.
            return clock.now.astimezone(tz) if tz else clock.now.replace(tzinfo=None)

        @classmethod
        def utcnow(cls) -> real_datetime.datetime:
            return clock.now.replace(tzinfo=None)

        today = utcnow

    class DateType(type(real_datetime.date)):
        def __instancecheck__(cls, instance: Any) -> bool:
            return isinstance(instance, real_datetime.date)

        def __subclasscheck__(cls, subclass: type) -> bool:
            return issubclass(subclass, real_datetime.date)

    class Date(real_datetime.date, metaclass=DateType):
        def __new__(cls, *args: Any, **kwargs: Any) -> Any:
            return real_datetime.date(*args, **kwargs)

        @classmethod
        def today(cls) -> real_datetime.date:
            return clock.now.astimezone(UTC).date()

    def broken_down(seconds: float | None = None) -> real_time.struct_time:
        return real_time.gmtime(clock.timestamp() if seconds is None else seconds)

    time = _copy(
        real_time,
        time=clock.timestamp,
        time_ns=lambda: int(clock.timestamp() * 1_000_000_000),
        gmtime=broken_down,
        localtime=broken_down,
        strftime=lambda form, t=None: real_time.strftime(form, t or broken_down()),
        ctime=lambda seconds=None: real_time.asctime(broken_down(seconds)),
        asctime=lambda t=None: real_time.asctime(t or broken_down()),
    )
    datetime = _copy(real_datetime, datetime=DateTime, date=Date)
    stand_ins = {real_time: time, real_datetime: datetime,
                 real_datetime.datetime: DateTime, real_datetime.date: Date}
    for name in ("time", "time_ns", "gmtime", "localtime", "strftime", "ctime", "asctime"):
        stand_ins[getattr(real_time, name)] = getattr(time, name)
    return stand_ins


def _copy(module: ModuleType, **changes: Any) -> ModuleType:
    copy = ModuleType(module.__name__, module.__doc__)
    copy.__dict__.update(vars(module), **changes)
    return copy
