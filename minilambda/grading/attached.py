"""The cloud as a submission sees it: somebody else's.

In a sandboxed kernel ``from minilambda import Cloud`` gives :class:`AttachedCloud`. It starts
nothing: boto3 already reaches the judge's cloud, and what isn't AWS (the clock) is asked of the
judge. There is no trace in it: checks read that, and they run elsewhere.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

# Asks the judge: ask(what, **details) -> its answer. Set by ``kernel`` before any cell runs.
ask: Callable[..., Any] | None = None


class AttachedCloud:
    """Stands in for :class:`minilambda.Cloud`. Its options are the judge's, whatever is passed."""

    def __init__(self, **options: Any) -> None:
        if ask is None:
            raise RuntimeError("there is no cloud to attach to: use minilambda.Cloud")

    @property
    def now(self) -> datetime:
        """The present instant on the cloud's clock (aware, UTC)."""
        return datetime.fromisoformat(ask("now"))

    def run(self, *, hours: float = 0, minutes: float = 0, seconds: float = 0) -> None:
        """Let time pass, and everything happen that falls due in it."""
        ask("run", seconds=float(hours * 3600 + minutes * 60 + seconds))

    def run_until_idle(self) -> None:
        """Let time pass until nothing is going on any more."""
        ask("run_until_idle")

    @contextlib.contextmanager
    def hold(self, callers: int) -> Iterator[None]:
        """Inside, invocations wait at the door until ``callers`` are there."""
        ask("hold", callers=callers)
        try:
            yield
        finally:
            ask("release")

    def close(self) -> None:
        """Nothing to do: the cloud is the judge's."""

    def __enter__(self) -> AttachedCloud:
        return self

    def __exit__(self, *exception: Any) -> None:
        pass

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"the cloud has no {name!r} while a lab is graded: answers use boto3, "
                             "cloud.now, cloud.run, cloud.run_until_idle and cloud.hold")

    def __repr__(self) -> str:
        return "<Cloud of the judge>"
