"""One execution environment's process tree, as the supervisor keeps account of it. Standard library only.

Stands for nothing of AWS's. What there is to know of processes is asked of ``processes``.
"""

import time

import processes
from sharing import Sharing

# Looking closely at a tree's memory is slow: it may take a tenth of the time, up to this interval (s).
CLOSELY_AT_MOST = 0.1
MANY = 16  # nobody looks closely at more processes: a fork bomb's are a thousand meanwhile
SHARED_KB = 4096  # from here on it is worth to find out what of it are files
proc = processes.table()


class Child:
    """One execution environment's process tree."""

    def __init__(self, name, mark, pid, limit_kb, skip, shares, preloaded):
        self.name, self.mark, self.pid = name, mark, pid
        self.limit_kb, self.skip = limit_kb, skip
        self.preloaded = preloaded
        self.strays = set()  # descendants that were re-parented to the supervisor
        self.peak_kb = 0
        self.base_kb = 0  # what the runtime itself held before any of the function's code ran
        self.mapped_kb = 0  # and what of its memory were files: they count, later ones don't
        self.mapped_peak_kb = 0
        self.close = (0, 0, 0.0)  # the last close look: what it found, the plain sum, the next one
        self.frozen = False
        self.killed_for = None
        self.sharing = Sharing() if shares else None
        self.clocks, self.ended_cpu, self.cpu = {}, 0.0, 0.0

    def pids(self):
        """The tree without the sandbox's own wrapper processes."""
        found = proc.tree(self.pid)[self.skip:]
        for stray in list(self.strays):
            found += proc.tree(stray)
        return found

    def used_kb(self, pids, plain, closely=False):
        """Memory that counts, in KB; ``plain`` is the resident size of ``pids``, the whole tree.

        The plain sum counts a page once for each process that a fork left it with, and files that
        are mapped. A handler that is honest must not be killed for either.
        """
        mapped, shared = proc.mapped_kb(pids[0])
        self.mapped_peak_kb = max(self.mapped_peak_kb, mapped + shared)
        if len(pids) > MANY:
            return plain
        if len(pids) == 1 and shared < SHARED_KB:
            return plain - max(mapped - self.mapped_kb, 0)
        now = time.monotonic()
        found, plain_then, due = self.close
        if closely or now >= due or found + max(plain - plain_then, 0) > self.limit_kb + self.base_kb:
            found = min(plain, self.mapped_kb + self.charged_kb(pids))
            took = time.monotonic() - now
            self.close = (found, plain, now + took + min(10 * took, CLOSELY_AT_MOST))
        return found

    def charged_kb(self, pids):
        """What the processes have, together.

        They are read one after the other, while pages pass from one's share to another's: as a fork
        touches them, as one ends. What was read in the one order may count a page twice, and never
        in the other. An honest handler isn't killed for that, so a new peak is read in both.
        """
        found = sum(map(proc.charged_kb, pids))
        if self.mapped_kb + found - self.base_kb > self.peak_kb:
            found = min(found, sum(map(proc.charged_kb, reversed(pids))))
        return found

    def busy(self):
        """Does anything run or want to, the sandbox's own processes included?"""
        pids = [pid for top in (self.pid, *self.strays) for pid in proc.tree(top)]
        return any(map(proc.runnable, pids))

    def look(self, pids):
        """See who computes: as often as can be, where CPU time is to be charged."""
        if not self.sharing or not pids:
            return
        if len(pids) > 1 or self.clocks:
            self.read_clocks(pids)
        if len(pids) > 1 or self.sharing.place or proc.thread_count(pids[0]) > 1:
            self.sharing.look({thread: seen for pid in pids
                               for thread, seen in proc.threads(pid).items()})

    def read_clocks(self, pids):
        clocks = {pid: proc.cpu_seconds(pid) for pid in pids}
        self.ended_cpu += sum(cpu for pid, cpu in self.clocks.items() if not clocks.get(pid))
        self.clocks = {pid: cpu for pid, cpu in clocks.items() if cpu}

    def cpu_time(self, at_least=0.0):
        """CPU time of the whole tree so far, by how many threads had it at once."""
        pids = self.pids()
        self.look(pids)
        self.read_clocks(pids)
        living = sum(self.clocks.values())
        if not self.sharing:  # nobody is charged
            self.cpu = max(self.cpu, at_least, living + self.ended_cpu)
            return [self.cpu + self.preloaded.cpu]
        # Of a child that lived between two looks only who waited for it can tell.
        waited_for = sum(proc.cpu_of_ended_children(pid) for pid in pids)
        self.cpu = max(self.cpu, at_least, living + self.ended_cpu, living + waited_for)
        shared = self.sharing.by_number()
        alone = self.cpu - sum(shared[1:])
        return [max(alone, 0.0) + self.preloaded.cpu, *shared[1:]]
