"""What the kernel says of processes: trees, memory, CPU time. Standard library only.

Linux is read from /proc; elsewhere psutil is asked, if the interpreter at hand has it.
"""

import os
import sys
import time

PAGE_KB = os.sysconf("SC_PAGE_SIZE") // 1024
# What the kernel calls mappings that are memory, shared among processes, and no file.
NOT_FILES = (b"/dev/zero", b"/memfd:", b"/SYSV")
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
    def mapped_kb(pid):
        """What of the resident memory are mapped files, and what is in memory that can be shared.

        The latter may be files as well: those of a file system in memory.
        """
        try:
            with open(f"/proc/{pid}/status", "rb") as file:
                text = file.read()
            return [int((text.partition(name)[2].split(None, 1) or [b"0"])[0])
                    for name in (b"RssFile:", b"RssShmem:")]
        except (OSError, ValueError):
            return [0, 0]

    @staticmethod
    def tasks(pid):
        """How many threads it has."""
        try:
            return len(os.listdir(f"/proc/{pid}/task"))
        except OSError:
            return 0

    @staticmethod
    def charged_kb(pid):
        """Memory that only its end gives back, a page that several processes share split among them.

        Without the pages of mapped files, which the kernel can drop and read again.
        """
        charged, shared, backed = 0, False, False
        sizes = {}

        def mapping():
            if not shared:
                part = sizes.get(b"Anonymous:", 0) / max(sizes.get(b"Rss:", 0), 1)
                return sizes.get(b"Pss:", 0) * part
            return 0 if backed else sizes.get(b"Pss:", 0)

        try:
            with open(f"/proc/{pid}/smaps", "rb") as file:
                for line in file:
                    words = line.split(None, 5)
                    if words[0] in (b"Rss:", b"Pss:", b"Anonymous:"):
                        sizes[words[0]] = int(words[1])
                    elif not words[0].endswith(b":"):  # the first line of a mapping
                        charged += mapping()
                        sizes.clear()
                        shared = words[1].endswith(b"s")
                        backed = len(words) > 5 and not words[5].startswith(NOT_FILES)
        except (OSError, ValueError, IndexError):
            pass
        return round(charged + mapping())

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
                    found[task] = int(file.read().split()[0]) / 1e9, state in b"RD"
        except (OSError, IndexError):
            pass  # one has just ended
        return found

    @staticmethod
    def runnable(pid):
        """Does any of its threads compute, wait for a processor, or for a page from the disk?"""
        try:
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/stat", "rb") as file:
                    if file.read().rsplit(b")", 1)[1].split()[0] in b"RD":
                        return True
        except OSError:
            return os.path.exists(f"/proc/{pid}")  # a thread has just ended: look again
        return False

    @staticmethod
    def belongs(pid, mark):
        """Whether it is of the environment with that mark.

        A program has it among its variables. A fork still has those of the process that forks
        environments; but it has mapped the clock's page, which is named so too.
        """
        for file, before in (("environ", b"MINILAMBDA_ENVIRONMENT="), ("maps", b"/memfd:")):
            try:
                with open(f"/proc/{pid}/{file}", "rb") as text:
                    if before + mark.encode() in text.read():
                        return True
            except OSError:
                pass
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

    def mapped_kb(self, pid):
        return [0, 0]

    charged_kb = resident_kb

    def tasks(self, pid):
        return self._ask(pid, lambda p: p.num_threads(), 0)

    def cpu_seconds(self, pid):
        return self._ask(pid, lambda p: sum(p.cpu_times()[:2]), 0.0)

    def cpu_of_ended_children(self, pid):
        return self._ask(pid, lambda p: sum(p.cpu_times()[2:4]), 0.0)

    def thread_count(self, pid):
        return 1  # it isn't told who wants to run: several count as if one after the other

    def threads(self, pid):
        return {}

    def runnable(self, pid):
        return False  # macOS calls every process running: its CPU time has to tell

    def belongs(self, pid, mark):
        return False
