"""The service's own environment variables, each by name: AWS page "Working with Lambda environment
variables", section "Defined runtime environment variables"."""

import re
import shutil

import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud

from .conftest import Lab

SHOW = "import os\ndef handler(event, context): return dict(os.environ)\n"

# What the page calls reserved. (AWS_SECURITY_TOKEN isn't on it; AWS refuses it all the same.)
RESERVED = [
    "_HANDLER", "_X_AMZN_TRACE_ID", "AWS_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_DEFAULT_REGION",
    "AWS_EXECUTION_ENV", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "AWS_LAMBDA_FUNCTION_NAME",
    "AWS_LAMBDA_FUNCTION_VERSION", "AWS_LAMBDA_INITIALIZATION_TYPE", "AWS_LAMBDA_LOG_GROUP_NAME",
    "AWS_LAMBDA_LOG_STREAM_NAME", "AWS_LAMBDA_RUNTIME_API", "AWS_REGION", "AWS_SECRET_ACCESS_KEY",
    "AWS_SESSION_TOKEN", "LAMBDA_RUNTIME_DIR", "LAMBDA_TASK_ROOT",
]
UNRESERVED = ["LANG", "PATH", "LD_LIBRARY_PATH", "NODE_PATH", "PYTHONPATH", "GEM_PATH",
              "AWS_XRAY_CONTEXT_MISSING", "AWS_XRAY_DAEMON_ADDRESS", "TZ"]


def test_each_has_aws_s_value(lab):
    name = lab.deploy(SHOW, name=f"shown-{lab.cloud.sandbox}", MemorySize=192)
    seen = lab.invoke(name).value
    stream = seen.pop("AWS_LAMBDA_LOG_STREAM_NAME")
    assert re.fullmatch(r"\d{4}/\d\d/\d\d/\[\$LATEST\][0-9a-f]{32}", stream)
    assert re.fullmatch("ASIA[0-9A-F]{16}", seen.pop("AWS_ACCESS_KEY_ID"))
    assert re.fullmatch("ASIA[0-9A-F]{16}", seen.pop("AWS_ACCESS_KEY"))
    assert re.fullmatch(r"127\.0\.0\.1:\d+", seen.pop("AWS_LAMBDA_RUNTIME_API"))
    assert re.fullmatch(r"127\.0\.0\.1:\d+", seen.pop("AWS_XRAY_DAEMON_ADDRESS"))
    assert re.fullmatch("Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0",
                        seen.pop("_X_AMZN_TRACE_ID"))
    assert seen.pop("AWS_SECRET_ACCESS_KEY") and seen.pop("AWS_SESSION_TOKEN")
    assert {key: seen.pop(key) for key in list(seen) if key in RESERVED + UNRESERVED
            and key not in ("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "PATH", "LD_LIBRARY_PATH",
                            "PYTHONPATH")} == {
        "_HANDLER": "app.handler", "TZ": ":UTC", "LANG": "en_US.UTF-8",
        "AWS_REGION": "eu-west-2", "AWS_DEFAULT_REGION": "eu-west-2",
        "AWS_EXECUTION_ENV": "AWS_Lambda_python3.8", "AWS_LAMBDA_FUNCTION_NAME": name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "192", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": f"/aws/lambda/{name}",
        "AWS_XRAY_CONTEXT_MISSING": "LOG_ERROR",
    }
    places = {key: seen.pop(key) for key in ("LAMBDA_TASK_ROOT", "LAMBDA_RUNTIME_DIR", "PATH",
                                             "LD_LIBRARY_PATH", "PYTHONPATH")}
    if lab.cloud.sandbox == "process":  # there these are where the folders really are
        for logical, real in (("/var/task", places["LAMBDA_TASK_ROOT"]),
                              ("/var/runtime", places["LAMBDA_RUNTIME_DIR"])):
            places = {key: value.replace(real, logical) for key, value in places.items()}
        places["PATH"] = re.sub(r"[^:]+(?=/bin$)", "/opt", places["PATH"])
        places["LD_LIBRARY_PATH"] = re.sub(r"[^:]+(?=/lib$)", "/opt", places["LD_LIBRARY_PATH"])
    assert places == {
        "LAMBDA_TASK_ROOT": "/var/task", "LAMBDA_RUNTIME_DIR": "/var/runtime",
        "PATH": "/var/lang/bin:/usr/local/bin:/usr/bin:/bin:/opt/bin",
        "LD_LIBRARY_PATH": "/var/lang/lib:/lib64:/usr/lib64:/var/runtime:/var/runtime/lib:"
                           "/var/task:/var/task/lib:/opt/lib",
        "PYTHONPATH": "/var/runtime",
    }
    # Nothing else: no HOME, nothing of the reader's. These are ours, and lead to the cloud.
    assert seen.keys() <= {
        "PYTHONHASHSEED", "MINILAMBDA_ENVIRONMENT", "TMPDIR", "AWS_ENDPOINT_URL", "PWD",
        "AWS_EC2_METADATA_DISABLED", "HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy",
        "NO_PROXY", "no_proxy",
        "LC_CTYPE"}  # Python's own doing, where the machine has no en_US.UTF-8


def test_the_trace_header_is_another_one_each_time(lab):
    name = lab.deploy("import os\ndef handler(e, c): return os.environ['_X_AMZN_TRACE_ID']\n")
    first, second = lab.invoke(name).value, lab.invoke(name).value
    assert first != second and len(lab.environments(name)) == 1


@pytest.mark.parametrize("profile", ["course", "today"])
def test_a_function_can_t_set_those_that_are_reserved(profile):
    with Cloud(durations="modelled", limits=profile) as cloud:
        lab = Lab(cloud)
        name = lab.deploy("def handler(e, c): pass\n")
        for variable in [*RESERVED, "AWS_SECURITY_TOKEN"]:
            with pytest.raises(ClientError) as refused:
                lab.client.update_function_configuration(
                    FunctionName=name, Environment={"Variables": {variable: "x", "MINE": "y"}})
            if variable.startswith("_"):  # no name that a function's variable may have at all
                assert refused.value.response["Error"]["Code"] == "ValidationException"
                continue
            assert refused.value.response["Error"] == {
                "Code": "InvalidParameterValueException",
                "Message": "Lambda was unable to configure your environment variables because the "
                           "environment variables you have provided contains reserved keys that "
                           "are currently not supported for modification. Reserved keys used in "
                           f"this request: {variable}"}
        lab.client.update_function_configuration(
            FunctionName=name, Environment={"Variables": dict.fromkeys(UNRESERVED, "mine")})


def test_a_function_s_own_value_wins_for_the_others(lab):
    mine = {name: f"/mine/{name}" for name in UNRESERVED if name not in ("TZ", "PYTHONPATH")}
    seen = lab.run(SHOW, Environment={"Variables": mine}).value
    assert {name: seen[name] for name in mine} == mine


def test_its_own_time_zone_is_the_handler_s(lab):
    source = ("import datetime, time\ndef handler(e, c):\n"
              "    return datetime.datetime.now().hour - datetime.datetime.utcnow().hour,"
              " time.strftime('%Z')\n")
    assert lab.run(source).value == [0, "UTC"]
    assert lab.run(source, Environment={"Variables": {"TZ": "XST-5"}}).value in (
        [5, "XST"], [-19, "XST"])  # past midnight there, the second


def test_its_own_python_path_is_searched_before_the_standard_library(lab):
    from .layer_files import zipped

    archive = zipped({"app.py": "import colorsys, mine\n"
                                "def handler(e, c): return mine.here, colorsys.here\n",
                      "lib/mine.py": "here = 1", "lib/colorsys.py": "here = 2"})
    lab.client.create_function(
        FunctionName=f"own-path-{lab.cloud.sandbox}", Runtime="python3.8", Role=lab.role,
        Handler="app.handler", Code={"ZipFile": archive},
        Environment={"Variables": {"PYTHONPATH": "/var/task/lib"}})
    assert lab.invoke(f"own-path-{lab.cloud.sandbox}").value == [1, 2]


@pytest.mark.skipif(shutil.which("node") is None, reason="no node here; install Node.js")
def test_node_path_leads_to_a_layer_s_modules(lab):
    from .layer_files import zipped

    layer = lab.client.publish_layer_version(LayerName="modules", Content={"ZipFile": zipped({
        "nodejs/node_modules/everywhere/index.js": "module.exports = 'any'",
        "nodejs/node12/node_modules/somewhere/index.js": "module.exports = 'twelve'"})})
    source = "exports.handler = async () => [require('everywhere'), require('somewhere'), " \
             "process.env.NODE_PATH.split(':').length, process.env._X_AMZN_TRACE_ID.slice(0, 7)]"
    name = f"with-modules-{lab.cloud.sandbox}"
    lab.client.create_function(
        FunctionName=name, Runtime="nodejs12.x", Role=lab.role, Handler="app.handler",
        Code={"ZipFile": zipped({"app.js": source})}, Layers=[layer["LayerVersionArn"]],
        MemorySize=512, Timeout=20)
    assert lab.invoke(name).value == ["any", "twelve", 5, "Root=1-"]
