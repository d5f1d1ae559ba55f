"""Which resource or route a request is for.

Stands for: how API Gateway chooses. AWS pages: *Set up a proxy integration with a proxy resource*
(REST APIs), *Create routes for HTTP APIs in API Gateway* (the order of priority).
Leaves out: nothing.

A template is a path with variables: ``/pets/{id}``, and with a greedy one at the end:
``/pets/{proxy+}``. A literal part is preferred to a variable, a variable to a greedy one.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import unquote


def match(template: str, path: str) -> dict[str, str] | None:
    """The variables' values if the path is one of the template's, else None."""
    wanted, found = _parts(template), _parts(path)
    variables: dict[str, str] = {}
    for number, part in enumerate(wanted):
        if part.startswith("{") and part.endswith("+}"):
            rest = "/".join(found[number:])
            return variables | {part[1:-2]: unquote(rest)} if rest else None
        if number >= len(found):
            return None
        if part.startswith("{") and part.endswith("}"):
            variables[part[1:-1]] = unquote(found[number])
        elif part != unquote(found[number]):
            return None
    return variables if len(found) == len(wanted) else None


def best(templates: Iterable[str], path: str) -> str | None:
    """The most specific of those that the path fits."""
    fitting = [template for template in templates if match(template, path) is not None]
    return min(fitting, key=_rank, default=None)


def _rank(template: str) -> tuple[int, ...]:
    return tuple(2 if part.endswith("+}") else 1 if part.startswith("{") else 0
                 for part in _parts(template))


def _parts(path: str) -> list[str]:
    return path.strip("/").split("/") if path.strip("/") else []
