"""How an invocation can end, in AWS's words, on every tier."""

import re

import pytest

REQUEST_ID = r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"


def test_a_result_comes_back_with_its_log(lab):
    name = lab.deploy("def handler(event, context):\n    print('hello')\n    return {'got': event}\n")
    reply = lab.invoke(name, {"a": 1})
    assert reply.value == {"got": {"a": 1}}
    assert reply.error is None
    assert reply.raw["StatusCode"] == 200 and reply.raw["ExecutedVersion"] == "$LATEST"
    request_id = reply.raw["ResponseMetadata"]["RequestId"]
    start, hello, end, report = reply.log.splitlines()
    assert start == f"START RequestId: {request_id} Version: $LATEST"
    assert hello == "hello"
    assert end == f"END RequestId: {request_id}"
    assert report == (f"REPORT RequestId: {request_id}\tDuration: 1.40 ms\t"
                      "Billed Duration: 100 ms\tMemory Size: 128 MB\tMax Memory Used: 36 MB\t"
                      "Init Duration: 110.00 ms\t")
    assert [line.rstrip("\n") for line in lab.log_lines(name)] == reply.log.splitlines()


def test_timeout(lab):
    reply = lab.run("""
        import time
        def handler(event, context):
            print("before")
            time.sleep(60)
            print("done")
    """, Timeout=3)
    assert reply.error == "Unhandled"
    request_id = reply.raw["ResponseMetadata"]["RequestId"]
    assert set(reply.value) == {"errorMessage"}
    assert re.fullmatch(rf"2020-\S+Z {request_id} Task timed out after 3\.00 seconds",
                        reply.value["errorMessage"])
    assert "before" in reply.log and "done" not in reply.log
    assert "Duration: 3000.00 ms\tBilled Duration: 3000 ms" in reply.log
    assert "Status: timeout" in reply.log


def test_a_handler_that_computes_for_ever_is_killed(lab):
    reply = lab.run("def handler(event, context):\n    while True: pass\n", Timeout=1)
    assert "Task timed out after 1.00 seconds" in reply.value["errorMessage"]


def test_out_of_memory(lab):
    name = lab.deploy("""
        def handler(event, context):
            data = [b"x" * 1_000_000 for _ in range(event)]
            return len(data)
    """)
    reply = lab.invoke(name, 1000)
    assert reply.error == "Unhandled"
    request_id = reply.raw["ResponseMetadata"]["RequestId"]
    assert reply.value == {
        "errorType": "Runtime.ExitError",
        "errorMessage": f"RequestId: {request_id} Error: Runtime exited with error: signal: killed",
    }
    assert "Memory Size: 128 MB\tMax Memory Used: 128 MB" in reply.log
    assert lab.invoke(name, 40).value == 40  # a fresh environment is none the worse


def test_memory_is_reported_in_steps_of_what_was_used(lab):
    name = lab.deploy("def handler(event, context):\n    return len(b'x' * (event << 20))\n",
                      MemorySize=256)
    used = [int(re.search(r"Max Memory Used: (\d+) MB", lab.invoke(name, n).log)[1])
            for n in (0, 64, 128)]
    assert used == [36, 100, 164]


@pytest.mark.parametrize(("source", "error_type", "message"), [
    ("import nosuchmodule", "Runtime.ImportModuleError",
     "Unable to import module 'app': No module named 'nosuchmodule'"),
    ("def other(event, context): pass", "Runtime.HandlerNotFound",
     "Handler 'handler' missing on module 'app'"),
    ("def handler(event, context)\n    pass\n", "Runtime.UserCodeSyntaxError",
     "Syntax error in module 'app': expected ':' (app.py, line 1)"),
])
def test_code_that_can_t_be_loaded(lab, source, error_type, message):
    reply = lab.run(source)
    assert reply.error == "Unhandled"
    assert reply.value["errorType"] == error_type
    assert reply.value["errorMessage"] == message
    assert f"[ERROR] {error_type}: {message}" in reply.log or error_type in reply.log
    assert f"Status: error\tError Type: {error_type}" in reply.log


def test_handler_without_a_dot(lab):
    reply = lab.run("x = 1", handler="nodot")
    assert reply.value == {
        "errorType": "Runtime.MalformedHandlerName", "requestId": "", "stackTrace": [],
        "errorMessage": "Bad handler 'nodot': not enough values to unpack (expected 2, got 1)",
    }


def test_exception(lab):
    name = lab.deploy("def handler(event, context):\n    raise ValueError(event['why'])\n")
    reply = lab.invoke(name, {"why": "because"})
    assert reply.raw["StatusCode"] == 200 and reply.error == "Unhandled"
    assert reply.value == {
        "errorMessage": "because", "errorType": "ValueError",
        "requestId": reply.raw["ResponseMetadata"]["RequestId"],
        "stackTrace": ['  File "/var/task/app.py", line 2, in handler\n'
                       "    raise ValueError(event['why'])\n"],
    }
    assert ("[ERROR] ValueError: because\rTraceback (most recent call last):\r"
            '\u00a0\u00a0File "/var/task/app.py", line 2, in handler\r'
            "\u00a0\u00a0\u00a0\u00a0raise ValueError(event['why'])") in reply.log
    assert "Init Duration" in reply.log
    assert "Init Duration" not in lab.invoke(name, {"why": "again"}).log  # kept after an exception


def test_exception_in_init(lab):
    reply = lab.run("1 / 0\ndef handler(event, context): pass\n")
    assert reply.value["errorType"] == "ZeroDivisionError"
    assert reply.value["requestId"] == ""
    assert any("importlib" in frame for frame in reply.value["stackTrace"])
    assert '  File "/var/task/app.py", line 1, in <module>\n    1 / 0\n' in reply.value["stackTrace"]


@pytest.mark.parametrize(("statement", "reason"), [
    ("sys.exit(0)", "Runtime exited without providing a reason"),
    ("sys.exit(3)", "Runtime exited with error: exit status 3"),
    ("sys.exit('bye')", "Runtime exited with error: exit status 1"),
    ("os._exit(7)", "Runtime exited with error: exit status 7"),
    ("os.kill(os.getpid(), 11)", "Runtime exited with error: signal: segmentation fault"),
])
@pytest.mark.parametrize("where", ["handler", "init"])
def test_a_runtime_that_ends(lab, statement, reason, where):
    init, body = (statement, "pass") if where == "init" else ("pass", statement)
    reply = lab.run(f"import os, sys\n{init}\ndef handler(event, context):\n    {body}\n")
    request_id = reply.raw["ResponseMetadata"]["RequestId"]
    assert reply.value == {"errorType": "Runtime.ExitError",
                           "errorMessage": f"RequestId: {request_id} Error: {reason}"}


def test_result_that_is_not_json(lab):
    reply = lab.run("def handler(event, context):\n    return object()\n")
    assert reply.value["errorType"] == "Runtime.MarshalError"
    assert reply.value["errorMessage"] == ("Unable to marshal response: Object of type object is "
                                           "not JSON serializable")
    assert reply.value["stackTrace"] == []


def test_result_over_6_mb(lab):
    reply = lab.run("def handler(event, context):\n    return 'x' * event\n", 6291555)
    assert reply.value["errorType"] == "Function.ResponseSizeTooLarge"
    assert reply.value["errorMessage"] == (
        "Response payload size exceeded maximum allowed payload size (6291556 bytes).")
    fits = lab.run("def handler(event, context):\n    return 'x' * event\n", 6291554)
    assert len(fits.payload) == 6291556


def test_init_over_10_seconds_starts_again_under_the_timeout(lab):
    source = "import time\ntime.sleep(12)\ndef handler(event, context): return 'ready'\n"
    reply = lab.run(source, Timeout=30)
    assert reply.value == "ready"
    name = lab.deploy(source, Timeout=5)
    assert "Task timed out after 5.00 seconds" in lab.invoke(name).value["errorMessage"]
    assert any(line.startswith("INIT_REPORT Init Duration: 10000.00 ms\tPhase: init\t"
                               "Status: timeout") for line in lab.log_lines(name))


def test_today_s_words_differ():
    from minilambda import Cloud

    from .conftest import Lab

    with Cloud(durations="modelled", limits="today") as cloud:
        lab = Lab(cloud)
        late = lab.run("import time\ndef handler(event, context): time.sleep(9)\n")
        assert late.value["errorType"] == "Sandbox.Timedout"
        assert re.fullmatch(rf"RequestId: {REQUEST_ID} Error: Task timed out after 3\.00 seconds",
                            late.value["errorMessage"])
        big = lab.run("def handler(event, context): return [b'x' * 10**6 for _ in range(999)]\n")
        assert big.value["errorType"] == "Runtime.OutOfMemory"
        quick = lab.run("def handler(event, context): return 1\n")
        assert "Billed Duration: 112 ms" in quick.log  # 1 ms steps, and the Init counts


def test_a_trace_ends_in_the_function_s_own_code(lab):
    """Not in what stands between it and the system here."""
    reply = lab.run("def handler(event, context):\n    return open('/tmp/nothing')\n")
    assert reply.value["errorMessage"] == "[Errno 2] No such file or directory: '/tmp/nothing'"
    assert reply.value["stackTrace"] == [
        '  File "/var/task/app.py", line 2, in handler\n    return open(\'/tmp/nothing\')\n']
