"""How a request names a function.

Stands for: the ``FunctionName`` and ``Qualifier`` parameters of the Lambda API's operations.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import errors

_NAME = re.compile(
    r"(?:arn:aws:lambda:(?P<region>[a-z0-9-]+):)?(?:(?P<account>\d{12}):)?(?:function:)?"
    r"(?P<name>[A-Za-z0-9_-]+)(?::(?P<qualifier>\$LATEST|[A-Za-z0-9_-]+))?")


@dataclass(frozen=True, slots=True)
class FunctionName:
    """A function as a request names it: by name, partial ARN or ARN, with a qualifier or not."""

    account: str
    region: str
    name: str
    qualifier: str | None = None

    @property
    def arn(self) -> str:
        """As AWS's messages print it: with the qualifier if one was given."""
        arn = f"arn:aws:lambda:{self.region}:{self.account}:function:{self.name}"
        return f"{arn}:{self.qualifier}" if self.qualifier else arn

    @classmethod
    def parse(cls, account: str, region: str, text: str,
              qualifier: str | None = None) -> FunctionName:
        """``account`` and ``region`` are the caller's."""
        match = _NAME.fullmatch(text)
        if match is None:
            raise errors.function_not_found(text)
        inside = match["qualifier"]
        if inside and qualifier and inside != qualifier:
            raise errors.qualifier_mismatch()
        if match["region"] and match["region"] != region:
            raise errors.wrong_region(match["region"], region)
        return cls(match["account"] or account, region, match["name"], inside or qualifier)
