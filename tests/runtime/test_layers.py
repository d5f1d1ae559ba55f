"""Layers at run time: what a function finds in /opt, and where Python and the loader look."""

import shutil

import pytest

from .layer_files import compiled, zipped

READ = """
    import os
    def handler(event, context):
        with open(event) as file:
            return file.read()
"""


@pytest.fixture
def layer(lab):
    """Publish files as a layer; gives the version's ARN."""
    def publish(files, name=None, **more):
        publish.count += 1
        return lab.client.publish_layer_version(
            LayerName=name or f"layer-{lab.count}-{publish.count}",
            Content={"ZipFile": zipped(files, **more)})["LayerVersionArn"]

    publish.count = 0
    return publish


def test_a_layer_is_in_opt(lab, layer):
    name = lab.deploy(READ, Layers=[layer({"data/greeting.txt": "hello"})])
    assert lab.invoke(name, "/opt/data/greeting.txt").value == "hello"


def test_without_layers_opt_is_empty(lab):
    assert lab.run("import os\ndef handler(e, c): return os.listdir('/opt')").value == []


def test_later_layers_lie_over_earlier_ones(lab, layer):
    first = layer({"both.txt": "first", "one.txt": "1", "deep/a.txt": "a", "swap": "file",
                   "back/inside.txt": "folder"})
    second = layer({"both.txt": "second", "two.txt": "2", "deep/b.txt": "b",
                    "swap/inside.txt": "folder", "back": "file"})
    source = """
        import os
        def handler(event, context):
            return {os.path.relpath(os.path.join(parent, name), "/opt"):
                        open(os.path.join(parent, name)).read()
                    for parent, _, files in os.walk("/opt") for name in files}
    """
    shared = {"one.txt": "1", "two.txt": "2", "deep/a.txt": "a", "deep/b.txt": "b"}
    found = {reply: lab.run(source, Layers=layers).value for reply, layers in (
        ("second", [first, second]), ("first", [second, first]))}
    assert found == {
        "second": shared | {"both.txt": "second", "swap/inside.txt": "folder", "back": "file"},
        "first": shared | {"both.txt": "first", "swap": "file", "back/inside.txt": "folder"}}


def test_neither_layers_nor_code_can_be_written(lab, layer):
    name = lab.deploy("""
        import os
        def tried(what):
            try:
                what()
            except OSError as error:
                return str(error)
            return "done"
        def handler(event, context):
            return [tried(lambda: open("/opt/data.txt", "w")),
                    tried(lambda: open("/opt/new.txt", "a")),
                    tried(lambda: os.remove("/opt/data.txt")),
                    tried(lambda: os.mkdir("/opt/folder")),
                    tried(lambda: os.rename("/opt/data.txt", "/tmp/data.txt")),
                    tried(lambda: open("/var/task/app.py", "w")),
                    tried(lambda: open("here.txt", "w")),
                    tried(lambda: open("/tmp/mine.txt", "w").close()),
                    tried(lambda: os.symlink("/opt/data.txt", "/tmp/link")),
                    open("/opt/data.txt").read()]
    """, Layers=[layer({"data.txt": "still here"})])
    *refused, there, linked, text = lab.invoke(name).value
    assert [message.split(":")[0] for message in refused[:4] + refused[5:]] == [
        "[Errno 30] Read-only file system"] * 6
    assert refused[0] == "[Errno 30] Read-only file system: '/opt/data.txt'"
    assert refused[4].startswith(("[Errno 30]", "[Errno 18]"))  # between two file systems
    assert (there, linked, text) == ("done", "done", "still here")


def test_a_temporary_folder_can_be_removed_again(lab):
    """Its files are removed relative to a descriptor, from a read-only current folder."""
    reply = lab.run("""
        import os, shutil, tempfile
        def handler(event, context):
            folder = tempfile.mkdtemp()
            open(os.path.join(folder, "app.py"), "w").close()
            shutil.rmtree(folder)
            return os.path.exists(folder)
    """)
    assert reply.value is False


def test_where_python_looks(lab, layer):
    """The function's own modules, then a layer's site-packages, then its python folder."""
    name = lab.deploy("", Layers=[layer({
        "python/mine.py": "where = 'python'",
        "python/sited.py": "where = 'python'",
        "python/plain.py": "where = 'python'",
        "python/lib/python3.8/site-packages/mine.py": "where = 'site-packages'",
        "python/lib/python3.8/site-packages/sited.py": "where = 'site-packages'",
        "python/lib/python3.7/site-packages/plain.py": "where = 'of another version'",
    })])
    lab.client.update_function_code(FunctionName=name, ZipFile=zipped({
        "mine.py": "where = 'function'", "app.py": "import mine, sited, plain, sys\n"
        "def handler(event, context):\n"
        "    print(*sys.path[:3], sep='|')\n"
        "    return [mine.where, sited.where, plain.where]\n"}))
    reply = lab.invoke(name)
    assert reply.value == ["function", "site-packages", "python"]
    # of the function's runtime, python3.8, whatever runs it here
    assert "/var/task|/opt/python/lib/python3.8/site-packages|/opt/python\n" in reply.log


def test_path_files_of_a_layer_are_followed(lab, layer):
    name = lab.deploy("import hidden\ndef handler(event, context): return hidden.found\n",
                      Layers=[layer({"python/more.pth": "inner\n",
                                     "python/inner/hidden.py": "found = True"})])
    assert lab.invoke(name).value is True


def test_programs_of_a_layer_are_on_the_path(lab, layer):
    name = lab.deploy("""
        import subprocess
        def run(*command):
            return subprocess.run(command, capture_output=True, text=True).stdout.strip()
        def handler(event, context):
            return [run("greet", "you"), run("/opt/bin/greet", "me")]
    """, Layers=[layer({"bin/greet": "#!/bin/sh\necho hello $1\n"}, executable=["bin/greet"])])
    assert lab.invoke(name).value == ["hello you", "hello me"]


@pytest.mark.skipif(not shutil.which("cc"), reason="needs a C compiler: apt install gcc")
def test_libraries_of_a_layer_are_found_by_the_loader(lab, layer, tmp_path):
    """By name from ctypes, and as what another library needs."""
    inner = compiled(tmp_path, "libinner.so", "int inner(void) { return 41; }")
    outer = compiled(tmp_path, "libouter.so",
                     "int inner(void); int outer(void) { return inner() + 1; }",
                     f"-L{tmp_path}", "-linner")
    name = lab.deploy("""
        import ctypes
        def handler(event, context):
            with open("/tmp/written", "w") as file:
                file.write("x")
            return ctypes.CDLL("libouter.so").outer()
    """, Layers=[layer({"lib/libinner.so": inner, "lib/libouter.so": outer})])
    assert [lab.invoke(name).value for _ in range(2)] == [42, 42]


def test_a_change_of_layers_starts_afresh(lab, layer):
    one, two = (layer({"python/shared.py": f"number = {n}"}, name="changing") for n in (1, 2))
    name = lab.deploy("import shared\ndef handler(event, context): return shared.number\n",
                      Layers=[one])
    assert lab.invoke(name).value == 1
    lab.client.update_function_configuration(FunctionName=name, Layers=[two])
    assert lab.invoke(name).value == 2
    lab.client.update_function_configuration(FunctionName=name, Layers=[])
    failed = lab.invoke(name)
    assert failed.value["errorMessage"] == "Unable to import module 'app': No module named 'shared'"


def test_a_deleted_version_goes_on_working(lab, layer):
    arn = layer({"python/shared.py": "number = 7"}, name="deleted")
    name = lab.deploy("import shared\ndef handler(event, context): return shared.number\n",
                      Layers=[arn])
    lab.client.delete_layer_version(LayerName="deleted", VersionNumber=1)
    assert lab.invoke(name).value == 7
    lab.client.update_function_configuration(FunctionName=name, Timeout=4)  # a cold start
    assert lab.invoke(name).value == 7


def test_a_layer_is_unpacked_once_and_shared(lab, layer):
    source = "import os\ndef handler(event, context): return os.stat('/opt/data.txt').st_ino\n"
    arn, other = layer({"data.txt": "shared"}), layer({"more.txt": "other"})
    alone = {lab.run(source, Layers=[arn]).value for _ in range(2)}
    merged = {lab.run(source, Layers=[other, arn]).value for _ in range(2)}
    assert len(alone | merged) == 1
