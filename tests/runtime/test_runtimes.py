"""Runtimes other than our Python bootstrap, unmodified programs over the Runtime API."""

import io
import json
import os
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


CPP = r"""
#include <arpa/inet.h>
#include <cstdlib>
#include <string>
#include <unistd.h>

static std::string call(const std::string &request) {
    std::string api = std::getenv("AWS_LAMBDA_RUNTIME_API"), answer;
    auto colon = api.find(':');
    sockaddr_in to{};
    to.sin_family = AF_INET;
    to.sin_port = htons(std::stoi(api.substr(colon + 1)));
    inet_pton(AF_INET, api.substr(0, colon).c_str(), &to.sin_addr);
    int door = socket(AF_INET, SOCK_STREAM, 0);
    connect(door, reinterpret_cast<sockaddr *>(&to), sizeof to);
    write(door, request.data(), request.size());
    char piece[4096];
    for (ssize_t got; (got = read(door, piece, sizeof piece)) > 0;) answer.append(piece, got);
    close(door);
    return answer;
}

int main() {
    const std::string base = "/2018-06-01/runtime/invocation/";
    const std::string name = "Lambda-Runtime-Aws-Request-Id: ";
    for (;;) {
        auto next = call("GET " + base + "next HTTP/1.0\r\n\r\n");
        auto id = next.substr(next.find(name) + name.size(), 36);
        auto event = next.substr(next.find("\r\n\r\n") + 4);
        bool fails = event == "\"fail\"";
        std::string body = fails ? R"({"errorType": "std::runtime_error", "errorMessage": "as asked"})"
                                 : "{\"got\": " + event + "}";
        call("POST " + base + id + (fails ? "/error" : "/response") + " HTTP/1.0\r\nContent-Length: "
             + std::to_string(body.size()) + "\r\n\r\n" + body);
    }
}
"""
RUST = r"""
use std::io::{Read, Write};
use std::net::TcpStream;

fn call(request: &str) -> std::io::Result<String> {
    let mut door = TcpStream::connect(std::env::var("AWS_LAMBDA_RUNTIME_API").unwrap())?;
    door.write_all(request.as_bytes())?;
    let mut answer = String::new();
    door.read_to_string(&mut answer)?;
    Ok(answer)
}

fn main() -> std::io::Result<()> {
    let base = "/2018-06-01/runtime/invocation/";
    let name = "Lambda-Runtime-Aws-Request-Id: ";
    loop {
        let next = call(&format!("GET {base}next HTTP/1.0\r\n\r\n"))?;
        let (head, event) = next.split_once("\r\n\r\n").unwrap();
        let from = head.find(name).unwrap() + name.len();
        let id = &head[from..from + 36];
        let (how, body) = if event == "\"fail\"" {
            ("error", r#"{"errorType": "std::io::Error", "errorMessage": "as asked"}"#.to_string())
        } else {
            ("response", format!("{{\"got\": {event}}}"))
        };
        call(&format!("POST {base}{id}/{how} HTTP/1.0\r\nContent-Length: {}\r\n\r\n{body}", body.len()))?;
    }
}
"""
JAVA = r"""
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;

public class Main {
    static final HttpClient CLIENT =
        HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();
    static final String BASE =
        "http://" + System.getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation/";

    static String handle(String event) {
        if (event.equals("\"fail\"")) throw new IllegalStateException("as asked");
        return "{\"got\": " + event + "}";
    }

    static int post(String where, String body) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(BASE + where));
        return CLIENT.send(request.POST(BodyPublishers.ofString(body)).build(),
                           BodyHandlers.discarding()).statusCode();
    }

    public static void main(String[] arguments) throws Exception {
        for (;;) {
            var next = CLIENT.send(HttpRequest.newBuilder(URI.create(BASE + "next")).build(),
                                   BodyHandlers.ofString());
            var id = next.headers().firstValue("Lambda-Runtime-Aws-Request-Id").orElseThrow();
            try {
                System.out.println("answered: " + post(id + "/response", handle(next.body())));
            } catch (IllegalStateException failure) {
                post(id + "/error", "{\"errorType\": \"" + failure.getClass().getName()
                    + "\", \"errorMessage\": \"" + failure.getMessage() + "\"}");
            }
        }
    }
}
"""
START_JAVA = """#!/bin/sh
exec java -Xmx64m -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$LAMBDA_TASK_ROOT" Main
"""
RUBY = """#!/bin/sh
exec ruby --disable-gems "$LAMBDA_TASK_ROOT/main.rb"
"""
MAIN_RUBY = """
require "net/http"
require "json"

host, port = ENV["AWS_LAMBDA_RUNTIME_API"].split(":")
base = "/2018-06-01/runtime/invocation/"
api = Net::HTTP.new(host, port.to_i, nil)
api.read_timeout = 3600
loop do
  answer = api.get(base + "next")
  id, event = answer["Lambda-Runtime-Aws-Request-Id"], answer.body
  if event == '"fail"'
    error = {errorType: "Function<RuntimeError>", errorMessage: "as asked"}
    api.post(base + id + "/error", error.to_json)
  else
    api.post(base + id + "/response", "{\\"got\\": #{event}}")
  end
end
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


def built(folder, language):
    """A bootstrap of a language: its package's files, and what it names an error."""
    program, source, command, error = {
        "C++": ("g++", CPP, ["g++", "-O1", "-o", "bootstrap", "source.cpp"], "std::runtime_error"),
        "Rust": ("rustc", RUST, ["rustc", "--edition=2021", "-o", "bootstrap", "source.rs"],
                 "std::io::Error"),
        "Java": ("javac", JAVA, ["javac", "Main.java"], "java.lang.IllegalStateException"),
        "Ruby": ("ruby", MAIN_RUBY, ["ruby", "-c", "main.rb"], "Function<RuntimeError>"),
    }[language]
    if shutil.which(program) is None:
        pytest.skip(f"no {language} toolchain on this machine: there is no {program!r} program")
    needed = {"Java": "java", "Ruby": "ruby"}.get(language)
    found = needed and shutil.which(needed, path="/usr/local/bin:/usr/bin:/bin")
    if needed and not os.path.realpath(found or "").startswith("/usr/"):
        pytest.skip(f"no {needed!r} among the system's own programs: others a sandbox can't see")
    (folder / command[-1]).write_text(source)
    subprocess.run(command, check=True, cwd=folder)
    files = {name.name.replace(".", "__"): (name.read_bytes(), name.stat().st_mode & 0o777)
             for name in folder.iterdir() if name.suffix in ("", ".class", ".rb")}
    if language in ("Java", "Ruby"):
        files["bootstrap"] = ({"Java": START_JAVA, "Ruby": RUBY}[language], 0o755)
    return files, error


@pytest.mark.parametrize("language", ["C++", "Rust", "Java", "Ruby"])
def test_languages_without_a_managed_runtime_here(lab, tmp_path, language):
    """Through a custom runtime, each speaking the Runtime API with what its own library has."""
    files, kind = built(tmp_path, language)
    name = deploy(lab, "provided.al2023", files=files, MemorySize=512, Timeout=30)
    for event in ({"a": "1"}, [2]):
        assert lab.invoke(name, event).value == {"got": event}
    failed = lab.invoke(name, "fail")
    assert failed.error == "Unhandled"
    assert failed.value == {"errorType": kind, "errorMessage": "as asked"}
    again = lab.invoke(name, 3)
    assert again.value == {"got": 3} and "Init Duration" not in again.log


def test_a_runtime_can_be_a_layer(lab):
    """And the function's own bootstrap comes before it."""
    layer = lab.client.publish_layer_version(
        LayerName=f"runtime-{lab.count}",
        Content={"ZipFile": package(bootstrap=(PYTHON, 0o755))})["LayerVersionArn"]
    name = deploy(lab, "provided.al2", files={"data__txt": "x"}, Timeout=10, Layers=[layer])
    assert lab.invoke(name, [1]).value == {"got": [1], "here": ["data.txt"]}
    own = PYTHON.replace('"got"', '"own"')
    lab.client.update_function_code(FunctionName=name, ZipFile=package(bootstrap=(own, 0o755)))
    assert lab.invoke(name, [1]).value == {"own": [1], "here": ["bootstrap"]}


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


def test_a_wrapper_script_can_be_in_a_layer_and_change_the_command(lab):
    """As in AWS's own example: it turns an option of the interpreter on."""
    wrapper = '#!/bin/sh\nprogram=$1; shift\nexec "$program" -X utf8=1 "$@"\n'
    layer = lab.client.publish_layer_version(
        LayerName=f"wrapper-{lab.count}",
        Content={"ZipFile": package(wrapper=(wrapper, 0o755))})["LayerVersionArn"]
    source = "import sys\ndef handler(e, c): return sys._xoptions.get('utf8')\n"
    name = deploy(lab, "python3.8", variables={"AWS_LAMBDA_EXEC_WRAPPER": "/opt/wrapper"},
                  files={"app__py": source}, Layers=[layer])
    assert lab.invoke(name).value == "1"


def test_a_custom_runtime_has_no_wrapper_script(lab):
    """AWS: wrapper scripts aren't supported on OS-only runtimes. The variable is one like others."""
    wrapper = "#!/bin/sh\nexit 7\n"
    name = deploy(lab, "provided.al2", variables={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"},
                  files={"bootstrap": (PYTHON, 0o755), "wrapper": (wrapper, 0o755)}, Timeout=10)
    assert lab.invoke(name, 1).value == {"got": 1, "here": ["bootstrap", "wrapper"]}


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
def test_a_wrapper_script_starts_node(lab):
    wrapper = '#!/bin/sh\nexport WRAPPED=yes\nprogram=$1; shift\nexec "$program" --no-warnings "$@"\n'
    source = "exports.handler = async () => [process.env.WRAPPED, process.execArgv.includes('--no-warnings')];"
    name = deploy(lab, "nodejs20.x", variables={"AWS_LAMBDA_EXEC_WRAPPER": "/var/task/wrapper"},
                  files={"app__js": source, "wrapper": (wrapper, 0o755)}, Timeout=10)
    assert lab.invoke(name).value == ["yes", True]


@needs_node
def test_a_node_layer(lab):
    """``require`` looks into the function's node_modules, then the layers': of this version first."""
    where = "module.exports = '{}';".format
    layer = lab.client.publish_layer_version(
        LayerName=f"node-{lab.count}", Content={"ZipFile": package(**{
            "nodejs/node_modules/plain/index__js": where("node_modules"),
            "nodejs/node_modules/both/index__js": where("node_modules"),
            "nodejs/node_modules/mine/index__js": where("node_modules"),
            "nodejs/node20/node_modules/both/index__js": where("node20"),
            "nodejs/node18/node_modules/both/index__js": where("node18"),
        })})["LayerVersionArn"]
    source = "exports.handler = async () => ['plain', 'both', 'mine'].map((name) => require(name));"
    name = deploy(lab, "nodejs20.x", Layers=[layer], Timeout=10, files={
        "app__js": source, "node_modules/mine/index__js": where("function")})
    assert lab.invoke(name).value == ["node_modules", "node20", "function"]


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


@pytest.mark.parametrize("there", [True, False])
def test_other_languages_say_what_is_missing(fresh, monkeypatch, there):
    monkeypatch.setattr(runtimes.shutil, "which", lambda name: f"/bin/{name}" if there else None)
    toolchain = "'{}' is on this machine's PATH" if there else "nor is there a '{}' program"
    for runtime, program in {"java11": "java", "dotnet8": "dotnet", "dotnetcore3.1": "dotnet",
                             "ruby3.3": "ruby", "go1.x": "go"}.items():
        name = deploy(fresh, runtime, files={"app__txt": "x"})
        with pytest.raises(ClientError, match=f"runtime {runtime} here: there is no .* runtime here; "
                           + toolchain.format(program)):
            fresh.client.invoke(FunctionName=name)


def test_what_is_no_runtime_is_refused_as_aws_words_it(fresh):
    """PowerShell too: on AWS its functions run on the .NET runtimes."""
    with pytest.raises(ClientError, match="Value powershell at 'runtime' failed to satisfy "
                       r"constraint: Member must satisfy enum value set: \[.*provided.*\]"):
        deploy(fresh, "powershell", files={"app__ps1": "x"})


def test_another_python_than_asked_for_is_noted():
    here = f"python{sys.version_info.major}.{sys.version_info.minor}"
    with Cloud(durations="modelled") as cloud:
        lab = Lab(cloud)
        same = deploy(lab, here, files={"app__py": "x"})
        other = deploy(lab, "python3.8", files={"app__py": "x"})
        assert not [note for note in cloud.notes if note.startswith(same)]
        assert cloud.notes == [f"{other}: runtime python3.8 runs on this machine's Python {here[6:]}"]
