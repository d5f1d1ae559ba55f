"""What a function's process can see and do, and that nothing of it survives."""

import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

import pytest

from minilambda.sandbox import Sandbox

from .conftest import need_tier


def test_environment_is_built_from_nothing(lab, monkeypatch):
    reply = lab.run("import os\ndef handler(event, context): return dict(os.environ)\n",
                    Environment={"Variables": {"COLOUR": "blue"}})
    seen = reply.value
    assert seen["COLOUR"] == "blue"
    assert seen["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "128"
    assert seen["AWS_REGION"] == "eu-west-2" and seen["_HANDLER"] == "app.handler"
    assert seen["AWS_ACCESS_KEY_ID"].startswith("ASIA")
    assert "HOME" not in seen and "JPY_PARENT_PID" not in seen and "VIRTUAL_ENV" not in seen


def test_the_reader_s_environment_does_not_leak(lab, monkeypatch):
    monkeypatch.setenv("A_SECRET_OF_MINE", "hush")
    reply = lab.run("""
        import os
        def handler(event, context):
            found = []
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    found.append(open(f"/proc/{pid}/environ").read())
                except OSError:
                    pass
            return "A_SECRET" in str(dict(os.environ)), len(found)
    """)
    assert reply.value[0] is False


def test_own_tmp_kept_while_warm_gone_when_cold(lab):
    name = lab.deploy("""
        import pathlib
        def handler(event, context):
            path = pathlib.Path("/tmp/count")
            count = int(path.read_text()) + 1 if path.exists() else 1
            path.write_text(str(count))
            return count
    """)
    assert [lab.invoke(name).value for _ in range(3)] == [1, 2, 3]
    lab.client.update_function_configuration(FunctionName=name, MemorySize=192)
    assert lab.invoke(name).value == 1
    assert not Path("/tmp/count").exists()


def test_code_folder_is_read_only_and_named_as_on_aws(lab):
    reply = lab.run("""
        import os
        def handler(event, context):
            return sorted(os.listdir("/var/task")), __file__.endswith("app.py")
    """)
    assert reply.value == [["app.py"], True]


def test_module_state_lives_as_long_as_the_environment(lab):
    name = lab.deploy("count = 0\ndef handler(e, c):\n    global count\n    count += 1\n"
                      "    return count\n")
    assert [lab.invoke(name).value for _ in range(3)] == [1, 2, 3]
    assert len(lab.environments(name)) == 1


def test_nothing_runs_while_frozen(lab):
    """A thread that never stops computing uses no CPU time between two invocations."""
    name = lab.deploy("""
        import threading
        def spin():
            while True:
                pass
        def handler(event, context):
            threading.Thread(target=spin, daemon=True).start()
    """)
    others = _descendants()
    lab.invoke(name)
    mine = _descendants() - others
    assert mine
    before = _cpu_ticks(mine)
    time.sleep(0.5)
    assert _cpu_ticks(mine) - before <= 1
    lab.client.delete_function(FunctionName=name)


def test_boto3_reaches_the_cloud_and_takes_time(lab):
    import boto3

    boto3.client("s3").create_bucket(
        Bucket=f"bucket-{lab.cloud.sandbox}",
        CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    name = lab.deploy("""
        import boto3
        s3 = boto3.client("s3")
        def handler(event, context):
            before = context.get_remaining_time_in_millis()
            s3.put_object(Bucket=event, Key="k", Body=b"from inside")
            return before - context.get_remaining_time_in_millis()
    """, MemorySize=1024)
    assert lab.invoke(name, f"bucket-{lab.cloud.sandbox}").value == 25
    stored = boto3.client("s3").get_object(Bucket=f"bucket-{lab.cloud.sandbox}", Key="k")
    assert stored["Body"].read() == b"from inside"


def test_a_function_is_a_session_of_its_execution_role(lab):
    import boto3

    name = lab.deploy("""
        import boto3
        def handler(event, context):
            said = boto3.client("sts").get_caller_identity()
            return {key: said[key] for key in ("UserId", "Account", "Arn")}
    """, MemorySize=512, Timeout=30)
    role = boto3.client("iam").get_role(RoleName="role")["Role"]["RoleId"]
    assert lab.invoke(name).value == {
        "UserId": f"{role}:{name}", "Account": "123456789012",
        "Arn": f"arn:aws:sts::123456789012:assumed-role/role/{name}"}
    assert ":assumed-role/" not in boto3.client("sts").get_caller_identity()["Arn"]


def test_a_handler_may_invoke_another_function(lab):
    inner = lab.deploy("import time\ndef handler(e, c):\n    time.sleep(1)\n    return e * 2\n")
    outer = lab.deploy("""
        import json, boto3
        client = boto3.client("lambda")
        def handler(event, context):
            reply = client.invoke(FunctionName=event["inner"], Payload=json.dumps(21))
            return json.load(reply["Payload"]), context.get_remaining_time_in_millis()
    """, MemorySize=1024, Timeout=10)
    value, left = lab.invoke(outer, {"inner": inner}).value
    assert value == 42
    assert left == 8880  # 10 s less its Init (110), sleep and work (1001.4), the call's latency (8)


@pytest.mark.parametrize("source", [
    # the parent ends, a child lives on
    "import os, time\ndef handler(e, c):\n    if os.fork():\n        os._exit(0)\n    time.sleep(99)\n",
    # a double fork into a session of its own, signals ignored
    """import os, signal, time
def handler(e, c):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for n in (1, 2, 15): signal.signal(n, signal.SIG_IGN)
            open("/tmp/alive", "w").write("x")
            while True: pass
        os._exit(0)
    time.sleep(99)
""",
    # stops itself
    "import os, signal\ndef handler(e, c):\n    os.kill(os.getpid(), signal.SIGSTOP)\n",
])
def test_kill_leaves_nothing_behind(lab, source):
    before = _descendants()
    lab.run(source, Timeout=1)
    deadline = time.monotonic() + 5
    while (left := _descendants() - before) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not left


def test_a_handler_that_closes_its_stdin_and_one_that_reads_it(lab):
    assert lab.run("import os\ndef handler(e, c):\n    os.close(0)\n    return 1\n").value == 1
    assert lab.run("import sys\ndef handler(e, c):\n    return sys.stdin.read()\n").value == ""


def test_100_mb_of_output(lab):
    name = lab.deploy("def handler(e, c):\n    for _ in range(1000):\n"
                      "        print(('y' * 99 + '\\n') * 1000, end='')\n    return 1\n",
                      MemorySize=512)
    reply = lab.invoke(name)
    assert reply.value == 1
    lines = lab.cloud.trace.select("log.line", function=name)
    assert 10_000 < len(lines) < 11_000
    assert "98951424 more bytes of output were not kept" in lines[-3]["message"]


def test_memory_of_children_counts(lab):
    reply = lab.run("""
        import os, time
        def handler(event, context):
            if os.fork() == 0:
                data = b"x" * 300_000_000
                time.sleep(5)
                os._exit(0)
            os.wait()
            return "done"
    """, Timeout=10)
    assert reply.value["errorType"] == "Runtime.ExitError"
    assert "signal: killed" in reply.value["errorMessage"]


def test_only_the_sdk_is_there(lab):
    assert lab.run("import moto\ndef handler(e, c): pass\n").value["errorMessage"] == (
        "Unable to import module 'app': No module named 'moto'")
    assert lab.run("import boto3, dateutil\ndef handler(e, c): return boto3.__name__\n",
                   MemorySize=512).value == "boto3"


def test_bubblewrap_has_no_network_and_no_host_files():
    need_tier("bubblewrap")
    from minilambda import Cloud

    from .conftest import Lab

    with Cloud(durations="modelled", sandbox="bubblewrap") as cloud:
        lab = Lab(cloud)
        reply = lab.run("""
            import os, socket
            def handler(event, context):
                try:
                    socket.create_connection(("192.0.2.1", 80), timeout=5)
                    network = True
                except OSError as error:
                    network = str(error)
                return {"network": network, "root": sorted(os.listdir("/")),
                        "pids": [p for p in os.listdir("/proc") if p.isdigit()],
                        "uid": os.getuid()}
        """)
        seen = reply.value
        assert seen["network"] == "[Errno 101] Network is unreachable"
        assert "home" not in seen["root"] and "work" not in seen["root"]
        assert len(seen["pids"]) <= 3 and seen["uid"] == 993
        full = lab.run("""
            def handler(event, context):
                with open("/tmp/big", "wb", buffering=0) as file:
                    written = 0
                    try:
                        while True:
                            written += file.write(b"x" * (1 << 20))
                    except OSError as error:
                        return written, error.strerror
        """, MemorySize=1024, Timeout=60)
        assert full.value == [512 << 20, "No space left on device"]
        wrote = lab.run("def handler(e, c): open('/var/task/x', 'w')\n").value
        assert wrote["errorMessage"] == "[Errno 30] Read-only file system: '/var/task/x'"


@pytest.mark.parametrize("tier", ["process", "bubblewrap"])
def test_when_the_kernel_is_killed_nothing_is_left(tier, tmp_path):
    need_tier(tier)
    script = tmp_path / "kernel.py"
    script.write_text(textwrap.dedent(f"""
        import sys
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        from minilambda import Cloud
        from tests.runtime.conftest import Lab
        cloud = Cloud(durations="modelled", sandbox="{tier}")
        lab = Lab(cloud)
        name = lab.deploy("import time\\nmarker = '{tmp_path}'\\ndef handler(e, c): return 1\\n")
        lab.invoke(name)
        host = cloud.placement.setting.host
        print(host._supervisor.pid, host.root, flush=True)
        lab.run("def handler(e, c):\\n    while True: pass\\n", Timeout=60)
    """))
    kernel = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    supervisor, root = kernel.stdout.readline().split()
    time.sleep(0.5)
    assert Path(root).is_dir() and Path(f"/proc/{supervisor}").exists()
    kill_and_wait = _tree(int(supervisor))
    kernel.send_signal(signal.SIGKILL)
    kernel.wait()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (
            any(_alive(pid) for pid in kill_and_wait) or Path(root).exists()):
        time.sleep(0.05)
    assert not [pid for pid in kill_and_wait if _alive(pid)]
    assert not Path(root).exists()


def _tree(pid):
    found, queue = set(), [pid]
    while queue:
        current = queue.pop()
        found.add(current)
        try:
            for task in os.listdir(f"/proc/{current}/task"):
                children = Path(f"/proc/{current}/task/{task}/children").read_text().split()
                queue += [int(child) for child in children]
        except OSError:
            pass
    return found


def _descendants():
    return _tree(os.getpid())


def _cpu_ticks(pids):
    """CPU time of processes, in hundredths of a second."""
    total = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total


def _alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize("turns", range(6))
def test_one_that_ends_while_it_starts_leaves_the_event_loop_nothing_to_watch(lab, turns):
    """Its sockets' numbers are given out again: what the loop still knew by them would never be
    told of anything, and the environment that has them would wait for its first event for ever."""
    name = lab.deploy("def handler(event, context): return 1")
    function = lab.cloud.registry.latest("123456789012", "eu-west-2", name,
                                         action="lambda:GetFunction")
    host, gone = lab.cloud.placement.setting.host, threading.Event()

    class Doomed(Sandbox):
        def _open(self):
            super()._open()
            end(self, turns)

    def end(sandbox, left):
        if left:
            host.loop.call_soon(end, sandbox, left - 1)
        else:
            sandbox.kill()
            sandbox.release()
            host.loop.call_later(0.2, look)

    def look():
        selector = host.loop._selector
        for key in list(selector.get_map().values()):
            try:
                selector._selector.modify(key.fd, key.events)  # what the kernel knows nothing of
            except OSError:
                forgotten.append(key.data)
        gone.set()

    forgotten = []
    Doomed(host, f"{turns:032x}", function, {"AWS_ACCESS_KEY_ID": "none"},
           lambda message: None, 1 << 20, None, 0)
    assert gone.wait(20) and not forgotten
    assert lab.invoke(name).value == 1
