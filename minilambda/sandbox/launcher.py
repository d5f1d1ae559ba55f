"""The first program of an environment with extensions: it starts them, and the runtime when told to.

It stays, as the parent of them all, and says which of them has ended, and how. Orders come and
reports go as JSON, one a line, over the inherited channel (descriptor 3), after the two things that
are passed out at first: the sandbox's doors (see ``entry``), and what the extensions write.

Stands for: what starts ``/opt/extensions/*`` and then the runtime. AWS page: *Using the Lambda
Extensions API to create extensions*. Standard library only.
"""

import json
import os
import selectors
import signal
import socket
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import delivery  # noqa: E402

sys.path.pop(0)
CHANNEL_FD, CLOCK_FD = 3, 4
PR_SET_PDEATHSIG = 1
RUNTIME = "runtime"
# AWS page as above: "Extensions have access to the same environment variables as the function's
# runtime", but for these. The last is ours.
HIDDEN = ("AWS_EXECUTION_ENV", "AWS_LAMBDA_LOG_GROUP_NAME", "AWS_LAMBDA_LOG_STREAM_NAME",
          "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS", "LAMBDA_RUNTIME_DIR",
          "LAMBDA_TASK_ROOT", "_AWS_XRAY_DAEMON_ADDRESS", "_AWS_XRAY_DAEMON_PORT", "_HANDLER",
          "MINILAMBDA_REDIRECT")


class Launcher:
    """``plan``: ``ports`` to open (or None), ``extensions`` (name -> program), ``runtime`` (a
    command), ``task`` (the runtime's folder).
    """

    def __init__(self, plan):
        self.plan = plan
        os.set_inheritable(CHANNEL_FD, False)
        self.channel = socket.socket(fileno=CHANNEL_FD)
        self.running = {}  # process -> name
        self.rest = b""
        self.wake, wake = os.pipe()
        for end in (self.wake, wake):
            os.set_blocking(end, False)
        signal.set_wakeup_fd(wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self.prctl = None
        if plan["ports"] is None and sys.platform.startswith("linux"):
            import ctypes  # with ports it is bubblewrap, and nothing outlives that

            self.prctl = ctypes.CDLL(None).prctl

    def run(self):
        if self.plan["ports"]:
            self.open_doors(*self.plan["ports"])
        self.start_extensions()
        with selectors.DefaultSelector() as selector:
            selector.register(self.channel, selectors.EVENT_READ, self.obey)
            selector.register(self.wake, selectors.EVENT_READ, self.reap)
            while True:
                for key, _ in selector.select():
                    key.data()

    def open_doors(self, *ports):
        *ports, daemon_port = ports
        doors = []
        for port in ports:
            door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
            door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            door.bind(("127.0.0.1", port))
            door.listen(128)
            doors.append(door)
        doors.append(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        doors[-1].bind(("127.0.0.1", daemon_port))
        socket.send_fds(self.channel, [b"doors"], [door.fileno() for door in doors])
        for door in doors:
            door.close()

    def start_extensions(self):
        shown = {name: value for name, value in os.environ.items() if name not in HIDDEN}
        readers = []
        for name, program in self.plan["extensions"].items():
            reader, writer = os.pipe()
            readers.append(reader)
            self.start(name, [program], "/", shown, writer)
            os.close(writer)
        socket.send_fds(self.channel, [b"pipes"], readers)
        for reader in readers:
            os.close(reader)

    def start(self, name, command, folder, environment, output=None):
        pid = os.fork()
        if pid:
            self.running[pid] = name
            return
        try:
            signal.set_wakeup_fd(-1)
            for number in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            if self.prctl:
                self.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
            if output is not None:
                os.dup2(output, 1)
                os.dup2(output, 2)
                os.close(CLOCK_FD)
            os.chdir(folder)
            os.execve(command[0], command, environment)
        except OSError as problem:
            os.write(2, f"{command[0]}: {problem.strerror}\n".encode())
        os._exit(127)

    def obey(self):
        try:
            data = self.channel.recv(1 << 16)
        except OSError:
            data = b""
        if not data:
            os._exit(0)  # the cloud has gone, or let go
        *lines, self.rest = (self.rest + data).split(b"\n")
        for line in lines:
            order = json.loads(line)
            if order["do"] == "start":
                self.start(RUNTIME, self.plan["runtime"], self.plan["task"], os.environ)
            else:
                for pid, name in self.running.items():
                    if name == order["name"]:
                        delivery.deliver(pid, order["number"])

    def reap(self):
        try:
            while os.read(self.wake, 4096):
                pass
        except BlockingIOError:
            pass
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            name = self.running.pop(pid, None)
            if name is not None:
                code = os.waitstatus_to_exitcode(status)
                self.channel.sendall(json.dumps({"ended": name, "code": code}).encode() + b"\n")


if __name__ == "__main__":
    Launcher(json.loads(sys.argv[1])).run()
