"""Libraries that come with a function: in its zip, in a layer, and for the wrong machine."""

import ctypes
import importlib.util
import os
import shutil
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from minilambda import wheelhouse, zip_handler

from .layer_files import zeros, zipped

NATIVE = "import native\ndef handler(event, context): return native.answer\n"
APP = "import greeting\ndef handler(event, context): return greeting.greet(event)\n"
ELF_AARCH64 = (b"\x7fELF\x02\x01\x01" + bytes(9)  # 64 bits, little end first
               + b"\x03\x00\xb7\x00\x01\x00\x00\x00" + bytes(40)).ljust(4096, b"\0")


def pip():
    """A command that installs packages, and what it needs in its environment."""
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip", "--quiet"], {}
    bundled = importlib.util.find_spec("ensurepip")
    wheels = list(Path(bundled.origin).parent.glob("_bundled/pip-*.whl")) if bundled else []
    if wheels:
        return [sys.executable, "-m", "pip", "--quiet"], {"PYTHONPATH": str(wheels[0])}
    return pytest.skip("needs pip: python -m ensurepip, or apt install python3-pip")


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """A folder in which ``pip install --target`` has installed a small wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    about = "greeting-1.2.dist-info"
    files = {
        "greeting/__init__.py": "from importlib.metadata import version\n"
                                "def greet(name):\n"
                                "    return f'hello {name} from ' + version('greeting')\n",
        f"{about}/METADATA": "Metadata-Version: 2.1\nName: greeting\nVersion: 1.2\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\n"
                          "Tag: py3-none-any\n",
    }
    record = "".join(f"{name},,\n" for name in [*files, f"{about}/RECORD"])
    with zipfile.ZipFile(folder / "greeting-1.2-py3-none-any.whl", "w") as wheel:
        for name, text in (files | {f"{about}/RECORD": record}).items():
            wheel.writestr(name, text)
    command, more = pip()
    subprocess.run([*command, "install", "--no-index", "--no-deps", "--no-compile", "--target",
                    folder / "package", folder / "greeting-1.2-py3-none-any.whl"],
                   check=True, env=os.environ | more)
    return folder / "package"


def test_an_import_that_is_not_packaged(lab):
    reply = lab.run(APP, "you")
    assert reply.value["errorType"] == "Runtime.ImportModuleError"
    assert reply.value["errorMessage"] == (
        "Unable to import module 'app': No module named 'greeting'")


def test_a_wheel_packaged_with_the_function(lab, installed, tmp_path):
    (tmp_path / "app.py").write_text(APP)
    name = lab.deploy("")
    lab.client.update_function_code(FunctionName=name,
                                    ZipFile=zip_handler(tmp_path / "app.py", installed))
    assert lab.invoke(name, "you").value == "hello you from 1.2"


@pytest.mark.parametrize("place", ["python", "python/lib/python3.8/site-packages"])
def test_a_wheel_in_a_layer(lab, installed, tmp_path, place):
    shutil.copytree(installed, tmp_path / "layer" / place)
    arn = lab.client.publish_layer_version(
        LayerName="greeting", Content={"ZipFile": zip_handler(tmp_path / "layer")},
        CompatibleRuntimes=["python3.8"])["LayerVersionArn"]
    assert lab.invoke(lab.deploy(APP, Layers=[arn]), "you").value == "hello you from 1.2"


def test_the_sdk_needs_no_packaging(lab):
    reply = lab.run("import boto3\ndef handler(event, context):\n"
                    "    return boto3.client('sts').get_caller_identity()['Account']\n")
    assert reply.value == "123456789012"


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs Linux: its loader's words")
@pytest.mark.parametrize("library", [
    ELF_AARCH64, b"\x7fELF\x01" + ELF_AARCH64[5:], b"MZ" + bytes(4096), b"",
], ids=["another processor", "32 bits", "another system", "nothing"])
@pytest.mark.parametrize("place", ["/var/task", "/opt/python"])
def test_a_native_library_for_another_machine(lab, tmp_path, library, place):
    """It is the real loader that refuses; its words are AWS's, for AWS's is the same."""
    (tmp_path / "native.so").write_bytes(library)
    with pytest.raises(OSError) as refused:
        ctypes.CDLL(str(tmp_path / "native.so"))
    words = str(refused.value).replace(str(tmp_path), place)
    if place == "/var/task":
        name = lab.deploy("")
        lab.client.update_function_code(FunctionName=name, ZipFile=zipped(
            {"app.py": NATIVE, "native.so": library}))
    else:
        name = lab.deploy(NATIVE, Layers=[lab.client.publish_layer_version(
            LayerName="native", Content={"ZipFile": zipped({"python/native.so": library})},
        )["LayerVersionArn"]])
    reply = lab.invoke(name)
    assert reply.value["errorType"] == "Runtime.ImportModuleError"
    assert reply.value["errorMessage"] == f"Unable to import module 'app': {words}"
    assert reply.value["errorMessage"].startswith(
        f"Unable to import module 'app': {place}/native.so: ")


def test_a_native_library_for_another_python(lab):
    """Its file name isn't one that this Python looks for."""
    other = sysconfig.get_config_var("EXT_SUFFIX").replace(
        f"{sys.version_info.major}{sys.version_info.minor}", "25")
    name = lab.deploy("")
    lab.client.update_function_code(FunctionName=name, ZipFile=zipped(
        {"app.py": NATIVE, f"native{other}": b"\x7fELF"}))
    assert lab.invoke(name).value["errorMessage"] == (
        "Unable to import module 'app': No module named 'native'")


PICTURE = """
from PIL import Image
def handler(event, context):
    return Image.new("RGB", (2, 3), "teal").resize((4, 6)).getpixel((3, 5))
"""


def unpacked(wheels, folder):
    """What ``pip install --target`` lays out."""
    for wheel in wheels:
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(folder)
    return folder


def test_a_library_with_native_parts_that_fits(lab, tmp_path):
    wheelhouse.fill(tmp_path / "wheels", "pillow")
    package = unpacked((tmp_path / "wheels").iterdir(), tmp_path / "package")
    (tmp_path / "app.py").write_text(PICTURE)
    name = lab.deploy("", MemorySize=256)
    lab.client.update_function_code(FunctionName=name,
                                    ZipFile=zip_handler(tmp_path / "app.py", package))
    assert lab.invoke(name).value == [0, 128, 128]


def test_a_library_with_native_parts_for_another_system(lab, tmp_path):
    wheelhouse.foreign(tmp_path / "wheels", "pillow", "win_amd64")
    package = unpacked((tmp_path / "wheels").iterdir(), tmp_path / "package")
    (tmp_path / "app.py").write_text(PICTURE)
    name = lab.deploy("", MemorySize=256)
    lab.client.update_function_code(FunctionName=name,
                                    ZipFile=zip_handler(tmp_path / "app.py", package))
    assert lab.invoke(name).value == {
        "errorType": "Runtime.ImportModuleError", "requestId": "", "stackTrace": [],
        "errorMessage": "Unable to import module 'app': cannot import name '_imaging' from 'PIL' "
                        "(/var/task/PIL/__init__.py)"}


@pytest.mark.skipif(not shutil.which("node"), reason="needs Node.js")
def test_node_modules(lab, tmp_path):
    (tmp_path / "node_modules" / "double").mkdir(parents=True)
    (tmp_path / "node_modules" / "double" / "index.js").write_text(
        "module.exports = (number) => 2 * number;")
    (tmp_path / "index.js").write_text(
        'const double = require("double"); exports.handler = async (event) => double(event);')
    lab.count += 1
    lab.client.create_function(
        FunctionName=f"node-{lab.count}", Runtime="nodejs12.x", Role=lab.role,
        Handler="index.handler", Code={"ZipFile": zip_handler(tmp_path)}, Timeout=30)
    assert lab.invoke(f"node-{lab.count}", 21).value == 42


def test_more_than_50_mb_goes_through_s3(lab):
    """And then it runs. 250 MB unpacked is the end on either road."""
    big = zipped({"app.py": "import os\ndef handler(event, context): "
                            "return os.path.getsize('data')\n",
                  "data": os.urandom(51 << 20)})
    name, s3 = lab.deploy(""), boto3.client("s3")
    with pytest.raises(ClientError) as refused:
        lab.client.update_function_code(FunctionName=name, ZipFile=big)
    assert str(refused.value) == (
        "An error occurred (RequestEntityTooLargeException) when calling the UpdateFunctionCode "
        "operation: Request must be smaller than 69905067 bytes for the UpdateFunctionCode "
        "operation")
    bucket = f"deployments-{lab.cloud.sandbox}"
    s3.create_bucket(Bucket=bucket,
                     CreateBucketConfiguration={"LocationConstraint": "eu-west-2"})
    s3.put_object(Bucket=bucket, Key="big.zip", Body=big)
    lab.client.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key="big.zip")
    assert lab.invoke(name).value == 51 << 20
    s3.put_object(Bucket=bucket, Key="big.zip", Body=zeros(250))
    with pytest.raises(ClientError) as refused:
        lab.client.update_function_code(FunctionName=name, S3Bucket=bucket, S3Key="big.zip")
    assert str(refused.value) == (  # question 6 of the course's quiz
        "An error occurred (InvalidParameterValueException) when calling the UpdateFunctionCode "
        "operation: Unzipped size must be smaller than 262144000 bytes")
    assert lab.invoke(name).value == 51 << 20
