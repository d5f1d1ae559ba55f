"""The shared bytes that hold the cloud's time, which an environment reads (see ``cloud_time``).

Stands for nothing of AWS's: there a function's clock is the machine's.
"""

from __future__ import annotations

import mmap
import os
import tempfile
import time

from .cloud_time import PAGE


class ClockPage:
    """Handed to the environment as a file descriptor; forks are known by its name.

    Args:
        name: the environment's.
    """

    def __init__(self, name: str) -> None:
        if hasattr(os, "memfd_create"):
            self.descriptor = os.memfd_create(name)
        else:
            with tempfile.TemporaryFile() as file:
                self.descriptor = os.dup(file.fileno())
        os.truncate(self.descriptor, PAGE.size)
        self._bytes = mmap.mmap(self.descriptor, PAGE.size)

    def write(self, timestamp_ns: int, rate: float) -> None:
        """It is ``timestamp_ns`` (since 1970) now, and time goes on ``rate`` times as fast."""
        self._bytes[:] = PAGE.pack(timestamp_ns, time.monotonic_ns(), rate)

    def close(self) -> None:
        self._bytes.close()
        os.close(self.descriptor)
