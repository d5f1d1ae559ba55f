"""The content of CodeCommit's repositories, for whoever needs it.

Stands for nothing of AWS's. It is apart from ``repositories`` as pipelines read it where moto's CodeCommit
may not be loaded yet.
"""

from __future__ import annotations

from ..triggers.code_repository import Refused, Repository
from ..triggers.codecommit import Trigger


class Known:
    """A repository, and its triggers."""

    def __init__(self) -> None:
        self.repository = Repository()
        self.triggers: list[Trigger] = []
        self.configuration = ""


_all: dict[tuple[str, str, str], Known] = {}  # by account, region and name; of the one cloud that is on


def known(account: str, region: str, name: str) -> Known:
    """One that moto has."""
    return _all.setdefault((account, region, name), Known())


def content(account: str, region: str, name: str, branch: str) -> tuple[str, dict[str, bytes]]:
    """The commit at a branch's tip, and its files.

    Raises:
        Refused: there is no such repository or branch.
    """
    found = _all.get((account, region, name))
    if found is None:
        raise Refused("RepositoryDoesNotExistException", f"{name} does not exist or is empty")
    tip = found.repository.tip(branch)
    return tip, dict(found.repository.get(tip).files)


def remove(account: str, region: str, name: str) -> None:
    _all.pop((account, region, name), None)


def clear() -> None:
    _all.clear()
