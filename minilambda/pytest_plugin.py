"""A pytest fixture that gives a test its own cloud.

Stands for nothing of AWS's. It is there wherever this package is installed (entry point ``pytest11``)::

    def test_greets(minilambda):
        boto3.client("lambda").create_function(...)     # reaches this test's cloud, nothing else
        minilambda.run(minutes=10)

    @pytest.mark.minilambda(durations="modelled", limits="today")
    def test_the_same_every_time(minilambda): ...

Nothing is imported until a test asks: pytest runs that have no use for a cloud aren't slowed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from .cloud import Cloud

_MARK = ("minilambda(**options): options of the cloud that the fixture `minilambda` starts, as for "
         "minilambda.Cloud (durations, limits, clock, sandbox, seed, ...)")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARK)


@pytest.fixture
def minilambda(request: pytest.FixtureRequest) -> Iterator[Cloud]:
    """A fresh minilambda.Cloud, closed after the test. Options: @pytest.mark.minilambda(...).

    Markers of a class or module count too; the one nearest to the test wins. There is one cloud at a
    time in a process, so a cloud of a wider scope is closed by this one.
    """
    options = _options(request.node)
    from .cloud import Cloud  # late: it takes a second

    try:
        cloud = Cloud(**options)
    except (TypeError, ValueError) as error:
        pytest.fail(f"@pytest.mark.minilambda: {error}", pytrace=False)
    with cloud:
        yield cloud


def _options(node: pytest.Item) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for mark in reversed(list(node.iter_markers("minilambda"))):
        if mark.args:
            pytest.fail("@pytest.mark.minilambda takes options by name, such as limits='today'",
                        pytrace=False)
        options |= mark.kwargs
    return options
