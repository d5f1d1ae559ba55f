"""A chapter's questions: a file that an author edits, and what a page may know of it.

Stands for nothing of AWS's. The file is TOML; :func:`load` says what may be in it. In a page, and in
a notebook's stored state, right answers and feedback are *sealed*: out of a reader's sight, no
secret. Whoever runs the page's own script can open them, as with any check that needs no server.
"""

from __future__ import annotations

import base64
import json
import random
import tomllib
from pathlib import Path
from typing import Any

KINDS = {
    "option": ("choice", {"ask", "option"}),
    "number": ("number", {"ask", "number", "unit", "tolerance", "why", "near", "otherwise"}),
    "steps": ("order", {"ask", "steps", "why", "otherwise"}),
}


def load(path: str | Path) -> list[dict[str, Any]]:
    """The questions of a file, checked, in their order.

    Each is a table ``[[question]]`` with ``ask`` and one of three kinds of answer:

    - choice: two or more ``[[question.option]]`` with ``text``, ``why`` (the feedback for who
      chose it) and, for the right ones, ``right = true``;
    - number: ``number``, ``why``, ``otherwise`` (for wrong ones), and where wanted ``unit``,
      ``tolerance``, and ``[[question.near]]`` with ``number`` and ``why`` for wrong answers that
      deserve their own words;
    - order: ``steps``, three or more in their right order, ``why`` and ``otherwise``.

    Raises:
        FileNotFoundError: no such file; names those there are beside it.
        ValueError: what is wrong, and in which question.
    """
    path = Path(path)
    if not path.is_file():
        there = sorted(other.stem for other in path.parent.glob("*.toml"))
        raise FileNotFoundError(f"no questions at {path}; there is: {', '.join(there) or 'nothing'}")
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: {error}") from None
    questions = content.get("question")
    if set(content) != {"question"} or not isinstance(questions, list) or not questions:
        raise ValueError(f"{path}: a file of questions is tables [[question]] and nothing else")
    for number, question in enumerate(questions, 1):
        try:
            _check(question)
        except ValueError as error:
            raise ValueError(f"{path}, question {number}: {error}") from None
    asked = [question["ask"] for question in questions]
    if len(set(asked)) < len(asked):
        raise ValueError(f"{path}: two questions ask the same")
    return questions


def public(question: dict[str, Any], salt: str) -> dict[str, Any]:
    """What a page gets of a question: what it asks, and the rest sealed."""
    ask = question["ask"]
    kind = _kind(question)
    shown: dict[str, Any] = {"kind": kind, "ask": ask}
    if kind == "choice":
        options = question["option"]
        right = [place for place, option in enumerate(options) if option.get("right")]
        shown |= {"options": [option["text"] for option in options], "many": len(right) > 1}
        hidden: dict[str, Any] = {"right": right, "why": [option["why"] for option in options]}
    elif kind == "number":
        shown["unit"] = question.get("unit", "")
        hidden = {"right": question["number"], "tolerance": question.get("tolerance", 0),
                  "why": question["why"], "otherwise": question["otherwise"],
                  "near": [[near["number"], near["why"]] for near in question.get("near", [])]}
    else:
        places = _shuffled(len(question["steps"]), f"{salt}/{ask}")
        shown["steps"] = [question["steps"][place] for place in places]
        hidden = {"order": [places.index(place) for place in range(len(places))],
                  "why": question["why"], "otherwise": question["otherwise"]}
    return shown | {"sealed": seal(hidden, f"{salt}/{ask}")}


def seal(content: Any, key: str) -> str:
    """JSON out of sight: exclusive-or with the numbers that the key starts (FNV-1a, xorshift32).

    quiz.js opens it. Not encryption; see the module.
    """
    state = 2166136261
    for byte in key.encode():
        state = (state ^ byte) * 16777619 & 0xFFFFFFFF
    state = state or 1
    sealed = bytearray()
    for byte in json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode():
        state ^= state << 13 & 0xFFFFFFFF
        state ^= state >> 17
        state ^= state << 5 & 0xFFFFFFFF
        sealed.append(byte ^ state & 255)
    return base64.b64encode(sealed).decode()


def _kind(question: dict[str, Any]) -> str:
    return next(kind for name, (kind, _) in KINDS.items() if name in question)


def _shuffled(count: int, seed: str) -> list[int]:
    """Places 0, 1, … in an order that is the same every time, and isn't that one."""
    order, dice = list(range(count)), random.Random(seed)
    while order == sorted(order):
        dice.shuffle(order)
    return order


def _check(question: dict[str, Any]) -> None:
    kinds = [name for name in KINDS if name in question]
    if len(kinds) != 1:
        raise ValueError(f"needs exactly one of {', '.join(KINDS)}")
    _texts(question, "ask")
    unknown = sorted(set(question) - KINDS[kinds[0]][1])
    if unknown:
        raise ValueError(f"has {', '.join(unknown)}, which a question of this kind doesn't have")
    if kinds == ["option"]:
        _check_options(question["option"])
        return
    _texts(question, "why", "otherwise")
    if kinds == ["steps"]:
        steps = question["steps"]
        if not isinstance(steps, list) or not all(isinstance(step, str) for step in steps):
            raise ValueError("steps must be texts")
        if len(steps) < 3 or len(set(steps)) < len(steps):
            raise ValueError("needs at least three steps, each of them another")
        return
    _numbers(question, "number", *(["tolerance"] if "tolerance" in question else []))
    if question.get("tolerance", 0) < 0:
        raise ValueError("tolerance must not be negative")
    if not isinstance(question.get("unit", ""), str):
        raise ValueError("unit must be text")
    for near in question.get("near", []):
        _texts(near, "why")
        _numbers(near, "number")
        if abs(near["number"] - question["number"]) <= question.get("tolerance", 0):
            raise ValueError(f"near has {near['number']}, which is right")


def _check_options(options: Any) -> None:
    if not isinstance(options, list) or len(options) < 2:
        raise ValueError("needs at least two tables [[question.option]]")
    for number, option in enumerate(options, 1):
        try:
            _texts(option, "text", "why")
        except ValueError as error:
            raise ValueError(f"option {number}: {error}") from None
        if not set(option) <= {"text", "why", "right"} or option.get("right", True) is not True:
            raise ValueError(f"option {number}: an option has text, why and, if so, right = true")
    if len({option["text"] for option in options}) < len(options):
        raise ValueError("two options have the same text")
    right = sum("right" in option for option in options)
    if not 1 <= right < len(options):
        raise ValueError("needs at least one option with right = true, and one without")


def _texts(table: Any, *names: str) -> None:
    for name in names:
        if not isinstance(table.get(name), str) or not table[name].strip():
            raise ValueError(f"needs {name}, a text")


def _numbers(table: Any, *names: str) -> None:
    for name in names:
        if type(table.get(name)) not in (int, float):
            raise ValueError(f"needs {name}, a number")
