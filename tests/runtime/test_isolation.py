"""What a handler can reach of this machine: nothing, but for what the tier says of itself."""

import os
import signal
import socket
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from minilambda import Cloud
from minilambda.sandbox import confinement

from .conftest import Lab, need_tier
from .test_bad_handlers import nothing_is_left

# Python's own open() may be redirected; what a C library would open isn't.
DIRECTLY = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
def attempt(function, *arguments):
    if function(*arguments) >= 0:
        return "done"
    return os.strerror(ctypes.get_errno())
"""


def need_walls(lab, version=1):
    """In the process tier files and signals are kept in by the kernel, if it can."""
    if lab.cloud.sandbox == "process" and confinement.version() < version:
        pytest.skip("this kernel has no Landlock, as `minilambda doctor` says")


@pytest.fixture
def bystander():
    """A process of the reader's, with something in its environment."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"],
                               env={"A_SECRET": "hush-hush"})
    yield process
    process.kill()
    process.wait()


def test_host_files_can_t_be_read_nor_written(lab, tmp_path):
    need_walls(lab)
    secret = tmp_path / "secret"
    secret.write_text("hush")
    tmp_path.chmod(0o777)
    tried = lab.run(DIRECTLY + """
def handler(event, context):
    return [attempt(libc.open, path.encode(), flags, 0o644)
            for path, flags in [(event + "/secret", os.O_RDONLY), (event + "/secret", os.O_WRONLY),
                                (event + "/new", os.O_CREAT | os.O_WRONLY),
                                ("/usr/new", os.O_CREAT | os.O_WRONLY),
                                ("/etc/shadow", os.O_RDONLY)]]
""", str(tmp_path)).value
    if lab.cloud.sandbox == "bubblewrap":
        assert tried == ["No such file or directory"] * 3 + [
            "Read-only file system", "No such file or directory"]
    else:
        assert tried == ["Permission denied"] * 5
    assert secret.read_text() == "hush" and not (tmp_path / "new").exists()


def test_its_own_code_stays_as_it_is(lab):
    """Not even by another program, as the root of a machine without namespaces."""
    need_walls(lab)
    name = lab.deploy("""
        import errno, os, subprocess
        def handler(event, context):
            said = []
            for attempt in (lambda: open(__file__, "a").write("broken("),
                            lambda: os.chmod(__file__, 0o777), lambda: os.remove(__file__)):
                try:
                    attempt()
                except OSError as error:
                    said.append(error.errno in (errno.EROFS, errno.EACCES))
            path = os.environ["LAMBDA_TASK_ROOT"] + "/app.py"
            done = subprocess.run(["sh", "-c", f"echo 'broken(' >> {path} || rm -f {path}"],
                                  capture_output=True)
            return said, done.returncode != 0
    """)
    for _ in range(2):
        assert lab.invoke(name).value == [[True] * 3, True]
    lab.client.update_function_configuration(FunctionName=name, MemorySize=256)
    assert lab.invoke(name).value == [[True] * 3, True]  # read afresh


def test_one_function_can_t_read_another_s_files(lab):
    need_walls(lab)
    tmp = lab.run("open('/tmp/mine', 'w').write('private')\nimport os\n"
                  "def handler(e, c): return os.environ.get('TMPDIR', '/tmp')\n").value
    looked = lab.run("""
        import os
        def handler(event, context):
            try:
                return open(event + "/mine").read()
            except OSError as error:
                return error.strerror
    """, tmp).value
    assert looked in ("Permission denied", "No such file or directory")


def test_other_processes_can_t_be_signalled_or_looked_into(lab, bystander):
    need_walls(lab, confinement.SCOPES_SINCE)
    tried = lab.run(DIRECTLY + """
def handler(event, context):
    killed, seen = [attempt(libc.kill, pid, 15) for pid in event], []
    for pid in event:
        try:
            seen.append(open(f"/proc/{pid}/environ").read())
        except OSError as error:
            seen.append(error.strerror)
    return killed, seen
""", [bystander.pid, os.getpid()]).value
    if lab.cloud.sandbox == "bubblewrap":
        assert tried == [["No such process"] * 2, ["No such file or directory"] * 2]
    else:
        assert tried == [["Operation not permitted"] * 2, ["Permission denied"] * 2]
    assert bystander.poll() is None


def test_real_credentials_are_nowhere(tmp_path, monkeypatch):
    """Not in the environment of any process it sees, nor in the files where they are looked for."""
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "a-real-secret")
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".aws").mkdir()
    (tmp_path / ".aws" / "credentials").write_text(
        "[default]\naws_access_key_id = AKIAREAL\naws_secret_access_key = a-real-secret\n")
    for tier in ("process", "bubblewrap"):
        need_tier(tier)
        with Cloud(durations="modelled", sandbox=tier) as cloud:
            found = Lab(cloud).run("""
                import boto3, glob, os
                def handler(event, context):
                    seen = [dict(os.environ), os.path.expanduser("~")]
                    for path in [*glob.glob("/proc/[0-9]*/environ"), event + "/.aws/credentials",
                                 os.path.expanduser("~/.aws/credentials")]:
                        try:
                            seen.append(open(path).read())
                        except OSError:
                            pass
                    mine = boto3.Session().get_credentials()
                    return "a-real-secret" in str(seen), mine.access_key[:4], mine.secret_key
            """, str(tmp_path), MemorySize=512, Timeout=60)
            hidden = tier == "bubblewrap" or confinement.version() > 0
            assert found.value[0] is False or not hidden
            assert found.value[1:] == ["ASIA", "minilambda"]


def test_bubblewrap_reaches_no_network_but_the_cloud():
    """By number, by name, the machine's own ports, its abstract sockets, the metadata service."""
    need_tier("bubblewrap")
    ours = socket.create_server(("127.0.0.1", 0))
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind(f"\0minilambda-test-{os.getpid()}")
    abstract.listen()
    with ours, abstract, Cloud(durations="modelled", sandbox="bubblewrap") as cloud:
        tried = Lab(cloud).run("""
            import os, socket
            def attempt(action):
                try:
                    action()
                    return "done"
                except OSError as error:
                    return error.strerror
            def unix(name):
                with socket.socket(socket.AF_UNIX) as mine:
                    mine.connect(name)
            def udp(address):
                with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as mine:
                    mine.sendto(b"x", address)
            def handler(event, context):
                cloud = os.environ["AWS_ENDPOINT_URL"].rsplit(":", 1)[1]
                tcp = lambda *address: lambda: socket.create_connection(address, 5).close()
                return {
                    "cloud": attempt(tcp("127.0.0.1", cloud)),
                    "public": attempt(tcp("192.0.2.1", 443)),
                    "six": attempt(tcp("2001:db8::1", 443)),
                    "metadata": attempt(tcp("169.254.169.254", 80)),
                    "udp": attempt(lambda: udp(("192.0.2.1", 53))),
                    "name": attempt(lambda: socket.getaddrinfo("sqs.eu-west-2.amazonaws.com", 443)),
                    "port": attempt(tcp("127.0.0.1", event["port"])),
                    "abstract": attempt(lambda: unix(event["abstract"])),
                }
        """, {"port": ours.getsockname()[1], "abstract": f"\0minilambda-test-{os.getpid()}"},
            Timeout=60).value
    assert tried.pop("cloud") == "done"
    assert tried.pop("name") != "done"
    assert tried == {"public": "Network is unreachable", "six": "Network is unreachable",
                     "metadata": "Network is unreachable", "udp": "Network is unreachable",
                     "port": "Connection refused", "abstract": "Connection refused"}


def test_abstract_sockets_of_the_machine_are_out_of_reach(lab):
    need_walls(lab, confinement.SCOPES_SINCE)
    name = f"\0minilambda-test-{os.getpid()}-{lab.cloud.sandbox}"
    with socket.socket(socket.AF_UNIX) as abstract:
        abstract.bind(name)
        abstract.listen()
        said = lab.run("""
            import socket
            def handler(event, context):
                with socket.socket(socket.AF_UNIX) as mine:
                    try:
                        mine.connect(event)
                    except OSError as error:
                        return error.strerror
        """, name).value
    assert said in ("Connection refused", "Operation not permitted")


def test_bubblewrap_hides_the_machine_s_settings_and_memory():
    need_tier("bubblewrap")
    before = Path("/proc/sys/vm/swappiness").read_text()
    with Cloud(durations="modelled", sandbox="bubblewrap") as cloud:
        tried = Lab(cloud).run(DIRECTLY + """
def handler(event, context):
    return [attempt(libc.open, path.encode(), os.O_CREAT | os.O_WRONLY, 0o644)
            for path in ("/proc/sys/vm/swappiness", "/dev/shm/x", "/dev/x", "/x", "/var/x",
                         "/var/task/x", "/opt/x", "/var/runtime/x", "/tmp/x", "/dev/null")]
""").value
    assert tried == ["Read-only file system"] * 8 + ["done"] * 2  # so /tmp is all that can be filled
    assert Path("/proc/sys/vm/swappiness").read_text() == before


@pytest.mark.parametrize("tier", ["process", "bubblewrap"])
def test_when_the_supervisor_is_killed_environments_die_and_the_next_cloud_works(tier):
    need_tier(tier)
    with Cloud(durations="modelled", sandbox=tier) as cloud:
        lab = Lab(cloud)
        name = lab.deploy("""
            import os, signal, time
            def handler(event, context):
                if event == "stray" and os.fork() == 0:
                    os.setsid()
                    if os.fork() == 0:
                        signal.signal(signal.SIGTERM, signal.SIG_IGN)
                        while True: time.sleep(1)
                    os._exit(0)
                return os.getpid()
        """)
        assert lab.invoke(name, "stray").value > 0
        host = cloud.placement.setting.host
        root, supervisor = host.root, host._supervisor.pid
        os.kill(supervisor, signal.SIGKILL)
        reply = lab.invoke(name)
        assert reply.error == "Unhandled"
        assert reply.value["errorType"] == "Sandbox.Failure"
        assert reply.value["errorMessage"].endswith("start a new one: Cloud()")
        nothing_is_left(lab, name)
    assert not root.exists()
    with Cloud(durations="modelled", sandbox=tier) as cloud:
        assert Lab(cloud).run("def handler(e, c): return 'well'\n").value == "well"


def test_a_supervisor_killed_in_the_middle_of_an_invocation(lab_of_its_own):
    lab = lab_of_its_own
    host = lab.cloud.placement.setting.host
    kill = subprocess.Popen([sys.executable, "-c", textwrap.dedent(f"""
        import os, pathlib, signal, time
        while not list(pathlib.Path({str(host.root)!r}).glob("environments/*")):
            time.sleep(0.01)
        time.sleep(0.3)
        os.kill({host._supervisor.pid}, signal.SIGKILL)
    """)])
    reply = lab.run("def handler(e, c):\n    while True: pass\n", Timeout=600)
    assert kill.wait() == 0
    assert reply.value["errorType"] == "Sandbox.Failure"


@pytest.fixture(params=["process", "bubblewrap"])
def lab_of_its_own(request):
    need_tier(request.param)
    with Cloud(durations="modelled", sandbox=request.param) as cloud:
        yield Lab(cloud)


def test_what_the_doctor_says_of_the_process_tier_is_what_happens(tmp_path):
    """Each of its sentences, tried by a program that knows of no redirection."""
    said = {f.topic: f.text for f in Cloud.doctor().findings}
    open_ended = said["  not enforced there"]
    (tmp_path / "mine").write_text("the reader's")
    with socket.create_server(("127.0.0.1", 0)) as ours, Cloud(
            durations="modelled", sandbox="process") as cloud:
        tried = Lab(cloud).run("""
            import os, socket, subprocess
            def sh(command):
                return subprocess.run(["sh", "-c", command], capture_output=True).returncode == 0
            def handler(event, context):
                size = 0
                for name in ("/tmp/one", "/tmp/other"):  # each within the limit
                    with open(name, "wb") as file:
                        size += file.truncate((256 << 20) + 1)
                with open("/tmp/named", "w"):
                    pass
                return {
                    "the size of /tmp": size > 512 << 20,
                    "a closed network": bool(socket.create_connection(("127.0.0.1", event["port"]))),
                    "hiding this machine's files": sh(f"cat {event['file']}"),
                    "read-only folders": sh("echo >> $LAMBDA_TASK_ROOT/app.py"),
                    "signals to this machine's processes": sh(f"kill -0 {event['pid']}"),
                    "by these names": not sh("test -e /tmp/named"),
                }
        """, {"file": str(tmp_path / "mine"), "port": ours.getsockname()[1], "pid": os.getpid()},
            MemorySize=512, Timeout=60).value
    assert {thing: thing in open_ended for thing in tried} == tried
    assert ("keeps this machine's files" in said["process sandbox"]) == (confinement.version() > 0)
