"""Functions that import boto3 are forked from a process that has it: nobody may be able to tell."""

import io
import os
import time
import zipfile

import psutil
import pytest

from minilambda import Cloud

from .conftest import Lab, need_tier


def package(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name.replace("__", "/") + ".py", content)
    return buffer.getvalue()


def deploy(lab, archive, **options):
    lab.count += 1
    name = f"function-{lab.count}"
    lab.client.create_function(
        FunctionName=name, Runtime="python3.8", Role=lab.role, Handler="app.handler",
        Code={"ZipFile": archive}, **options)
    return name


SHOW = "import boto3\ndef handler(event, context):\n    return boto3.__file__, boto3.__name__\n"


def test_the_sdk_is_that_of_the_runtime(lab):
    file, _ = lab.run(SHOW, MemorySize=512).value
    assert file == "/var/runtime/boto3/__init__.py" or file.endswith("/runtime/boto3/__init__.py")


def test_a_function_that_brings_its_own_gets_its_own(lab):
    value = lab.invoke(deploy(lab, package(app=SHOW, boto3="here = True\n"))).value
    assert value[0].endswith("/boto3.py")


def test_one_in_a_folder_that_it_puts_on_its_path_too(lab):
    source = "import sys\nsys.path.insert(0, 'vendored')\n" + SHOW
    name = deploy(lab, package(app=source, vendored__boto3="here = True\n"))
    assert lab.invoke(name).value[0].endswith("vendored/boto3.py")


def test_one_in_a_layer_too(lab):
    lab.count += 1
    layer = lab.client.publish_layer_version(
        LayerName=f"layer-{lab.count}",
        Content={"ZipFile": package(python__boto3="here = True\n")})["LayerVersionArn"]
    name = deploy(lab, package(app=SHOW), Layers=[layer])
    assert lab.invoke(name).value[0].endswith("python/boto3.py")


def test_a_module_of_its_own_named_like_one_that_the_sdk_has_imported(lab):
    source = "import boto3, uuid\ndef handler(e, c): return uuid.uuid4(), boto3.__name__\n"
    name = deploy(lab, package(app=source, uuid="def uuid4(): return 'mine'\n"), MemorySize=512)
    assert lab.invoke(name).value == ["mine", "boto3"]


def test_what_is_loaded_holds_nothing_of_anyone(lab):
    """No session, no credentials, no endpoint, no other clock: two environments, each its own."""
    source = """
        import boto3, random, datetime, time, botocore.utils
        loaded = boto3.DEFAULT_SESSION is None
        def handler(event, context):
            session = boto3.session.Session()
            now = datetime.datetime.now(datetime.timezone.utc)
            return {"loaded": loaded, "region": session.region_name,
                    "key": session.get_credentials().access_key, "random": random.random(),
                    "year": now.year, "other": botocore.utils.datetime.datetime.now().year,
                    "time": time.time() == now.timestamp()}
    """
    first, second = (lab.run(source, MemorySize=512).value for _ in range(2))
    assert first["loaded"] and second["loaded"]
    assert first["region"] == "eu-west-2"
    assert first["key"].startswith("ASIA") and first["key"] != second["key"]
    assert first["random"] != second["random"]
    assert first["year"] == first["other"] == 2020 and first["time"]


@pytest.mark.parametrize("source", [
    "import boto3\ndef handler(e, c): return 1\n",
    "import boto3\nclient = boto3.client('s3')\ndef handler(e, c): return 1\n",
])
def test_the_same_trace_on_both_tiers(source):
    """What was loaded for it counts as the function's own: memory included."""
    need_tier("bubblewrap")
    traces = []
    for tier in ("process", "bubblewrap"):
        with Cloud(durations="modelled", sandbox=tier, seed=7) as cloud:
            Lab(cloud).run(source, MemorySize=256)
            traces.append([(event.at, event.kind, dict(event.data)) for event in cloud.trace])
    assert traces[0] == traces[1]


def test_its_cpu_time_is_charged():
    """With measured durations an import costs what it costs, preloaded or not."""
    with Cloud(durations="measured", sandbox="process") as cloud:
        lab = Lab(cloud)
        with_it = lab.deploy("import boto3\ndef handler(e, c): return 1\n", MemorySize=512)
        without = lab.deploy("def handler(e, c): return 1\n", MemorySize=512)
        lab.invoke(with_it), lab.invoke(without)
        slow, fast = (cloud.trace.select("init.ended", function=name)[0]["duration_ms"]
                      for name in (with_it, without))
        assert slow > 2 * fast


def test_closing_the_cloud_ends_it():
    before = set(psutil.Process().children(recursive=True))
    with Cloud(durations="modelled", sandbox="process") as cloud:
        Lab(cloud).run("import boto3\ndef handler(e, c): return 1\n", MemorySize=512)
        started = set(psutil.Process().children(recursive=True)) - before
        assert len(started) == 3  # two supervisors and the environment
        root = cloud.placement.setting.host.root
    deadline = time.monotonic() + 10
    while any(p.is_running() for p in started) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not any(p.is_running() for p in started)
    assert not os.path.exists(root)
