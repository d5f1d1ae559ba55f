import pytest

from .serving import Served


@pytest.fixture(scope="package")
def one():
    with Served("--clock", "virtual", "--durations", "modelled", "--seed", "3") as server:
        yield server


@pytest.fixture
def virtual(one):
    """A server on the virtual clock, as new."""
    one.reset()
    return one
