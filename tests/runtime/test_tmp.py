"""/tmp: of exactly its size, kept while frozen, gone with its environment."""

import pathlib
import re

import pytest
from botocore.exceptions import ClientError

from minilambda import Cloud

from .conftest import Lab, need_tier

FILL = """
import os
def handler(event, context):
    with open("/tmp/big", "wb", buffering=0) as file:
        os.posix_fallocate(file.fileno(), 0, event["bytes"])
        try:
            os.posix_fallocate(file.fileno(), 0, event["bytes"] + 1)
            return "one byte more"
        except OSError as error:
            return error.strerror
"""


@pytest.fixture(scope="module")
def today():
    """A cloud of today's, in bubblewrap."""
    need_tier("bubblewrap")
    with Cloud(durations="modelled", sandbox="bubblewrap", limits="today") as cloud:
        yield Lab(cloud)


@pytest.mark.parametrize("megabytes", [None, 512, 513, 1024, 10240])
def test_it_is_of_exactly_the_size_asked_for(today, megabytes):
    configuration = {"EphemeralStorage": {"Size": megabytes}} if megabytes else {}
    name = today.deploy("""
        import os
        def handler(event, context):
            space = os.statvfs("/tmp")
            return space.f_blocks * space.f_frsize
    """, **configuration)
    assert today.invoke(name).value == (megabytes or 512) << 20
    assert today.client.get_function_configuration(
        FunctionName=name)["EphemeralStorage"] == {"Size": megabytes or 512}


@pytest.mark.parametrize("megabytes", [512, 640])
def test_one_byte_over_it_there_is_no_space_left(today, megabytes):
    reply = today.run(FILL, {"bytes": megabytes << 20}, Timeout=60, MemorySize=512,
                      EphemeralStorage={"Size": megabytes})
    assert reply.value == "No space left on device"


def test_another_size_is_another_environment(today):
    name = today.deploy("import os\ndef handler(e, c): return os.statvfs('/tmp').f_blocks\n",
                        EphemeralStorage={"Size": 600})
    before = today.invoke(name).value
    today.client.update_function_configuration(FunctionName=name, EphemeralStorage={"Size": 1200})
    today.updated(name)
    assert today.invoke(name).value == 2 * before


@pytest.mark.parametrize(("profile", "size"), [("today", 10241), ("course", 513),
                                               ("course", 10240)])
def test_sizes_that_are_refused(profile, size):
    with Cloud(durations="modelled", sandbox="process", limits=profile) as cloud:
        with pytest.raises(ClientError, match=re.escape("'ephemeralStorage.size' failed")) as refused:
            Lab(cloud).deploy("", EphemeralStorage={"Size": size})
        assert refused.value.response["Error"]["Code"] == "ValidationException"


def test_the_only_size_that_there_was_may_be_named(lab):
    assert lab.run("def handler(e, c): return 1\n", EphemeralStorage={"Size": 512}).value == 1


def test_it_is_kept_while_frozen_and_gone_with_its_environment(lab):
    name = lab.deploy("""
        import pathlib
        def handler(event, context):
            path = pathlib.Path("/tmp/folder/count")
            path.parent.mkdir(exist_ok=True)
            count = int(path.read_text()) + 1 if path.exists() else 1
            path.write_text(str(count))
            return count, [str(p) for p in pathlib.Path("/tmp").iterdir()]
    """)
    assert lab.invoke(name).value == [1, ["/tmp/folder"]]
    lab.cloud.run(minutes=5)
    assert lab.invoke(name).value[0] == 2
    lab.cloud.run(hours=2)  # nobody calls: it expires
    assert lab.invoke(name).value == [1, ["/tmp/folder"]]
    assert not pathlib.Path("/tmp/folder/count").exists()


def test_code_and_layers_can_t_be_written(lab):
    assert lab.run("""
        def handler(event, context):
            said = []
            for path in ("/var/task/new", "/opt/new"):
                try:
                    open(path, "w")
                except OSError as error:
                    said.append(str(error))
            return said
    """).value == ["[Errno 30] Read-only file system: '/var/task/new'",
                   "[Errno 30] Read-only file system: '/opt/new'"]
