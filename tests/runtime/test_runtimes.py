"""Runtimes other than our Python bootstrap, unmodified programs over the Runtime API."""

import io
import json
import re
import shutil
import subprocess
import sys
import zipfile

import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud, zip_handler
from minilambda.sandbox import runtimes

from minilambda.sandbox.tiers import python

from .conftest import Lab

SHELL = """#!/bin/sh
set -eu
FOLDER=${TMPDIR:-/tmp}
API="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
while :; do
  event=$(curl -sS -D "$FOLDER/headers" "$API/next")
  id=$(grep -i '^lambda-runtime-aws-request-id:' "$FOLDER/headers" | tr -d '\\r' | cut -d' ' -f2)
  echo "serving $id from $LAMBDA_TASK_ROOT"
  if [ "$event" = '"fail"' ]; then
    curl -sS -X POST "$API/$id/error" -H 'Lambda-Runtime-Function-Error-Type: Own.Error' \\
      -d '{"errorType": "Own.Error", "errorMessage": "as asked"}' > /dev/null
  elif [ "$event" = '"exit"' ]; then
    exit 3
  else
    curl -sS -X POST "$API/$id/response" -d "{\\"got\\": $event}" > /dev/null
  fi
done
"""
PYTHON = f"""#!{python()[0]}
import json, os, urllib.request
api = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"
opener = urllib.request.build_opener(urllib.request.ProxyHandler({{}}))
while True:
    with opener.open(api + "next") as reply:
        request_id, event = reply.headers["Lambda-Runtime-Aws-Request-Id"], json.load(reply)
    body = json.dumps({{"got": event, "here": sorted(os.listdir("."))}}).encode()
    opener.open(api + request_id + "/response", body).read()
"""
C = r"""
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One exchange on a connection of its own; the answer is put into buffer. */
static void call(const char *method, const char *path, const char *body, char *buffer) {
    char *api = strdup(getenv("AWS_LAMBDA_RUNTIME_API")), *colon = strchr(api, ':');
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(colon + 1))};
    *colon = 0;
    inet_pton(AF_INET, api, &to.sin_addr);
    int door = socket(AF_INET, SOCK_STREAM, 0), have = 0, got;
    connect(door, (struct sockaddr *)&to, sizeof to);
    dprintf(door, "%s /2018-06-01/runtime/invocation/%s HTTP/1.0\r\nContent-Length: %zu\r\n\r\n%s",
            method, path, strlen(body), body);
    while ((got = read(door, buffer + have, 65000 - have)) > 0) have += got;
    buffer[have] = 0;
    close(door);
    free(api);
}

int main(void) {
    static char buffer[65536], path[256], body[65536];
    for (;;) {
        call("GET", "next", "", buffer);
        char *id = strcasestr(buffer, "Lambda-Runtime-Aws-Request-Id: ") + 31;
        snprintf(path, sizeof path, "%.36s/response", id);
        snprintf(body, sizeof body, "{\"from C\": %s}", strstr(buffer, "\r\n\r\n") + 4);
        call("POST", path, body, buffer);
    }
}
"""


def package(**files):
    """A deployment package; a name's dots are written ``__``. A tuple is (content, mode)."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            content, mode = content if isinstance(content, tuple) else (content, 0o644)
            entry = zipfile.ZipInfo(name.replace("__", "."))
            entry.create_system, entry.external_attr = 3, (0o100000 | mode) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


def deploy(lab, runtime, handler="app.handler", variables=None, files=None, archive=None, **more):
    lab.count += 1
    name = f"function-{lab.count}"
    lab.client.create_function(
        FunctionName=name, Runtime=runtime, Role=lab.role, Handler=handler,
        Environment={"Variables": variables or {}},
        Code={"ZipFile": archive or package(**files)}, **more)
    return name


@pytest.fixture(scope="session")
def compiled(tmp_path_factory):
    if shutil.which("cc") is None:
        pytest.skip("no C compiler here; install cc")
    folder = tmp_path_factory.mktemp("c")
    (folder / "main.c").write_text(C)
    subprocess.run(["cc", "-D_GNU_SOURCE", "-O1", "-o", folder / "bootstrap", folder / "main.c"],
                   check=True)
    return zip_handler(folder / "bootstrap")


@pytest.mark.parametrize("runtime", ["provided", "provided.al2023"])
def test_a_bootstrap_in_shell(lab, runtime):
    if shutil.which("curl") is None:
        pytest.skip("no curl here; install curl")
    name = deploy(lab, runtime, files={"bootstrap": (SHELL, 0o755)}, Timeout=10)
    reply = lab.invoke(name, {"a": 1})
    assert reply.value == {"got": {"a": 1}} and reply.error is None
    request_id = reply.raw["ResponseMetadata"]["RequestId"]
    assert f"serving {request_id} from /var/task\n" in reply.log
    assert "Memory Size: 128 MB\tMax Memory Used: 16 MB\tInit Duration: 40.00 ms" in reply.log
    failed = lab.invoke(name, "fail")
    assert failed.error == "Unhandled"
    assert failed.value == {"errorType": "Own.Error", "errorMessage": "as asked"}
    assert "Init Duration" not in failed.log
    ended = lab.invoke(name, "exit")
    assert ended.value["errorType"] == "Runtime.ExitError"
    assert ended.value["errorMessage"].endswith("Runtime exited with error: exit status 3")


def test_a_bootstrap_in_python(lab):
    name = deploy(lab, "provided.al2", files={"bootstrap": (PYTHON, 0o755), "data__txt": "x"},
                  Timeout=10)
    assert lab.invoke(name, [1]).value == {"got": [1], "here": ["bootstrap", "data.txt"]}


def test_a_compiled_bootstrap(lab, compiled):
    name = deploy(lab, "provided.al2", archive=compiled)
    for event in (1, "two"):
        assert lab.invoke(name, event).value == {"from C": event}


@pytest.mark.parametrize(("files", "reason"), [
    ({"app__py": "x = 1"},
     "Couldn't find valid bootstrap(s): [/var/task/bootstrap /opt/bootstrap]"),
    ({"bootstrap": (SHELL, 0o644)}, "fork/exec /var/task/bootstrap: permission denied"),
    ({"bootstrap": ("echo hello", 0o755)}, "fork/exec /var/task/bootstrap: exec format error"),
    ({"bootstrap": ("#!/no/such\n", 0o755)},
     "fork/exec /var/task/bootstrap: no such file or directory"),
])
def test_no_valid_bootstrap(lab, files, reason):
    reply = lab.invoke(deploy(lab, "provided.al2023", files=files))
    request_id = reply.raw["ResponseMetadata"]["RequestId"]
    assert reply.error == "Unhandled"
    assert reply.value == {"errorType": "Runtime.InvalidEntrypoint",
                           "errorMessage": f"RequestId: {request_id} Error: {reason}"}
    assert "Status: error\tError Type: Runtime.InvalidEntrypoint" in reply.log


def test_a_wrapper_script_starts_python(lab):
    wrapper = "#!/bin/sh\nexport WRAPPED=yes\nexec \"$@\"\n"
    source = ("import os, time\ndef handler(e, c):\n    time.sleep(1)\n"
              "    return os.environ['WRAPPED'], open('/var/task/wrapper').readline(), time.time()\n")
    name = deploy(lab, "python3.8", variables={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"},
                  files={"app__py": source, "wrapper": (wrapper, 0o755)})
    reply = lab.invoke(name)
    assert reply.value[:2] == ["yes", "#!/bin/sh\n"]
    assert reply.value[2] == pytest.approx(lab.cloud.clock.timestamp(), abs=0.01)
    assert "Duration: 1001.40 ms" in reply.log
    missing = deploy(lab, "python3.8", variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/nothing"},
                     files={"app__py": source})
    assert lab.invoke(missing).value["errorMessage"].endswith(
        "fork/exec /opt/nothing: no such file or directory")


needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node here; install Node.js")


@needs_node
@pytest.mark.parametrize("files", [
    {"app__js": "exports.handler = async (event) => ({got: event, wrapped: process.env.WRAPPED});"},
    {"app__mjs": "export const handler = async (event) => ({got: event});"},
    {"app__js": "export const handler = (event) => Promise.resolve({got: event});",
     "package__json": '{"type": "module"}'},
    {"app__cjs": "module.exports = {handler: (event, context, done) => done(null, {got: event})};"},
    {"app__js": "exports.handler = (e, c, done) => { setTimeout(() => done(null, {got: e}), 5); };"},
], ids=["commonjs", "mjs", "module", "callback", "later"])
def test_node_handlers(lab, files):
    name = deploy(lab, "nodejs20.x", files=files, Timeout=10)
    for event in (1, {"a": "é"}):
        assert lab.invoke(name, event).value == {"got": event}


@needs_node
def test_node_s_log_and_context(lab):
    name = deploy(lab, "nodejs12.x", files={"app__js": """
        exports.handler = async (event, context) => {
          console.log("hello", {n: 1});
          return [context.getRemainingTimeInMillis(), context.functionName, context.awsRequestId];
        };"""})
    reply = lab.invoke(name)
    request_id = reply.raw["ResponseMetadata"]["RequestId"]
    assert reply.value == [3000, name, request_id]
    assert re.search(rf"^2020-03-02T\S+Z\t{request_id}\tINFO\thello {{ n: 1 }}$", reply.log, re.M)
    assert "Max Memory Used: 56 MB\tInit Duration: 140.00 ms" in reply.log


@needs_node
@pytest.mark.parametrize(("source", "kind", "message"), [
    ("exports.handler = async () => { throw new TypeError('no'); };", "TypeError", "no"),
    ("exports.handler = (e, c, done) => done(new Error('no'));", "Error", "no"),
    ("exports.handler = async () => { throw 'text'; };", "string", "text"),
    ("throw new RangeError('init'); ", "RangeError", "init"),
    ("exports.other = 1;", "Runtime.HandlerNotFound", "app.handler is undefined or not exported"),
    ("const x = ;", "Runtime.UserCodeSyntaxError", "SyntaxError: Unexpected token ';'"),
    ("exports.handler = async () => 'x'.repeat(7e6);", "Function.ResponseSizeTooLarge",
     "Response payload size exceeded maximum allowed payload size (6291556 bytes)."),
])
def test_node_errors(lab, source, kind, message):
    reply = lab.invoke(deploy(lab, "nodejs20.x", files={"app__js": source}, MemorySize=512))
    assert reply.error == "Unhandled"
    assert (reply.value["errorType"], reply.value["errorMessage"]) == (kind, message)
    assert "ERROR\t" in reply.log and json.dumps(kind) in reply.log
    assert all("/tmp/minilambda" not in line for line in reply.value.get("trace", []))
    if kind != "Function.ResponseSizeTooLarge":  # the Runtime API's, not the runtime's
        assert set(reply.value) == {"errorType", "errorMessage", "trace"}


@needs_node
def test_node_missing_module_and_endings(lab):
    def run(source):
        return lab.invoke(deploy(lab, "nodejs20.x", files={"app__js": source}, Timeout=2)).value

    missing = run("require('nosuch');")
    assert missing["errorType"] == "Runtime.ImportModuleError"
    assert missing["errorMessage"].startswith("Error: Cannot find module 'nosuch'\nRequire stack:")
    assert run("exports.handler = async () => { process.exit(4); };")["errorMessage"].endswith(
        "Runtime exited with error: exit status 4")
    assert "Task timed out after 2.00 seconds" in run(
        "exports.handler = async () => { for (;;) {} };")["errorMessage"]
    assert run("exports.handler = (event, context, callback) => {};") is None


def test_without_node_it_says_what_is_missing(fresh, monkeypatch):
    name = deploy(fresh, "nodejs20.x", files={"app__js": "x"})
    monkeypatch.setattr(runtimes.shutil, "which", lambda name: None)
    with pytest.raises(ClientError, match="no 'node' program on this machine's PATH"):
        fresh.client.invoke(FunctionName=name)


def test_other_languages_say_what_is_missing(fresh):
    for runtime in ("java11", "dotnet8", "ruby3.3", "go1.x"):
        name = deploy(fresh, runtime, files={"app__txt": "x"})
        with pytest.raises(ClientError, match=f"runtime {runtime} here: there is no .* runtime here"):
            fresh.client.invoke(FunctionName=name)


def test_another_python_than_asked_for_is_noted():
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    with Cloud(durations="modelled") as cloud:
        lab = Lab(cloud)
        same = deploy(lab, here, files={"app__py": "x"})
        other = deploy(lab, "python3.8", files={"app__py": "x"})
        assert not [note for note in cloud.notes if note.startswith(same)]
        assert cloud.notes == [f"{other}: runtime python3.8 runs on this machine's Python {here[6:]}"]
