"""External and internal extensions through the Extensions API, and the Shutdown phase."""

import json
import pathlib
import shutil
import subprocess
import sys
import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from minilambda import Cloud, environment, patience
from minilambda.sandbox.tiers import python

from .conftest import Lab, need_tier
from .layer_files import zipped

# The least there is to say to the API; an extension's own code follows.
PYTHON = f"#!{python()[0]} -SsBu\n" + """
import json, os, sys, urllib.error, urllib.request
API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"]
opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
me = os.path.basename(sys.argv[0])

def call(method, path, body=None, **headers):
    headers = {"Lambda-Extension-" + name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(API + path, method=method, headers=headers,
                                     data=None if body is None else json.dumps(body).encode())
    try:
        with opener.open(request) as reply:
            return reply.status, dict(reply.headers), json.load(reply)
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), json.load(error)

def register(*events, **headers):
    global identifier
    reply = call("POST", "/2020-01-01/extension/register", {"events": events}, Name=me, **headers)
    identifier = reply[1]["Lambda-Extension-Identifier"]
    return reply[2]

def next_event():
    return call("GET", "/2020-01-01/extension/event/next", Identifier=identifier)[2]

def fail(phase, kind):
    return call("POST", f"/2020-01-01/extension/{phase}/error", {"errorType": kind},
                Identifier=identifier, Function_Error_Type=kind)
"""
TALKER = """
print(me, "registered", json.dumps(register("INVOKE", "SHUTDOWN"), sort_keys=True))
while True:
    event = next_event()
    print(me, json.dumps(event, sort_keys=True))
    if event["eventType"] == "SHUTDOWN":
        break
"""
SHELL = """#!/bin/sh
set -eu
API="http://$AWS_LAMBDA_RUNTIME_API/2020-01-01/extension"
id=$(curl -sS -D - -o /dev/null -X POST "$API/register" -d '{"events": ["INVOKE", "SHUTDOWN"]}' \\
     -H "Lambda-Extension-Name: $(basename "$0")" | tr -d '\\r' \\
     | sed -n 's/^lambda-extension-identifier: //Ip')
while :; do
  event=$(curl -sS "$API/event/next" -H "Lambda-Extension-Identifier: $id")
  case $event in
    *SHUTDOWN*) echo "shell: the end"; exit 0 ;;
    *) echo "shell: invoked" ;;
  esac
done
"""
HANDLER = """
import signal, sys, time
def bye(*_):
    print("runtime: SIGTERM")
    sys.exit(0)
signal.signal(signal.SIGTERM, bye)
def handler(event, context):
    print("handling", event)
    match event:
        case "raise": raise ValueError("because")
        case "sleep": time.sleep(60)
        case "exit": sys.exit(3)
    return event
"""


def layer(lab, **programs):
    """A layer with these extensions; each is executable unless its name ends in ``_plain``."""
    files = {f"extensions/{name.removesuffix('_plain').replace('_', '-')}": text
             for name, text in programs.items()}
    executable = [path for path, name in zip(files, programs, strict=True)
                  if not name.endswith("_plain")]
    lab.count += 1
    return lab.client.publish_layer_version(
        LayerName=f"layer-{lab.count}",
        Content={"ZipFile": zipped(files, executable)})["LayerVersionArn"]


def deploy(lab, source=HANDLER, timeout=30, memory=128, **programs):
    return lab.deploy(source, Layers=[layer(lab, **programs)], Timeout=timeout, MemorySize=memory)


def story(lab, name, *kinds):
    return [(event.kind, dict(event.data)) for event in lab.cloud.trace.select(*kinds, function=name)]


def end(lab, name):
    """Let a function's idle environments end, and see that nothing of them is left."""
    lab.client.update_function_configuration(FunctionName=name, Description="changed")
    lab.cloud.run(seconds=5)
    gone = {event.environment for event in lab.cloud.trace.select("environment.shutdown",
                                                                  function=name)}
    assert gone == set(lab.environments(name))
    assert not survivors(marks(lab, name))


def test_a_life_with_an_extension(lab):
    name = deploy(lab, talker=PYTHON + TALKER)
    first = lab.invoke(name, "one")
    assert first.value == "one"
    request_id = first.raw["ResponseMetadata"]["RequestId"]
    lines = first.log.splitlines()
    assert lines[0] == 'talker registered ' + json.dumps(
        {"functionName": name, "functionVersion": "$LATEST", "handler": "app.handler"})
    assert lines[1] == "EXTENSION\tName: talker\tState: Ready\tEvents: [INVOKE,SHUTDOWN]"
    assert lines[2] == f"START RequestId: {request_id} Version: $LATEST"
    assert lines[3] == "handling one"
    event = json.loads(lines[4].removeprefix("talker "))
    assert event.pop("deadlineMs") > 0
    tracing = event.pop("tracing")
    assert tracing["type"] == "X-Amzn-Trace-Id" and tracing["value"].startswith("Root=1-")
    assert event == {"eventType": "INVOKE", "requestId": request_id,
                     "invokedFunctionArn": f"arn:aws:lambda:eu-west-2:123456789012:function:{name}"}
    assert lines[5].startswith("END") and "Init Duration" in lines[6]
    again = lab.invoke(name, "raise")  # an exception keeps the environment, and its extension
    assert again.error and "Init Duration" not in again.log and '"INVOKE"' in again.log
    end(lab, name)
    tail = [line.rstrip("\n") for line in lab.log_lines(name)][-2:]
    assert tail[0] == "runtime: SIGTERM"
    event = json.loads(tail[1].removeprefix("talker "))
    assert event.pop("deadlineMs") > 0
    assert event == {"eventType": "SHUTDOWN", "shutdownReason": "spindown"}
    assert story(lab, name, "extension.registered", "shutdown.started", "shutdown.ended") == [
        ("extension.registered",
         {"name": "talker", "events": ("INVOKE", "SHUTDOWN"), "external": True}),
        ("shutdown.started", {"reason": "spindown", "limit_ms": 2000}),
        ("shutdown.ended", {"duration_ms": 0, "status": "success"})]


# -- what they are told, and what they may do -------------------------------------------------------


def test_an_extension_in_shell(lab):
    if shutil.which("curl") is None:
        pytest.skip("no curl here; install curl")
    name = deploy(lab, shell=SHELL)
    assert "shell: invoked\n" in lab.invoke(name).log
    end(lab, name)
    assert lab.log_lines(name)[-1].strip() == "shell: the end"


def test_several_of_them_and_a_custom_runtime(lab):
    """In the order of their names, wherever they come from; and the response doesn't wait for them."""
    from .test_runtimes import PYTHON as RUNTIME

    lab.client.create_function(
        FunctionName="several", Runtime="provided.al2", Role=lab.role, Handler="x", Timeout=30,
        Code={"ZipFile": zipped({"bootstrap": RUNTIME}, ["bootstrap"])},
        Layers=[layer(lab, beta=PYTHON + TALKER), layer(lab, alpha=PYTHON + TALKER)])
    reply = lab.invoke("several", 1)
    assert reply.value == {"got": 1, "here": ["bootstrap"]}
    assert [line.split()[0] for line in reply.log.splitlines() if line.startswith(("al", "be"))] == [
        "alpha", "beta", "alpha", "beta"]
    assert [data["name"] for _, data in story(lab, "several", "extension.registered")] == [
        "alpha", "beta"]
    assert "spindown" not in reply.log
    end(lab, "several")
    assert "SHUTDOWN" in lab.log_lines("several")[-1]


def test_ten_are_not_too_many_but_eleven_are(lab):
    quiet = PYTHON + "register('SHUTDOWN')\nnext_event()\n"
    programs = {f"e{number:02}": quiet for number in range(10)}
    name = deploy(lab, memory=1024, **programs)
    assert lab.invoke(name, "in").value == "in"
    end(lab, name)
    reply = lab.invoke(deploy(lab, **programs, e10=quiet))
    assert reply.value["errorType"] == "Extension.LaunchError"
    assert reply.value["errorMessage"].endswith("Error: ErrTooManyExtensions")
    assert "EXTENSION\tName: e10\tState: LaunchError\tEvents: []\tError Type: TooManyExtensions" in (
        reply.log)


def test_what_an_extension_finds(lab):
    name = deploy(lab, looker=PYTHON + """
register()
print(os.getcwd(), sorted(n for n in os.environ if n.startswith(("AWS_LAMBDA", "_HANDLER", "LAMBDA_"))))
print(os.environ["COLOUR"], len(open(sys.argv[0]).read()) > 10)
next_event()
""")
    lab.client.update_function_configuration(FunctionName=name,
                                             Environment={"Variables": {"COLOUR": "blue"}})
    seen = lab.invoke(name).log.splitlines()[:2]
    assert seen[0] == ("/ ['AWS_LAMBDA_FUNCTION_MEMORY_SIZE', 'AWS_LAMBDA_FUNCTION_NAME', "
                       "'AWS_LAMBDA_FUNCTION_VERSION', 'AWS_LAMBDA_INITIALIZATION_TYPE', "
                       "'AWS_LAMBDA_RUNTIME_API']")
    assert seen[1] == "blue True"


def test_refusals(lab):
    name = deploy(lab, source="""
        import json, os, urllib.error, urllib.request
        API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension/register"
        def register(name, *events):
            request = urllib.request.Request(API, json.dumps({"events": events}).encode(),
                                             {"Lambda-Extension-Name": name})
            try:
                return urllib.request.urlopen(request).status
            except urllib.error.HTTPError as error:
                return error.code, *json.load(error).values()
        def handler(event, context):
            return [register("inner", "SHUTDOWN"), register("patient", "INVOKE"),
                    register("late", "INVOKE")]
    """, patient=PYTHON + "register()\nnext_event()\n", asker=PYTHON + """
def ask(method, path, body=None, **headers):
    status, _, answer = call(method, path, body, **headers)
    print(status, *answer.values(), sep=" | ")

root = "/2020-01-01/extension/"
ask("POST", root + "register", {"events": []})
ask("POST", root + "register", [], Name=me)
ask("POST", root + "register", {"events": ["LUNCH"]}, Name=me)
ask("GET", root + "event/next")
ask("GET", root + "event/next", Identifier="nonsense")
ask("GET", root + "event/next", Identifier="01234567-0123-4123-8123-0123456789ab")
print(register("INVOKE", Accept_Feature="accountId")["accountId"])
ask("POST", root + "register", {"events": []}, Name=me)
ask("POST", root + "init/error", {}, Identifier=identifier)
ask("POST", root + "lunch", {}, Identifier=identifier)
ask("PUT", "/2020-08-15/logs", {}, Identifier=identifier)
ask("PUT", "/2022-07-01/telemetry", {}, Identifier=identifier)
next_event()
ask("POST", root + "init/error", {}, Identifier=identifier, Function_Error_Type="Late")
next_event()
""")
    reply = lab.invoke(name)
    assert reply.value == [
        [403, "Extension.InvalidEventType",
         "SHUTDOWN: ShutdownEventNotSupportedForInternalExtension"],
        [403, "Extension.InvalidExtensionState",
         "State transition from Ready to Registered failed for extension patient. "
         "Error: State transition is not allowed"],
        [403, "Extension.RegistrationClosed", "Extension registration closed already"]]
    seen = [line.split(" | ") for line in reply.log.splitlines() if " | " in line]
    assert [line[:2] for line in seen] == [
        ["403", "Extension.InvalidExtensionName"], ["403", "InvalidRequestFormat"],
        ["403", "Extension.InvalidEventType"], ["403", "Extension.MissingExtensionIdentifier"],
        ["403", "Extension.InvalidExtensionIdentifier"],
        ["403", "Extension.UnknownExtensionIdentifier"], ["403", "Extension.InvalidExtensionState"],
        ["403", "Extension.MissingHeader"], ["404", "NotFound"], ["202", "Logs.NotSupported"],
        ["202", "Telemetry.NotSupported"], ["403", "Extension.InvalidExtensionState"]]
    assert "123456789012\n" in reply.log
    assert seen[-1][2].startswith("State transition from Running to InitError failed for extension ")


# -- failures ---------------------------------------------------------------------------------------

BROKEN = {
    "not executable": ({"ext_plain": "#!/bin/sh\n"}, "Extension.LaunchError",
                       "fork/exec /opt/extensions/ext: permission denied", "PermissionDenied"),
    "no interpreter": ({"ext": "#!/no/such/shell\n"}, "Extension.LaunchError",
                       "fork/exec /opt/extensions/ext: no such file or directory", "UnknownError"),
    "no program": ({"ext": "hello"}, "Extension.LaunchError",
                   "fork/exec /opt/extensions/ext: exec format error", "UnknownError"),
    "ends at once": ({"ext": "#!/bin/sh\nexit 0\n"}, "Extension.Crash", "exit code 0", None),
    "fails at once": ({"ext": "#!/bin/sh\nexit 3\n"}, "Extension.Crash", "exit status 3", None),
    "is killed": ({"ext": "#!/bin/sh\nkill -9 $$\n"}, "Extension.Crash", "signal: killed", None),
    "ends when registered": ({"ext": PYTHON + "register('INVOKE')\nsys.exit(1)\n"},
                             "Extension.Crash", "exit status 1", None),
    "says so": ({"ext": PYTHON + "register('INVOKE')\nfail('init', 'My.Reason')\n"},
                "Extension.InitError", "exit code 0", "My.Reason"),
}


@pytest.mark.parametrize("how", BROKEN)
def test_an_extension_that_does_not_get_ready(lab, how):
    programs, kind, reason, error_type = BROKEN[how]
    reply = lab.invoke(deploy(lab, **programs))
    request_id = reply.raw["ResponseMetadata"]["RequestId"]
    assert reply.error == "Unhandled"
    assert reply.value == {"errorType": kind,
                           "errorMessage": f"RequestId: {request_id} Error: {reason}"}
    assert f"Status: error\tError Type: {kind}" in reply.log and "handling" not in reply.log
    if error_type:
        assert f"Error Type: {error_type}\n" in reply.log


WITNESS = PYTHON + """
register("SHUTDOWN")
print("witness:", next_event()["shutdownReason"])
"""


@pytest.mark.parametrize(("code", "kind", "reason"), [
    ("next_event()\nsys.exit(4)", "Extension.Crash", "exit status 4"),
    ("next_event()\nfail('exit', 'Mine')", "Extension.ExitError", "exit code 0"),
])
def test_an_extension_that_fails_while_the_function_runs(lab, code, kind, reason):
    name = deploy(lab, ext=PYTHON + f"register('INVOKE')\n{code}\n", witness=WITNESS)
    for _ in range(2):  # the environment is not used again
        reply = lab.invoke(name, "sleep")
        request_id = reply.raw["ResponseMetadata"]["RequestId"]
        assert reply.value == {"errorType": kind,
                               "errorMessage": f"RequestId: {request_id} Error: {reason}"}
        assert "Init Duration" in reply.log
    lab.cloud.run(seconds=5)
    lines = [line.strip() for line in lab.log_lines(name)]
    assert lines.count("witness: failure") == 2 and "runtime: SIGTERM" in lines


@pytest.mark.parametrize(("event", "word", "sigterm"), [
    ("sleep", "timeout", True), ("exit", "failure", False)])
def test_timeout_and_crash_reset_the_environment(lab, event, word, sigterm):
    name = deploy(lab, timeout=3, witness=WITNESS)
    assert lab.invoke(name, "fine").error is None
    assert lab.invoke(name, event).error
    assert "Init Duration" in lab.invoke(name, "fine").log
    lab.cloud.run(seconds=5)
    lines = [line.strip() for line in lab.log_lines(name)]
    assert f"witness: {word}" in lines
    assert ("runtime: SIGTERM" in lines) == sigterm
    assert len(lab.environments(name)) == 2
    end(lab, name)


def test_an_extension_that_never_registers(lab, monkeypatch):
    monkeypatch.setattr(environment, "INIT_SECONDS", 1.0)
    monkeypatch.setattr(patience, "STUCK_SECONDS", 1.0)
    name = deploy(lab, timeout=2, ext="#!/bin/sh\nexec sleep 1000\n")
    assert "Task timed out after 2.00 seconds" in lab.invoke(name).value["errorMessage"]
    lines = lab.log_lines(name)
    assert any("INIT_REPORT" in line and "Status: timeout" in line for line in lines)
    assert any("EXTENSION\tName: ext\tState: Started\tEvents: []" in line for line in lines)


# -- internal extensions ----------------------------------------------------------------------------

INTERNAL = """
import json, os, signal, sys, threading, time, urllib.request
API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2020-01-01/extension/"
def ask(path, body=None, **headers):
    headers = {"Lambda-Extension-" + name: value for name, value in headers.items()}
    request = urllib.request.Request(API + path, body and json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request) as reply:
        return reply.headers["Lambda-Extension-Identifier"], json.load(reply)
def inner():
    while True:
        event = ask("event/next", Identifier=identifier)[1]
        begun.wait()
        begun.clear()
        time.sleep(linger)
        print("inner:", event["eventType"])
linger, begun = 0, threading.Event()
identifier, _ = ask("register", {"events": ["INVOKE"]}, Name="inner")
threading.Thread(target=inner, daemon=True).start()
def bye(*_):
    time.sleep(0.1)
    print("bye")
    if linger < 5: sys.exit(0)
signal.signal(signal.SIGTERM, bye)
def handler(event, context):
    global linger
    linger = event
    begun.set()
    return event
"""


def test_an_internal_extension(lab):
    name = lab.deploy(INTERNAL, Timeout=30)
    reply = lab.invoke(name, 0)
    assert "EXTENSION\tName: inner\tState: Ready\tEvents: [INVOKE]" in reply.log
    assert "inner: INVOKE" in "".join(lab.log_lines(name)) and "bye" not in reply.log
    end(lab, name)
    assert lab.log_lines(name)[-1].strip() == "bye"
    assert story(lab, name, "shutdown.started", "shutdown.ended") == [
        ("shutdown.started", {"reason": "spindown", "limit_ms": 500}),
        ("shutdown.ended", {"duration_ms": pytest.approx(100), "status": "success"})]


def test_the_caller_does_not_wait_for_extensions_but_the_environment_does(lab):
    name = lab.deploy(INTERNAL, Timeout=30)
    began = lab.cloud.seconds
    assert lab.invoke(name, 2).value == 2
    assert lab.cloud.seconds - began < 1
    lab.invoke(name, 0)  # the first environment is busy with its extension
    assert len(lab.environments(name)) == 2
    lab.cloud.run(seconds=3)
    spent = [event["duration_ms"] for event in lab.cloud.trace.select("invoke.ended", function=name)]
    assert sorted(round(ms) for ms in spent) == [1, 2001]
    late = lab.deploy(INTERNAL, Timeout=3)
    assert lab.invoke(late, 10).error is None  # it has its answer; the timeout is for the whole phase
    lab.cloud.run(seconds=9)
    ended, = lab.cloud.trace.select("invoke.ended", function=late)
    assert (ended["status"], ended["duration_ms"]) == ("timeout", 3000)
    assert story(lab, late, "shutdown.started", "shutdown.ended") == [
        ("shutdown.started", {"reason": "timeout", "limit_ms": 500}),
        ("shutdown.ended", {"duration_ms": 500, "status": "timeout"})]


# -- Shutdown ---------------------------------------------------------------------------------------


def test_without_extensions_there_is_no_shutdown_phase(lab):
    name = lab.deploy(HANDLER)
    lab.invoke(name, "one")
    end(lab, name)
    assert not any("SIGTERM" in line for line in lab.log_lines(name))
    assert story(lab, name, "shutdown.started") == []


def test_who_does_not_go_in_time_is_killed(lab):
    name = deploy(lab, source="""
        import signal
        signal.signal(signal.SIGTERM, lambda *_: print("no"))
        def handler(event, context): return "ok"
    """, stubborn=PYTHON + """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
register("SHUTDOWN")
print("told", next_event()["eventType"])
time.sleep(1000)
""", deaf=PYTHON + "register()\nprint(next_event())\n")
    assert lab.invoke(name).value == "ok"
    lab.client.delete_function(FunctionName=name)
    lab.cloud.run(seconds=5)
    assert story(lab, name, "shutdown.ended") == [
        ("shutdown.ended", {"duration_ms": 2000, "status": "timeout"})]
    lines = [event["message"] for event in lab.cloud.trace.select("log.line", function=name)]
    assert lines[-2:] == ["no", "told SHUTDOWN"]
    assert not survivors(marks(lab, name))


def test_idle_expiry_has_a_shutdown_phase_too(lab):
    name = deploy(lab, witness=WITNESS)
    lab.invoke(name)
    lab.cloud.run(minutes=11)
    assert lab.log_lines(name)[-1].strip() == "witness: spindown"
    ended, = lab.cloud.trace.select("environment.shutdown", function=name)
    assert ended["reason"] == "expired"


@pytest.mark.parametrize("sandbox", ["process", "bubblewrap"])
@pytest.mark.parametrize("stubborn", [False, True])
def test_closing_the_cloud_lets_extensions_finish_but_not_for_ever(sandbox, stubborn):
    need_tier(sandbox)
    code = PYTHON + "register('SHUTDOWN')\nprint(next_event()['shutdownReason'])\n"
    if stubborn:
        code += "import time\ntime.sleep(1000)\n"
    with Cloud(durations="modelled", sandbox=sandbox) as cloud:
        lab = Lab(cloud)
        name = deploy(lab, ext=code)
        lab.invoke(name)
        names = marks(lab, name)
    assert not survivors(names)
    lines = [event["message"] for event in cloud.trace.select("log.line", function=name)]
    assert ("spindown" in lines) and "runtime: SIGTERM" in lines


def test_what_extensions_compute_counts():
    """With measured durations it is a part of Init's and of the invocation's."""
    with Cloud() as cloud:
        lab = Lab(cloud)
        name = deploy(lab, memory=1792, timeout=60, ext=PYTHON + """
import time
def compute():
    began = time.process_time()
    while time.process_time() - began < 0.3: pass
register("INVOKE")
compute()
next_event()
compute()
next_event()
""")
        assert lab.invoke(name, "quick").value == "quick"
        init, = cloud.trace.select("init.ended")
        invoke, = cloud.trace.select("invoke.ended")
        assert init["duration_ms"] > 290 and 290 < invoke["duration_ms"] < 900


def test_the_inline_tier_says_what_to_do():
    with Cloud(durations="modelled", sandbox="inline") as cloud:
        lab = Lab(cloud)
        reply = lab.invoke(deploy(lab, ext=PYTHON + TALKER))
        assert reply.value["errorType"] == "Extension.LaunchError"
        assert "use Cloud(sandbox='process')" in reply.value["errorMessage"]


# -- properties -------------------------------------------------------------------------------------


def marks(lab, name):
    """What the processes of a function's environments are known by."""
    return [lab.cloud.placement.setting.host.mark(found) for found in lab.environments(name)]


def survivors(environments):
    """Processes of these environments that are still there when all has had time to go."""
    latest = time.monotonic() + 10
    while time.monotonic() < latest:
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*/environ"):
            try:
                text = path.read_bytes()
            except OSError:
                continue
            found += [path for name in environments
                      if b"MINILAMBDA_ENVIRONMENT=" + name.encode() in text]
        if not found:
            break
        time.sleep(0.1)
    return found


NASTY = {
    "talks": TALKER,
    "hangs": "import time\nregister('SHUTDOWN')\nnext_event()\ntime.sleep(1000)\n",
    "leaves a daemon": """
import signal, time
register("INVOKE", "SHUTDOWN")
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for number in (1, 2, 15): signal.signal(number, signal.SIG_IGN)
        time.sleep(1000)
    os._exit(0)
while next_event()["eventType"] != "SHUTDOWN": pass
""",
    "crashes": "register('INVOKE')\nnext_event()\nos.kill(os.getpid(), 11)\n",
    "is stopped": "register('SHUTDOWN')\nif os.fork() == 0: os.kill(os.getpid(), 19)\nnext_event()\n",
}


@settings(max_examples=5, deadline=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from(sorted(NASTY)), min_size=1, max_size=3),
       st.lists(st.sampled_from(["one", "raise", "sleep", "exit"]), min_size=1, max_size=3))
def test_nothing_of_it_survives(lab, kinds, events):
    name = deploy(lab, timeout=2, **{f"ext{n}": PYTHON + NASTY[kind]
                                     for n, kind in enumerate(kinds)})
    for event in events:
        lab.invoke(name, event)
    end(lab, name)
    assert not survivors(marks(lab, name))


SLOW = """
register("INVOKE")
while True:
    event = next_event()
    sum(range(10_000_000))
    print(me, "heard of", event["requestId"])
"""


def test_what_it_wrote_as_the_runtime_exits_is_logged(lab):
    """It is told of the invocation at that very instant; how long its CPU took doesn't matter."""
    reply = lab.invoke(deploy(lab, slow=PYTHON + SLOW), "exit")
    assert reply.value["errorType"] == "Runtime.ExitError"
    request_id = reply.raw["ResponseMetadata"]["RequestId"]
    assert f"slow heard of {request_id}" in reply.log.splitlines()


SCRIPT = """
import sys
sys.path.insert(0, {root!r})
from minilambda import Cloud
from tests.runtime.conftest import Lab
from tests.runtime import test_extensions as tests
with Cloud(durations="modelled", sandbox={sandbox!r}, seed=3) as cloud:
    lab = Lab(cloud)
    talker = tests.PYTHON + tests.TALKER
    first = tests.deploy(lab, timeout=3, b=talker, a=talker, c=tests.WITNESS)
    for event in ("one", "raise", "sleep", "two", "exit", "three"):
        lab.invoke(first, event)
    inner = lab.deploy(tests.INTERNAL, Timeout=30)
    for event in (0, 2, 0):
        lab.invoke(inner, event)
    cloud.run(minutes=20)
    for e in cloud.trace:
        print(repr((e.at, e.kind, e.function, e.environment, dict(e.data))))
"""


def test_the_same_seed_gives_the_same_trace():
    """Twice, and on either tier; whoever of several processes was quicker."""
    need_tier("bubblewrap")
    root = str(pathlib.Path(__file__).parents[2])
    runs = [subprocess.run([sys.executable, "-c", SCRIPT.format(root=root, sandbox=sandbox)],
                           text=True, capture_output=True, check=True).stdout.splitlines()
            for sandbox in ("process", "process", "bubblewrap")]
    assert runs[0] == runs[1]
    assert runs[0] == runs[2]
    assert len([line for line in runs[0] if "'shutdown.ended'" in line]) >= 4
