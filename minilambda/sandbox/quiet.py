"""Is an environment one process with one thread, which waits and can't but wait? The kernel says.

Then it needn't be stopped at once when it counts as frozen: none of its code can run before the next
event comes. It is measured here too, which saves asking the supervisor. Linux only.
"""

from __future__ import annotations

import contextlib
import os
import time

PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
SHARED_KB = 4096  # as in ``tree``, which runs where it can't be imported from here
# Of /proc/<pid>/stat, counted from behind the program's name.
MINOR_FAULTS, MAJOR_FAULTS, CHILDREN_USER, CHILDREN_SYSTEM, THREADS, RESIDENT, CAUGHT = (
    7, 9, 13, 14, 17, 21, 31)


class Quiet:
    """Args:
        pid: of the environment's main process.
        base_kb: memory that doesn't count.
        cpu: seconds of CPU that count besides the process's own.
    """

    def __init__(self, pid: int, base_kb: int, cpu: float) -> None:
        self.pid, self.base_kb, self.cpu = pid, base_kb, cpu
        self._files: list[int] = []
        self._faults: tuple[int, int] | None = None
        self._peak_kb = self._mapped_peak_kb = 0
        with contextlib.suppress(OSError):
            for name in ("stat", f"task/{pid}/children", "status"):
                self._files.append(os.open(f"/proc/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC))
        stat = self._stat() if len(self._files) == 3 else []
        self._handlers = stat[CAUGHT] if len(stat) > CAUGHT else b"?"
        self._mapped_kb = self._memory_kb()[1] if len(self._files) == 3 else 0

    def measure(self) -> tuple[float, float] | None:
        """Most memory so far (MB) and CPU time (s); None: it isn't quiet, or there is no telling.

        Not quiet are: a second thread, a child (alive, or that has ever computed), and a signal's
        handler, which a timer may call at any time. (``tree`` counts memory in the same way. Much
        that can be shared must be looked at closely, which is done there.)
        """
        if len(self._files) != 3:
            return None
        try:
            stat = self._stat()
            if (stat[THREADS] != b"1" or stat[CHILDREN_USER] != b"0"
                    or stat[CHILDREN_SYSTEM] != b"0" or stat[CAUGHT] != self._handlers
                    or os.pread(self._files[1], 16, 0)):
                return None
            faults = int(stat[MINOR_FAULTS]), int(stat[MAJOR_FAULTS])
            if faults != self._faults:  # else it has no page that it hadn't before
                high_water, mapped, shared = self._memory_kb()
                if shared >= SHARED_KB:
                    return None
                self._mapped_peak_kb = max(self._mapped_peak_kb, mapped)
                self._faults = faults
                self._peak_kb = max(
                    int(stat[RESIDENT]) * PAGE_KB - max(mapped - self._mapped_kb, 0),
                    high_water - max(self._mapped_peak_kb - self._mapped_kb, 0))
            return ((self._peak_kb - self.base_kb) / 1024,
                    time.clock_gettime((~self.pid << 3) | 2) + self.cpu)
        except (OSError, IndexError, ValueError):
            return None

    def close(self) -> None:
        for file in self._files:
            os.close(file)
        self._files.clear()

    def _stat(self) -> list[bytes]:
        with contextlib.suppress(OSError):
            return os.pread(self._files[0], 4096, 0).rpartition(b")")[2].split()
        return []

    def _memory_kb(self) -> tuple[int, int, int]:
        """The most that was ever resident; of mapped files; in memory that can be shared."""
        text = os.pread(self._files[2], 8192, 0)
        return (self._figure(text, b"VmHWM:"), self._figure(text, b"RssFile:"),
                self._figure(text, b"RssShmem:"))

    @staticmethod
    def _figure(text: bytes, name: bytes) -> int:
        return int((text.partition(name)[2].split(None, 1) or [b"0"])[0])
