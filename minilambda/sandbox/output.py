"""What a function writes, cut into the lines its log gets.

Stands for: the way standard output and error reach CloudWatch Logs. AWS page: *Log and monitor
Python Lambda functions*. A line longer than a log event may be is cut; what one invocation writes
past :data:`KEPT_BYTES` is counted and dropped (ours: AWS keeps it all, a teaching page shouldn't).
"""

from __future__ import annotations

import os

LINE_BYTES = 262_118  # a log event's 256 KB less its 26 bytes of overhead
KEPT_BYTES = 1 << 20


class OutputPipe:
    """The reading end of an environment's output. Reads never block.

    ``reader``: the end of a pipe that there is already.
    """

    def __init__(self, renames: tuple[tuple[bytes, bytes], ...] = (),
                 reader: int | None = None) -> None:
        self.reader, self.writer = os.pipe() if reader is None else (reader, -1)
        self.ended = False  # has every writer gone?
        os.set_blocking(self.reader, False)
        self._renames = renames  # real folders -> the names a function knows them by
        self._rest = b""
        self._kept = self._dropped = 0

    def fileno(self) -> int:
        return self.reader

    def new_invocation(self) -> None:
        self._kept = self._dropped = 0

    def drain(self, final: bool = False, limit: int = 64) -> tuple[str, ...]:
        """Complete lines written since the last call; with ``final`` the unfinished one too."""
        lines: list[bytes] = []
        for _ in range(1 << 12 if final else limit):
            try:
                data = os.read(self.reader, 1 << 16)
            except (BlockingIOError, OSError):
                break
            if not data:
                self.ended = True
                break
            room = KEPT_BYTES - self._kept
            self._kept += min(len(data), max(room, 0))
            self._dropped += max(len(data) - max(room, 0), 0)
            *whole, self._rest = (self._rest + data[:max(room, 0)]).split(b"\n")
            lines += whole
            while len(self._rest) > LINE_BYTES:
                lines.append(self._rest[:LINE_BYTES])
                self._rest = self._rest[LINE_BYTES:]
        if final:
            if self._rest:
                lines.append(self._rest)
                self._rest = b""
            if self._dropped:
                lines.append(b"[minilambda] %d more bytes of output were not kept (the log of one "
                             b"invocation holds %d)" % (self._dropped, KEPT_BYTES))
                self._dropped = 0
        return tuple(self._text(line) for line in lines if line)

    def rename(self, data: bytes) -> bytes:
        for real, logical in self._renames:
            data = data.replace(real, logical)
        return data

    def _text(self, line: bytes) -> str:
        return self.rename(line).decode("utf-8", "replace")

    def close_writer(self) -> None:
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def close(self) -> None:
        self.close_writer()
        if self.reader >= 0:
            os.close(self.reader)
            self.reader = -1
