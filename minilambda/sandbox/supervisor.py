"""The one process between the cloud and its execution environments; standard library only.

It is four things that have to live in one place, because only a parent process can be them:
the *zygote* (a warm Python from which environments are forked), the *reaper* (a subreaper, so that
a grandchild that double-forks still comes back to it), the *watchdog* (it measures the resident
memory of each environment's whole tree and kills what goes over), and the *warden* (freeze, thaw,
kill). When the cloud dies its end of the control socket closes, and everything here dies with it.

Control messages are JSON, one a line, over a Unix socket (file descriptor 3); descriptors travel
beside them. The one argument is the cloud's temporary folder, which is removed at the end.
Stands for: the worker's supervisor on AWS's side (nothing of it is public).
"""

import contextlib
import ctypes
import fcntl
import json
import os
import resource
import selectors
import shutil
import signal
import socket
import sys
import time

# Python is started without the script's own folder on its path; and a function's own modules may
# have these names.
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import cloud_time  # noqa: E402

cloud_time.install()  # here it still gives the machine's time
import bootstrap  # noqa: E402
import processes  # noqa: E402
import redirection  # noqa: E402
import sharing  # noqa: E402

sys.path.pop(0)
for name in ("bootstrap", "cloud_time", "processes", "redirection", "sharing"):
    del sys.modules[name]
import datetime  # noqa: E402, F401  # environments are forked with it

CONTROL_FD = 3
POLL_SECONDS = 0.002
LINUX = sys.platform.startswith("linux")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
proc = processes.table()
libc = ctypes.CDLL(None, use_errno=True)


class Child:
    """One execution environment's process tree."""

    def __init__(self, name, pid, limit_kb, skip, shares):
        self.name, self.pid, self.limit_kb, self.skip = name, pid, limit_kb, skip
        self.marker = b"MINILAMBDA_ENVIRONMENT=" + name.encode()
        self.strays = set()  # descendants that were re-parented to the supervisor
        self.peak_kb = 0
        self.base_kb = 0  # what the runtime itself held before any of the function's code ran
        self.frozen = False
        self.killed_for = None
        self.sharing = sharing.Sharing() if shares else None
        self.clocks, self.ended_cpu, self.cpu = {}, 0.0, 0.0

    def pids(self):
        """The tree without the sandbox's own wrapper processes."""
        found = proc.tree(self.pid)[self.skip:]
        for stray in list(self.strays):
            found += proc.tree(stray)
        return found

    def resident_kb(self):
        return sum(proc.resident_kb(pid) for pid in self.pids())

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
        # Of a child that lived between two looks only who waited for it can tell.
        waited_for = sum(proc.cpu_of_ended_children(pid) for pid in pids)
        self.cpu = max(self.cpu, at_least, living + self.ended_cpu, living + waited_for)
        shared = self.sharing.by_number() if self.sharing else []
        alone = self.cpu - sum(shared[1:])
        return [max(alone, 0.0), *shared[1:]]


class Supervisor:
    def __init__(self):
        self.control = socket.socket(fileno=CONTROL_FD)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.control, selectors.EVENT_READ, self.read_control)
        self.wake_r, wake_w = os.pipe()
        os.set_blocking(self.wake_r, False)
        os.set_blocking(wake_w, False)
        signal.set_wakeup_fd(wake_w)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.selector.register(self.wake_r, selectors.EVENT_READ, self.reap)
        self.wake_w = wake_w
        self.children = {}
        self.buffer, self.descriptors = b"", []

    # -- the control socket ---------------------------------------------------------------

    def send(self, **message):
        try:
            self.control.sendall(json.dumps(message).encode() + b"\n")
        except OSError:
            self.end()

    def read_control(self):
        try:
            data, descriptors, _, _ = socket.recv_fds(self.control, 1 << 16, 16)
        except OSError:
            data, descriptors = b"", []
        if not data:
            self.end()
        self.descriptors += descriptors
        self.buffer += data
        *lines, self.buffer = self.buffer.split(b"\n")
        for line in lines:
            message = json.loads(line)
            getattr(self, "do_" + message.pop("do"))(**message)

    # -- what the cloud may ask -------------------------------------------------------------

    def do_spawn(self, name, limit_kb, environment, descriptors, command=None, redirect=None,
                 skip=0, shares=False):
        """Start an environment: by exec of ``command``, or by fork if there is none."""
        held, self.descriptors = self.descriptors[:descriptors], self.descriptors[descriptors:]
        environment["MINILAMBDA_ENVIRONMENT"] = name
        pid = os.fork()
        if pid == 0:
            self.become(held, environment, command, redirect, limit_kb)
        for descriptor in held:
            os.close(descriptor)
        self.children[name] = Child(name, pid, limit_kb, skip, shares)
        self.send(event="spawned", name=name, pid=pid)

    def do_limit(self, name, base_model_kb):
        """The runtime has started: from now on memory counts as ``base_model_kb`` plus growth.

        With None it counts as what is resident.
        """
        child = self.children.get(name)
        if child and base_model_kb is not None:
            child.base_kb = child.resident_kb() - base_model_kb
        self.send(event="limited", name=name)

    def do_freeze(self, name):
        child = self.children.get(name)
        if child:
            child.frozen = True
            self.signal(child, signal.SIGSTOP)
            self.do_usage(name)

    def do_thaw(self, name):
        child = self.children.get(name)
        if child:
            child.frozen = False
            self.signal(child, signal.SIGCONT)

    def do_usage(self, name):
        child = self.children.get(name)
        if child:
            pids = child.pids()
            self.measure(child)
            self.send(event="usage", name=name, peak_kb=child.peak_kb, cpu=child.cpu_time())

    def do_kill(self, name, reason="killed"):
        child = self.children.get(name)
        if child:
            child.killed_for = child.killed_for or reason
            self.kill(child)

    # -- inside ----------------------------------------------------------------------------

    def become(self, held, environment, command, redirect, limit_kb):
        """In the forked child: drop everything of the supervisor's and turn into the runtime."""
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            if LINUX:
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            # held: output pipe, clock page, and (bubblewrap) the channel the doors come out by
            output, clock, *channel = held
            targets = {0: os.open(os.devnull, os.O_RDONLY), 1: output, 2: output, 4: clock}
            if channel:
                targets[3] = channel[0]
            moved = {to: fcntl.fcntl(source, fcntl.F_DUPFD, 64) for to, source in targets.items()}
            for target, source in moved.items():
                os.dup2(source, target)
            if not channel:
                os.close(3)
            os.closerange(5, 4096)
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
            files = 1024 if resource.getrlimit(resource.RLIMIT_NOFILE)[1] > 1024 else None
            if files:  # AWS page: Lambda quotas, file descriptors
                resource.setrlimit(resource.RLIMIT_NOFILE, (files, files))
            if LINUX:
                # Far above the limit: a runaway allocation ends before the machine does, but it
                # is the watchdog's kill, not this, that a function gets to see.
                far = (limit_kb * 4 + (64 << 20)) * 1024
                resource.setrlimit(resource.RLIMIT_AS, (far, far))
            os.umask(0o022)
            if command:
                if not channel:  # else bubblewrap's option does it
                    os.chdir(environment["LAMBDA_TASK_ROOT"])
                os.execve(command[0], command, environment)
            os.environ.clear()
            os.environ.update(environment)
            time.tzset()
            bootstrap.main(redirection.Redirection(**redirect))
        except SystemExit as stop:
            code = stop.code
            if code is not None and not isinstance(code, int):
                os.write(2, f"{code}\n".encode())
                code = 1
            os._exit((code or 0) & 0xFF)
        except BaseException as problem:
            os.write(2, f"{type(problem).__name__}: {problem}\n".encode())
        os._exit(1)

    def signal(self, child, number):
        for pid in child.pids():
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                pass

    def kill(self, child):
        """SIGKILL to the whole tree, again until nothing new has been forked meanwhile."""
        for _ in range(50):
            pids = proc.tree(child.pid) if child.name in self.children else []
            for stray in child.strays:
                pids += proc.tree(stray)
            alive = False
            for pid in reversed(pids):
                try:
                    os.kill(pid, signal.SIGKILL)
                    alive = alive or pid != child.pid
                except ProcessLookupError:
                    pass
            if not alive:
                return

    def measure(self, child):
        pids = child.pids()
        now = sum(proc.resident_kb(pid) for pid in pids)
        peak = max(now, proc.peak_kb(pids[0]) if pids else 0)
        child.peak_kb = max(child.peak_kb, now - child.base_kb, peak - child.base_kb)
        return max(now - child.base_kb, 0)

    def watch(self):
        """Kill every running environment whose tree is over its memory."""
        for child in list(self.children.values()):
            if not child.frozen and child.killed_for is None:
                pids = child.pids()
                child.look(pids)
                used = sum(map(proc.resident_kb, pids)) - child.base_kb
                child.peak_kb = max(child.peak_kb, used)
                if used > child.limit_kb:
                    child.killed_for = "memory"
                    self.kill(child)

    def adopt(self):
        """Find out whose the processes are that have come up to the supervisor as orphans."""
        mains = {child.pid: child for child in self.children.values()}
        known = {pid for child in self.children.values() for pid in child.strays}
        for pid in proc.children(os.getpid()) if LINUX else []:
            if pid in mains or pid in known:
                continue
            for child in self.children.values():
                if proc.environ_has(pid, child.marker) or self.session(pid) == child.pid:
                    child.strays.add(pid)
                    break
            else:
                try:
                    os.kill(pid, signal.SIGKILL)  # its environment is gone, so it goes too
                except ProcessLookupError:
                    pass

    @staticmethod
    def session(pid):
        try:
            return os.getsid(pid)
        except OSError:
            return None

    def reap(self):
        try:
            while os.read(self.wake_r, 4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status, usage = os.wait4(-1, os.WNOHANG)
            except ChildProcessError:
                break
            if pid == 0:
                break
            for child in list(self.children.values()):
                child.strays.discard(pid)
                if child.pid == pid:
                    self.buried(child, status, usage)
        self.adopt()

    def buried(self, child, status, usage):
        """The environment's main process has ended: so does everything it started."""
        self.adopt()
        del self.children[child.name]
        self.kill(child)
        code = os.waitstatus_to_exitcode(status)
        if code > 128 and child.skip:  # bubblewrap reports a signal as a shell does
            code = 128 - code
        self.send(event="exit", name=child.name, code=code, reason=child.killed_for,
                  peak_kb=child.peak_kb,
                  cpu=child.cpu_time(at_least=usage.ru_utime + usage.ru_stime))

    def end(self):
        for child in list(self.children.values()):
            self.kill(child)
        if LINUX:
            for _ in range(50):
                orphans = proc.children(os.getpid())
                if not orphans:
                    break
                for pid in orphans:
                    for member in proc.tree(pid):
                        try:
                            os.kill(member, signal.SIGKILL)
                        except ProcessLookupError:
                            pass
                try:
                    while os.waitpid(-1, 0)[0]:
                        pass
                except ChildProcessError:
                    break
        # If the cloud was killed nobody else is left to clear up.
        for parent, _, _ in os.walk(sys.argv[1]):
            with contextlib.suppress(OSError):  # the cloud may be clearing up too
                os.chmod(parent, 0o700)
        shutil.rmtree(sys.argv[1], ignore_errors=True)
        os._exit(0)

    def run(self):
        self.send(event="ready")
        swept = time.monotonic()
        while True:
            running = any(not child.frozen for child in self.children.values())
            for key, _ in self.selector.select(POLL_SECONDS if running else None):
                key.data()
            if running and time.monotonic() - swept >= POLL_SECONDS:
                self.watch()
                swept = time.monotonic()


if __name__ == "__main__":
    if LINUX:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a notebook is not for us
    Supervisor().run()
