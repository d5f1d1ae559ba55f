"""Lambda as moto's other services see it.

moto's services reach Lambda through ``LambdaBackend`` and ``LambdaFunction.invoke``. Both are ours
while a cloud is on, and for now they refuse: a trigger that ran nothing would look like a working one.
S3 and SNS have ways of their own (``buckets``, ``topics``).
Leaves out: event sources and triggers (later), so every call is answered with 501.
"""

from __future__ import annotations

import inspect
from typing import Any, NoReturn

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaBackend as StockBackend
from moto.awslambda.models import LambdaFunction as StockFunction

from ..errors import LambdaError
from ..function import FunctionConfiguration
from .current import installed


class LambdaFunction(StockFunction):
    """A function of the registry, for moto's callers."""

    def __init__(self, configuration: FunctionConfiguration) -> None:
        # The stock constructor unpacks code and starts Docker: none of it applies.
        self.configuration = configuration
        self.account_id, self.region = configuration.account, configuration.region
        self.function_name, self.function_arn = configuration.name, configuration.arn

    def __repr__(self) -> str:
        return self.function_arn

    def invoke(self, body: str, request_headers: Any, response_headers: Any) -> NoReturn:
        refuse("invoking a Lambda function from another service")


class LambdaBackend(StockBackend):
    """The registry, for moto's callers. What it can't answer it refuses (see below)."""

    def get_function(self, function_name_or_arn: str,
                     qualifier: str | None = None) -> LambdaFunction:
        try:
            return LambdaFunction(installed().runtime.registry.get(
                self.account_id, self.region_name, function_name_or_arn, qualifier))
        except LambdaError as error:
            if error.status == 501:
                raise NotImplementedError(error.message) from error
            raise UnknownFunctionException(function_name_or_arn) from error

    def get_function_by_arn(self, function_arn: str) -> LambdaFunction | None:
        try:
            return self.get_function(function_arn)
        except UnknownFunctionException:
            return None

    def list_functions(self, func_version: str | None = None) -> list[LambdaFunction]:
        return [LambdaFunction(f) for f in installed().runtime.registry
                if (f.account, f.region) == (self.account_id, self.region_name)]

    def iter_tagged_resources(self):
        return iter(())


def refuse(what: str) -> NoReturn:
    """Our server answers NotImplementedError with a 501 in the calling service's error shape."""
    raise NotImplementedError(f"minilambda doesn't implement {what} (yet).")


def _refusal(name: str):
    def refused(self, *args: Any, **kwargs: Any) -> NoReturn:
        refuse(f"{name} of Lambda from another service")

    refused.__name__ = name
    return refused


# Every other method of the stock backend would act on functions that don't exist here.
for _name, _member in inspect.getmembers(StockBackend, inspect.isfunction):
    if (_name in vars(StockBackend) and not _name.startswith("_")
            and _name not in vars(LambdaBackend)):
        setattr(LambdaBackend, _name, _refusal(_name))
