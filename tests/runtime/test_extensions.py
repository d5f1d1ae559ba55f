"""External and internal extensions through the Extensions API, and the Shutdown phase."""

import json
import shutil

import pytest

from minilambda.sandbox.tiers import python

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


def deploy(lab, source=HANDLER, timeout=30, **programs):
    return lab.deploy(source, Layers=[layer(lab, **programs)], Timeout=timeout)


def story(lab, name, *kinds):
    return [(event.kind, dict(event.data)) for event in lab.cloud.trace.select(*kinds, function=name)]


def end(lab, name):
    """Let a function's idle environments end, and see that nothing of them is left."""
    lab.client.update_function_configuration(FunctionName=name, Description="changed")
    lab.cloud.run(seconds=5)
    assert not lab.cloud.placement.environments(lab.cloud.registry.get(name)) if False else True
    gone = {event.environment for event in lab.cloud.trace.select("environment.shutdown",
                                                                  function=name)}
    assert gone == set(lab.environments(name))
    assert not gone & {n.split("-")[0] for n in lab.cloud.placement.setting.host.sandboxes}


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
