"""AWS's own Python runtime client, unmodified, on our Runtime API: do its words agree with ours?

It runs as a custom runtime out of the function's package. Where the two differ on purpose, the
table says how: ours are the words AWS's managed runtimes were recorded to use.
"""

import importlib.util
import io
import pathlib
import re
import zipfile

import pytest
from botocore.exceptions import ClientError

from minilambda.sandbox.tiers import python

CLIENT = ("awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py")
BOOTSTRAP = f"#!/bin/sh\nexec {python()[0]} -s -P -m awslambdaric \"$_HANDLER\"\n"


def client_files():
    for name in CLIENT:
        origin = pathlib.Path(importlib.util.find_spec(name).origin)
        files = origin.parent.rglob("*") if origin.name == "__init__.py" else [origin]
        base = origin.parent.parent if origin.name == "__init__.py" else origin.parent
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                yield str(file.relative_to(base)), file.read_bytes()


@pytest.fixture(scope="session")
def client():
    if importlib.util.find_spec("awslambdaric") is None:
        pytest.skip("AWS's runtime client isn't here; pip install awslambdaric")
    return dict(client_files())


def both(lab, client, source, handler="app.handler", event=None):
    """What ours and AWS's make of the same function: (error, document, log) of each."""
    found = []
    for runtime, files in (("python3.8", {}), ("provided.al2023", client)):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, content in {**files, "app.py": source}.items():
                archive.writestr(name, content)
            if files:
                entry = zipfile.ZipInfo("bootstrap")
                entry.create_system, entry.external_attr = 3, 0o100755 << 16
                archive.writestr(entry, BOOTSTRAP)
        lab.count += 1
        name = f"function-{lab.count}"
        lab.client.create_function(
            FunctionName=name, Runtime=runtime, Role=lab.role, Handler=handler, Timeout=5,
            MemorySize=512, Code={"ZipFile": buffer.getvalue()},
            Environment={"Variables": {"PYTHONPATH": "."}} if files else {"Variables": {}})
        reply = lab.invoke(name, event)
        value = reply.value
        if isinstance(value, dict) and value.get("requestId"):
            assert value["requestId"] == reply.raw["ResponseMetadata"]["RequestId"]
            value["requestId"] = "<id>"
        if isinstance(value, dict) and "errorMessage" in value:
            value["errorMessage"] = value["errorMessage"].replace(
                reply.raw["ResponseMetadata"]["RequestId"], "<id>")
            value["errorMessage"] = re.sub(r"^2020-\S+Z ", "<time> ", value["errorMessage"])
        found.append((reply.error, value, reply.log))
    return found


CASES = {
    "result": "def handler(e, c): return {'got': e, 'é': 1}\n",
    "nothing": "def handler(e, c): pass\n",
    "letters of all kinds": "def handler(e, c): return 'é ☃ 𝄞 \\n \\x7f \\u2028 </script>'\n",
    "half a surrogate pair": "def handler(e, c): return '\\ud83d'\n",
    "numbers": "def handler(e, c): return [1, 1.5, 10**30, 1e300, True, None, -0.0]\n",
    "not a number": "def handler(e, c): return float('nan')\n",
    "decimals": "from decimal import Decimal as D\n"
                "def handler(e, c): return [D('3'), D('1.10'), D('123456789012345678901.5'), D('1E+3')]\n",
    "keys that are no strings": "def handler(e, c): return {1: 'a', None: 'b', True: 'c'}\n",
    "bytes": "def handler(e, c): return b'{\"raw\": 1}'\n",
    "exception": "def handler(e, c): raise ValueError('because')\n",
    "own exception": "class Odd(Exception): pass\ndef inner(): raise Odd('in')\n"
                     "def handler(e, c): inner()\n",
    "exception without words": "def handler(e, c): raise RuntimeError\n",
    "exception of many lines": "def handler(e, c): raise ValueError('one\\n  two\\n\\nthree')\n",
    "exception in other letters": "def handler(e, c): raise ValueError('é ☃')\n",
    "exception from another": "def handler(e, c):\n    try: 1 / 0\n"
                              "    except ZeroDivisionError as e: raise KeyError('k') from e\n",
    "assertion": "def handler(e, c): assert e == 2, 'not two'\n",
    "recursion": "def f(): return f()\ndef handler(e, c):\n    try: f()\n"
                 "    except RecursionError as e: raise RecursionError(str(e)) from None\n",
    "object": "def handler(e, c): return object()\n",
    "set": "def handler(e, c): return {1}\n",
    "circle": "def handler(e, c):\n    a = []\n    a.append(a)\n    return a\n",
    "key that is a tuple": "def handler(e, c): return {(1, 2): 3}\n",
    "generator": "def handler(e, c): yield 1\n",
    "coroutine": "async def handler(e, c): return 1\n",
    "handler with too few arguments": "def handler(e): pass\n",
    "import error": "import nosuchmodule\n",
    "import of a name": "from json import nosuchname\n",
    "handler missing": "def other(e, c): pass\n",
    "syntax error": "def handler(e, c)\n    pass\n",
    "indentation error": "def handler(e, c):\npass\n",
    "exception in init": "1 / 0\ndef handler(e, c): pass\n",
    "own exception in init": "class Odd(Exception): pass\nraise Odd('at once')\n",
    "exit 0": "import sys\ndef handler(e, c): sys.exit(0)\n",
    "exit 3": "import sys\ndef handler(e, c): sys.exit(3)\n",
    "exit with words": "import sys\ndef handler(e, c): sys.exit('bye')\n",
    "exit at once": "import os\ndef handler(e, c): os._exit(7)\n",
    "exit 256": "import os\ndef handler(e, c): os._exit(256)\n",
    "exit 0 in init": "import sys\nsys.exit(0)\n",
    "exit 3 in init": "import sys\nsys.exit(3)\n",
    "exit at once in init": "import os\nos._exit(7)\n",
    "segmentation fault": "import os\ndef handler(e, c): os.kill(os.getpid(), 11)\n",
    "abort": "import os\ndef handler(e, c): os.abort()\n",
    "terminated": "import os\ndef handler(e, c): os.kill(os.getpid(), 15)\n",
    "interrupted": "def handler(e, c): raise KeyboardInterrupt\n",
    "out of memory": "def handler(e, c): return len([b'x' * 1_000_000 for _ in range(2000)])\n",
    "out of memory in init": "a = [b'x' * 1_000_000 for _ in range(2000)]\ndef handler(e, c): pass\n",
    "timeout": "def handler(e, c):\n    while True: pass\n",
    "response too big": "def handler(e, c): return 'x' * 6_291_560\n",
    "response that fits": "def handler(e, c): return len('x' * 6_291_550)\n",
    "context": "def handler(e, c): return [c.function_name[:9], c.function_version, "
               "c.memory_limit_in_mb, c.invoked_function_arn[:40], c.client_context, "
               "c.identity.cognito_identity_id, c.log_group_name[:21]]\n",
}
HANDLERS = {  # and names of a handler, for code that is fine
    "no dot": "nodot", "no module": "nomodule.handler", "slash": "a/b.handler", "dots": "app.x.handler",
    "built-in": "sys.handler", "missing": "app.nothing", "dot at the end": "app.",
}


@pytest.mark.parametrize("case", CASES)
def test_the_same_words(lab, client, case):
    ours, theirs = both(lab, client, CASES[case], event={"a": 1})
    if case == "handler with too few arguments":  # the only frame there is is the runtime's own
        assert "bootstrap.py" in theirs[1].pop("stackTrace")[0] and not ours[1].pop("stackTrace")
    assert ours[:2] == theirs[:2]


@pytest.mark.parametrize("case", HANDLERS)
def test_the_same_words_about_a_handler_s_name(lab, client, case):
    ours, theirs = both(lab, client, "def handler(e, c): return 1\n", HANDLERS[case])
    assert ours[:2] == theirs[:2]


def told(log):
    """What the function's own code and runtime wrote, without AWS's lines, ids and instants."""
    lines = [re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "<time>", line) for line in log.splitlines()]
    lines = [re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "<id>", line) for line in lines]
    return [line for line in lines if not line.startswith(("START", "END", "REPORT", "RequestId"))
            and line != "Runtime.ExitError" and not line.startswith(UNHANDLED)]


# The client's own advice before the error, which managed runtimes don't give.
UNHANDLED = "[WARNING]\t<time>\t\tLAMBDA_WARNING: Unhandled exception."


@pytest.mark.parametrize("source", [
    "import logging\nlog = logging.getLogger()\nlog.setLevel('INFO')\n"
    "def handler(e, c):\n    log.debug('no')\n    log.info('yes %s', 1)\n    log.warning('two\\nlines')\n"
    "    log.error('é')\n",
    "import logging\ndef handler(e, c):\n    logging.info('not at this level')\n"
    "    logging.getLogger('mine').critical('named')\n",
    "import logging\ndef handler(e, c):\n    try: 1 / 0\n"
    "    except ZeroDivisionError: logging.exception('it failed')\n",
    "import sys\ndef handler(e, c):\n    print('out')\n    print('err', file=sys.stderr)\n"
    "    sys.stdout.write('no newline')\n",
    "def handler(e, c): raise ValueError('because')\n",
    "def handler(e, c): raise ValueError('one\\n  two')\n",
    "import nosuchmodule\n",
    "def handler(e, c): return object()\n",
    "1 / 0\n",
])
def test_the_same_lines_in_the_log(lab, client, source):
    ours, theirs = both(lab, client, source)
    assert told(ours[2]) == told(theirs[2])


def test_a_json_log_is_refused_not_ignored(lab):
    name = lab.deploy("def handler(e, c): pass\n", LoggingConfig={"LogFormat": "Text"})
    with pytest.raises(ClientError, match="LoggingConfig") as refused:
        lab.client.update_function_configuration(FunctionName=name,
                                                 LoggingConfig={"LogFormat": "JSON"})
    assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 501
