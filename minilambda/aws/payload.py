"""Whether an invocation's payload is JSON, refused in the words of AWS's parser.

Stands for: InvalidRequestContentException of *Invoke*.
Leaves out: AWS's sentence for every kind of mistake; where no record of it was found, Python's
parser says what is wrong, behind AWS's beginning.
"""

from __future__ import annotations

import json
import re
from typing import NoReturn

from .. import errors

_TOKEN = re.compile(r"[A-Za-z_$][\w$]*")
_EXPECTED = "(JSON String, Number, Array, Object or token 'null', 'true' or 'false')"


def check(payload: bytes) -> None:
    """Raises:
        LambdaError: the payload isn't one JSON value in UTF-8.
    """
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        byte = payload[error.start]
        _refuse(f"Invalid UTF-8 start byte 0x{byte:x}")
    try:
        json.loads(text, parse_constant=_not_json)
    except json.JSONDecodeError as error:
        token = _TOKEN.match(text, error.pos)
        if token is None:
            _refuse(str(error))
        _refuse(f"Unrecognized token '{token[0]}': was expecting {_EXPECTED}\n at [Source: "
                f"(byte[])\"{text[:500]}\"; line: {error.lineno}, "
                f"column: {error.colno + len(token[0]) + 1}]")
    except (ValueError, RecursionError) as error:
        _refuse(str(error))


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"Non-standard token '{constant}'")  # Python would take NaN and Infinity


def _refuse(reason: str) -> NoReturn:
    raise errors.payload_not_json(f"Could not parse payload into json: {reason}") from None
