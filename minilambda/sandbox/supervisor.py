"""The one process between the cloud and its execution environments; standard library only.

It is four things that have to live in one place, because only a parent process can be them:
the *zygote* (a warm Python from which environments are forked), the *reaper* (a subreaper, so that
a grandchild that double-forks still comes back to it), the *watchdog* (it measures the resident
memory of each environment's whole tree and kills what goes over), and the *warden* (freeze, thaw,
kill). When the cloud dies its end of the control socket closes, and everything here dies with it.

Control messages are JSON, one a line, over a Unix socket (file descriptor 3); descriptors travel
beside them. The first argument is the cloud's temporary folder, which is removed at the end. A second
names a folder and a module in it: the *zygote* imports that first, so that environments are forked
with it. It counts as theirs, as if each had imported it: its memory, and its CPU time.
Stands for: the worker's supervisor on AWS's side (nothing of it is public).
"""

import contextlib
import ctypes
import fcntl
import gc
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
import confinement  # noqa: E402
import delivery  # noqa: E402
import processes  # noqa: E402
import redirection  # noqa: E402
from preloaded import NOTHING, Preloaded  # noqa: E402
from tree import Child  # noqa: E402

sys.path.pop(0)
for name in ("api_connection", "bootstrap", "cloud_time", "confinement", "delivery", "preloaded",
             "processes", "redirection", "sharing", "tree"):
    del sys.modules[name]
import datetime  # noqa: E402, F401  # environments are forked with it

CONTROL_FD = 3
POLL_SECONDS = 0.002
TASKS = 1024  # AWS page: Lambda quotas, "Execution processes/threads"
LINUX = sys.platform.startswith("linux")
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36
proc = processes.table()
libc = ctypes.CDLL(None, use_errno=True)


class Supervisor:
    def __init__(self, preloaded):
        self.preloaded = preloaded
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
                 confine=None, skip=0, shares=False, own=()):
        """Start an environment: by exec of ``command``, or by fork if there is none.

        ``own``: the names of modules that the function brings.
        """
        held, self.descriptors = self.descriptors[:descriptors], self.descriptors[descriptors:]
        mark = f"{os.path.basename(sys.argv[1])}-{name}"  # as the cloud's own end of this has it
        environment["MINILAMBDA_ENVIRONMENT"] = mark
        preloaded = self.preloaded
        if redirect:
            fresh = redirect.pop("fresh")
            if not preloaded.names.isdisjoint(own):  # it must get its own, not what is here
                redirect["afresh"] = fresh
        if command or "afresh" in redirect:
            preloaded = NOTHING
        pid = os.fork()
        if pid == 0:
            self.become(held, environment, command, redirect, confine, limit_kb)
        for descriptor in held:
            os.close(descriptor)
        self.children[name] = Child(name, mark, pid, limit_kb, skip, shares, preloaded)
        self.send(event="spawned", name=name, pid=pid)

    def do_limit(self, name, base_model_kb):
        """The runtime has started: from now on memory counts as ``base_model_kb`` plus growth.

        With None it counts as what is resident.
        """
        child = self.children.get(name)
        pids = child.pids() if child else []
        if child:
            child.mapped_kb = sum(proc.mapped_kb(pid)[0] for pid in pids)
            if base_model_kb is not None:
                resident_kb = sum(map(proc.resident_kb, pids))
                child.base_kb = resident_kb - base_model_kb - child.preloaded.kb
        self.send(event="limited", name=name, pid=pids[0] if pids else None,
                  base_kb=child.base_kb if child else 0,
                  cpu=child.preloaded.cpu if child else 0.0)

    def do_freeze(self, name):
        child = self.children.get(name)
        if child:
            child.frozen = True
            self.adopt()
            self.signal(child, signal.SIGSTOP)
            self.do_usage(name)

    def do_stop(self, name):
        """Freeze what has been measured already."""
        child = self.children.get(name)
        if child:
            child.frozen = True
            self.adopt()
            self.signal(child, signal.SIGSTOP)

    def do_thaw(self, name):
        child = self.children.get(name)
        if child:
            child.frozen = False
            self.signal(child, signal.SIGCONT)

    def do_usage(self, name, states=False):
        child = self.children.get(name)
        if child:
            self.measure(child)
            self.send(event="usage", name=name, peak_kb=child.peak_kb, cpu=child.cpu_time(),
                      states=states, busy=states and child.busy())

    def do_kill(self, name, reason="killed"):
        child = self.children.get(name)
        if child:
            if child.killed_for is None:  # the last regular look may have been before its peak
                self.measure(child)
            child.killed_for = child.killed_for or reason
            self.kill(child)

    def do_signal_main(self, name, number):
        """A signal to the runtime's own process."""
        child = self.children.get(name)
        for pid in child.pids()[:1] if child else ():
            delivery.deliver(pid, number)

    # -- inside ----------------------------------------------------------------------------

    def become(self, held, environment, command, redirect, confine, limit_kb):
        """In the forked child: drop everything of the supervisor's and turn into the runtime."""
        try:
            os.setsid()
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            signal.signal(signal.SIGINT, signal.default_int_handler)  # an exec makes it the default
            if LINUX:
                libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if confine:
                confinement.confine(**confine)
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
        """SIGKILL to the whole tree, again until nothing new has been forked meanwhile.

        First to the whole process group, or the first process of a namespace, which the kernel does
        in one go: to walk the tree of a fork bomb takes longer than it takes to grow.
        """
        here = child.name in self.children  # else the first process is gone, not yet its group
        for end in (os.kill, os.killpg) if here else (os.killpg,):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                end(child.pid, signal.SIGKILL)
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
        if pids:
            plain = sum(map(proc.resident_kb, pids))
            used = child.used_kb(pids, plain, closely=True)
            # The kernel's high-water mark sees what was there between two looks of ours, files too.
            mark = proc.peak_kb(pids[0]) - max(child.mapped_peak_kb - child.mapped_kb, 0)
            child.peak_kb = max(child.peak_kb, used - child.base_kb, mark - child.base_kb)

    def watch(self):
        """Kill every running environment whose tree is over its memory, or too many to be."""
        self.adopt()
        for child in list(self.children.values()):
            if child.frozen or child.killed_for is not None:
                continue
            pids = child.pids()
            child.look(pids)
            plain = sum(map(proc.resident_kb, pids))
            used = child.used_kb(pids, plain) - child.base_kb if pids else 0
            child.peak_kb = max(child.peak_kb, used)
            if used > child.limit_kb:
                child.killed_for = "memory"
            elif sum(map(proc.tasks, pids)) > TASKS:
                child.killed_for = "tasks"  # where the kernel's own limit doesn't hold: see entry
            if child.killed_for:
                self.kill(child)

    def adopt(self):
        """Find out whose the processes are that have come up to the supervisor as orphans.

        Nobody tells: it is their own parent's end, and that was some other process's child.
        """
        mains = {child.pid: child for child in self.children.values()}
        known = {pid for child in self.children.values() for pid in child.strays}
        for pid in proc.children(os.getpid()) if LINUX else []:
            if pid in mains or pid in known:
                continue
            for child in self.children.values():
                if proc.belongs(pid, child.mark) or self.session(pid) == child.pid:
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
    confinement.prepare()
    loaded = Preloaded(*sys.argv[2:])
    gc.collect()
    gc.freeze()  # a collection in an environment would copy all pages it shares with this process
    Supervisor(loaded).run()
