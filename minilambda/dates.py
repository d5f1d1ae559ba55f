"""What instants of a clock are called: seconds since its start, dates, timestamps.

Stands for nothing of AWS's but how the Lambda API prints an instant.
"""

from __future__ import annotations

from datetime import datetime, timedelta


class Dates:
    """A clock's instants. ``start`` is aware; ``seconds`` have passed since."""

    start: datetime
    seconds: float

    @property
    def now(self) -> datetime:
        """The present instant on this clock (aware, UTC)."""
        return self.at(self.seconds)

    def at(self, seconds: float) -> datetime:
        """The instant ``seconds`` after the start."""
        return self.start + timedelta(seconds=seconds)

    def timestamp(self) -> float:
        """Seconds since 1970 on this clock, as ``time.time`` would say."""
        return self.start.timestamp() + self.seconds

    def api_date(self) -> str:
        """The present instant as the Lambda API prints it: ``2020-03-02T09:00:00.000+0000``."""
        now = self.now
        return f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03d}+0000"

    def timestamp_ns(self) -> int:
        """Nanoseconds since 1970, exact to the microsecond at least (a float of seconds isn't)."""
        return round(self.start.timestamp() * 1e6) * 1000 + round(self.seconds * 1e9)
