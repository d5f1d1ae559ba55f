"""What the kernel says of processes: trees, memory, CPU time. Standard library only.

Linux is read from /proc; elsewhere psutil is asked, if the interpreter at hand has it.
"""

import os
import sys
import time

PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
TICKS = os.sysconf("SC_CLK_TCK")
MANY_THREADS = 64  # of more only some are looked at


def table():
    """The way to ask on this system."""
    return Proc() if sys.platform.startswith("linux") else PsutilProc()


class Proc:
    """Linux's /proc."""

    @staticmethod
    def children(pid):
        try:
            found = []
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/children", "rb") as file:
                    found += [int(child) for child in file.read().split()]
            return found
        except OSError:
            return []

    @classmethod
    def tree(cls, pid):
        """``pid`` and all that descends from it."""
        found, queue = [], [pid]
        while queue:
            current = queue.pop()
            found.append(current)
            queue += cls.children(current)
        return found

    @staticmethod
    def resident_kb(pid):
        try:
            with open(f"/proc/{pid}/statm", "rb") as file:
                return int(file.read().split()[1]) * PAGE_KB
        except (OSError, IndexError):
            return 0

    @staticmethod
    def peak_kb(pid):
        try:
            with open(f"/proc/{pid}/status", "rb") as file:
                for line in file:
                    if line.startswith(b"VmHWM:"):
                        return int(line.split()[1])
        except OSError:
            pass
        return 0

    @staticmethod
    def cpu_seconds(pid):
        """CPU time of all its threads, those that have ended too, in seconds."""
        try:
            return time.clock_gettime((~pid << 3) | 2)  # as clock_getcpuclockid makes it
        except OSError:
            return 0.0

    @staticmethod
    def cpu_of_ended_children(pid):
        """CPU time of the processes that it started and whose end it has waited for."""
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                fields = file.read().rsplit(b")", 1)[1].split()
            return (int(fields[13]) + int(fields[14])) / TICKS
        except (OSError, IndexError):
            return 0.0

    @staticmethod
    def thread_count(pid):
        try:
            return os.stat(f"/proc/{pid}/task").st_nlink - 2
        except OSError:
            return 0

    @staticmethod
    def threads(pid):
        """Thread -> (seconds of CPU so far, does it run or want to?)."""
        found = {}
        try:
            for task in os.listdir(f"/proc/{pid}/task")[:MANY_THREADS]:
                with open(f"/proc/{pid}/task/{task}/stat", "rb") as file:
                    state = file.read().rsplit(b")", 1)[1].split()[0]
                with open(f"/proc/{pid}/task/{task}/schedstat", "rb") as file:
                    found[task] = int(file.read().split()[0]) / 1e9, state == b"R"
        except (OSError, IndexError):
            pass  # one has just ended
        return found

    @staticmethod
    def environ_has(pid, marker):
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                return marker in file.read()
        except OSError:
            return False


class PsutilProc:
    """The same questions for systems without /proc."""

    def __init__(self):
        import psutil  # only where it is needed: the sandbox itself is standard library only

        self.psutil = psutil

    def _ask(self, pid, question, default):
        try:
            return question(self.psutil.Process(pid))
        except self.psutil.Error:
            return default

    def children(self, pid):
        return self._ask(pid, lambda p: [c.pid for c in p.children()], [])

    def tree(self, pid):
        return [pid, *self._ask(pid, lambda p: [c.pid for c in p.children(recursive=True)], [])]

    def resident_kb(self, pid):
        return self._ask(pid, lambda p: p.memory_info().rss // 1024, 0)

    peak_kb = resident_kb

    def cpu_seconds(self, pid):
        return self._ask(pid, lambda p: sum(p.cpu_times()[:2]), 0.0)

    def cpu_of_ended_children(self, pid):
        return self._ask(pid, lambda p: sum(p.cpu_times()[2:4]), 0.0)

    def thread_count(self, pid):
        return 1  # it isn't told who wants to run: several count as if one after the other

    def threads(self, pid):
        return {}

    def environ_has(self, pid, marker):
        return False
