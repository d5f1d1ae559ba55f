"""What a rule's target is given of an event: all of it, a part, something fixed, or a text made of it.

Stands for: Input, InputPath and InputTransformer. AWS page: *Amazon EventBridge input transformation*.
Leaves out: filters and slices in paths (EventBridge has none).

A template is JSON or not. In JSON a placeholder that isn't within quotes is put in as JSON, one within
quotes as text: an object there loses its own quotation marks, as it does on AWS. A path that leads
nowhere gives no text within quotes, and ``null`` outside of them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonpath_ng
from jsonpath_ng.exceptions import JSONPathError

PATHS = 100  # in one map
_NAME = re.compile(r"<([^<>\s]+)>")
_RESERVED = ("aws.events.rule-arn", "aws.events.rule-name", "aws.events.event.ingestion-time",
             "aws.events.event", "aws.events.event.json")


class Refused(Exception):
    """An input that EventBridge doesn't take, in its words. ``{target}`` stands for the target's id."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What reserved variables say."""

    rule_arn: str
    rule_name: str
    ingested: str  # when the event came in


def check(target: Mapping[str, Any]) -> None:
    """Whether a target's way with its input can be taken.

    Raises:
        Refused: it can't.
    """
    given = [name for name in ("Input", "InputPath", "InputTransformer") if target.get(name)]
    if len(given) > 1:
        raise Refused("Only one of Input, InputPath, or InputTransformer must be provided for target "
                      "{target}.")
    if target.get("Input"):
        try:
            json.loads(target["Input"])
        except ValueError as error:
            raise Refused("JSON syntax error in Input for target {target}.") from error
    if target.get("InputPath"):
        _path(target["InputPath"])
    if transformer := target.get("InputTransformer"):
        _check_transformer(transformer)


def _check_transformer(transformer: Mapping[str, Any]) -> None:
    paths, template = transformer.get("InputPathsMap") or {}, transformer.get("InputTemplate") or ""
    if len(paths) > PATHS:
        raise Refused(f"InputPathsMap for target {{target}} has more than {PATHS} entries.")
    for name, path in paths.items():
        if name.upper().startswith("AWS"):
            raise Refused("InputPathsMap for target {target} contains invalid key: keys can't start "
                          "with AWS.")
        _path(path)
    for name in _NAME.findall(template):
        if name not in paths and name not in _RESERVED:
            raise Refused(f"InputTemplate for target {{target}} contains placeholder {name} that has "
                          "no path in InputPathsMap.")
    if template.lstrip().startswith(("{", "[")):
        try:  # with something harmless in the places of the placeholders
            json.loads(_fill(template, lambda name, quoted: "" if quoted else "null"))
        except ValueError as error:
            raise Refused("Invalid InputTemplate for target {target}: it is no JSON.") from error


def made_of(target: Mapping[str, Any], event: Mapping[str, Any], facts: Facts) -> str:
    """What the target is given: JSON, unless a template makes something else."""
    if target.get("Input"):
        return str(target["Input"])
    if target.get("InputPath"):
        found = _found(target["InputPath"], event)
        return text({} if found is None else found)
    if not (transformer := target.get("InputTransformer")):
        return text(event)
    values: dict[str, Any] = {
        name: _found(path, event) for name, path in (transformer.get("InputPathsMap") or {}).items()}
    values |= {
        "aws.events.rule-arn": facts.rule_arn, "aws.events.rule-name": facts.rule_name,
        "aws.events.event.ingestion-time": facts.ingested, "aws.events.event.json": event,
        # "the payload without detail"
        "aws.events.event": {name: value for name, value in event.items() if name != "detail"}}

    def put_in(name: str, quoted: bool) -> str:
        value = values[name]
        if not quoted:
            return text(value)
        if value is None:
            return ""
        if isinstance(value, str):
            return text(value)[1:-1]  # escaped as JSON wants it
        return text(value).replace('"', "")

    template = transformer["InputTemplate"]
    if not template.lstrip().startswith(("{", "[", '"')):  # no JSON at all: lines of text
        return _NAME.sub(lambda found: _plain(values[found[1]]), template)
    return _fill(template, put_in)


def text(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _plain(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else text(value)


def _fill(template: str, put_in: Any) -> str:
    """A template with each placeholder replaced by what ``put_in`` makes of its name, and of whether it
    is within quotation marks."""
    parts, quoted, position = [], False, 0
    while position < len(template):
        if found := _NAME.match(template, position):
            parts.append(put_in(found[1], quoted))
            position = found.end()
            continue
        step = 2 if quoted and template[position] == "\\" else 1
        quoted ^= template[position] == '"'
        parts.append(template[position:position + step])
        position += step
    return "".join(parts)


def _path(text: str) -> Any:
    try:
        if not isinstance(text, str) or not text.startswith("$"):
            raise ValueError(text)
        return jsonpath_ng.parse(text)
    except (JSONPathError, ValueError) as error:
        raise Refused("Invalid JsonPath in target {target}: " + str(text)) from error


def _found(path: str, event: Mapping[str, Any]) -> Any:
    found = _path(path).find(event)
    return found[0].value if found else None
