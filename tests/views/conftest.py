"""What the views' tests share: a fake Lambda client, made-up clouds, a real one, a browser."""

import sys
from pathlib import Path

import pytest
from view_clouds import new_cloud
from view_fakes import FakeLambda

sys.path.insert(0, str(Path(__file__).parents[1] / "browser"))
from browser_driver import (  # noqa: E402, F401 - the fixtures are used by name
    chromium,
    run_again_when_the_browser_died,
    start_chromium,
)

HANDLER = """\
import time

def handler(event, context):
    time.sleep(event.get("sleep", 0))
    hoard = bytearray(event.get("mb", 0) << 20)
    if "fail" in event:
        raise ValueError(event["fail"])
    return {"memory": context.memory_limit_in_mb}
"""


def pytest_collection_modifyitems(items):
    """A browser that dies is started again."""
    run_again_when_the_browser_died(items)


@pytest.fixture
def fake():
    return FakeLambda()


@pytest.fixture(scope="module")
def handler(tmp_path_factory):
    """The file with HANDLER in it."""
    source = tmp_path_factory.mktemp("code") / "app.py"
    source.write_text(HANDLER)
    return source


@pytest.fixture(scope="module")
def cloud(handler):
    """A real Cloud with modelled durations and the function `hello` (see HANDLER)."""
    with new_cloud(handler) as cloud:
        yield cloud
