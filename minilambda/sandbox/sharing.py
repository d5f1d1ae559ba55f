"""How many threads of an environment compute at once, by looking now and then. Standard library only.

On a machine of another size than AWS's, and a busy one, how long code took says nothing. What can be
told is how much CPU time each thread had and which of them wanted to run at the same moment. So the
CPU time of threads is laid out on one axis, as if each always had a processor of its own: threads
that were seen side by side lie side by side, also if this machine let one of them run first; threads
that waited for each other (a pool's results, Python's GIL) lie one after the other.

Stands for nothing of AWS's. Leaves out: what happens between two looks; threads that come and go
unseen there count as if one after the other.
"""


class Sharing:
    """One environment's threads. Times are seconds of CPU."""

    def __init__(self):
        self.seen = {}  # thread -> its CPU time at the last look
        self.place = {}  # thread that wanted to run then -> how far it has come on the axis
        self.end = 0.0  # how far the foremost has come
        self.edges = {}  # place on the axis -> by how much the number of threads there changes
        self.past = {}  # number of threads -> CPU time on the part of the axis that is done with

    def look(self, threads):
        """``threads``: thread -> (CPU time so far, does it run or want to?)."""
        fresh = {}
        for thread, (cpu, _) in threads.items():
            before = self.seen.get(thread, 0.0)
            fresh[thread] = cpu - before if cpu >= before else cpu  # else a new one of that name
        self.seen = {thread: cpu for thread, (cpu, _) in threads.items()}
        wanting = {thread for thread, (_, wants) in threads.items() if wants}
        place, self.place = self.place, {}
        for thread in place.keys() & fresh.keys():
            self._lay(thread, place[thread], fresh[thread], thread in wanting)
        for thread in fresh.keys() - place.keys() - wanting:
            self._lay(thread, self.end, fresh[thread], False)
        began = self.end
        for thread in wanting - place.keys():
            self._lay(thread, began, fresh[thread], True)
        self._finish(min(self.place.values(), default=self.end))

    def by_number(self):
        """CPU time by the number of threads that had it at once: the first figure is for one."""
        found = dict(self.past)
        for number, cpu in self._parts(self.end):
            found[number] = found.get(number, 0.0) + cpu
        return [found.get(number, 0.0) for number in range(1, max(found, default=0) + 1)]

    def _lay(self, thread, start, cpu, stays):
        end = start + cpu
        if cpu:
            self._edge(start, 1)
            self._edge(end, -1)
        self.end = max(self.end, end)
        if stays:
            self.place[thread] = end

    def _edge(self, at, change):
        change += self.edges.pop(at, 0)
        if change:
            self.edges[at] = change

    def _parts(self, until):
        """(number of threads, CPU time) for each part of the axis up to ``until``."""
        number, before = 0, None
        for at in sorted(self.edges) + [until]:
            at = min(at, until)
            if number:
                yield number, number * (at - before)
            number += self.edges.get(at, 0) if at < until else 0
            before = at

    def _finish(self, until):
        """Nothing more will be laid before ``until``: keep only the sums of that part."""
        number = 0
        for part, cpu in self._parts(until):
            self.past[part] = self.past.get(part, 0.0) + cpu
        for at in [at for at in self.edges if at < until]:
            number += self.edges.pop(at)
        if number:
            self._edge(until, number)
