"""What may be set on a function, and to what: from AWS's own schema and the limits in force.

Stands for the console's *Configuration* pages. A setting's type, least, most and names come from
botocore's model of the operation that sets it; tighter ranges, steps and units from the limits
profile. AWS pages: the operations' own, in the Lambda API reference.
Leaves out: settings that aren't a number, a name of a list, or yes and no; but for an alias's weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ..limits import Limits
from . import words

POSITIONS = 16  # of a control whose range the author left to us
UPDATE = "UpdateFunctionConfiguration"

# Settings that aren't a function's configuration: how each is set, taken away and read.
OTHERS = {
    "ReservedConcurrentExecutions": (
        "PutFunctionConcurrency", "DeleteFunctionConcurrency", "GetFunctionConcurrency"),
    "ProvisionedConcurrentExecutions": (
        "PutProvisionedConcurrencyConfig", "DeleteProvisionedConcurrencyConfig",
        "GetProvisionedConcurrencyConfig"),
    "MaximumRetryAttempts": (
        "PutFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig",
        "GetFunctionEventInvokeConfig"),
    "MaximumEventAgeInSeconds": (
        "PutFunctionEventInvokeConfig", "DeleteFunctionEventInvokeConfig",
        "GetFunctionEventInvokeConfig"),
    "BatchSize": ("UpdateEventSourceMapping", None, "GetEventSourceMapping"),
    "MaximumBatchingWindowInSeconds": ("UpdateEventSourceMapping", None, "GetEventSourceMapping"),
    "ParallelizationFactor": ("UpdateEventSourceMapping", None, "GetEventSourceMapping"),
}
QUALIFIED = "ProvisionedConcurrentExecutions"  # a version's or an alias's, never $LATEST's
WEIGHTS = "RoutingConfig.AdditionalVersionWeights"  # an alias's: {"2": 0.1}, or {} for none
OPERATIONS = OTHERS | {WEIGHTS: ("UpdateAlias", None, "GetAlias")}

# Tighter than the schema: names in the limits profile of the least, the most and the step.
RANGES = {
    "MemorySize": ("memory_min", "memory_max", "memory_step"),
    "Timeout": ("timeout_min", "timeout_max", None),
    "EphemeralStorage.Size": ("tmp_min", "tmp_max", None),
    "MaximumRetryAttempts": (None, "async_retries_max", None),
    "MaximumEventAgeInSeconds": ("async_age_min", "async_age_max", None),
    "BatchSize": (None, "sqs_batch_max", None),
    "MaximumBatchingWindowInSeconds": (None, "sqs_window_max", None),
    "ParallelizationFactor": (None, "stream_parallelization_max", None),
}
LABELS = {
    "MemorySize": ("Memory", "MB"), "Timeout": ("Timeout", "s"),
    "EphemeralStorage.Size": ("Ephemeral storage", "MB"),
    "ReservedConcurrentExecutions": ("Reserved concurrency", ""),
    "ProvisionedConcurrentExecutions": ("Provisioned concurrency", ""),
    "MaximumRetryAttempts": ("Retry attempts", ""),
    "MaximumEventAgeInSeconds": ("Maximum age of event", "s"),
    "BatchSize": ("Batch size", ""), "MaximumBatchingWindowInSeconds": ("Batch window", "s"),
    "ParallelizationFactor": ("Batches per shard", ""), "TracingConfig.Mode": ("Tracing", ""),
    WEIGHTS: ("Weight", ""),
}


@dataclass(frozen=True)
class Setting:
    """One control: what it sets (AWS's name, dots into structures), and its positions in order.

    A position of None takes the setting away. ``target`` is the function's name, and for an event
    source mapping its UUID.
    """

    name: str
    label: str
    unit: str
    positions: tuple[Any, ...]
    target: dict[str, str]

    @property
    def operation(self) -> str:
        """The operation that sets it."""
        return OPERATIONS.get(self.name, (UPDATE,))[0]

    @property
    def called(self) -> str:
        """What is invoked to see it at work: the function, or the version or alias that has it."""
        qualifier = self.target.get("Qualifier") or self.target.get("Name")
        function = self.target.get("FunctionName", "")
        return f"{function}:{qualifier}" if qualifier else function

    def says(self, value: Any) -> str:
        """A position as a reader reads it: ``512 MB``, ``10 % to version 2``, ``not set``."""
        if value is None:
            return "not set"
        if self.name == WEIGHTS:
            return words.listing([f"{weight:.4g} % to version {version}" for version, weight in
                                  ((v, 100 * w) for v, w in value.items())]) or "0 %"
        number = f"{value:,}" if type(value) is int else str(value)
        return f"{number} {self.unit}".strip()

    def as_data(self) -> dict[str, Any]:
        """The control, as controls.js takes it."""
        return {"name": self.name, "label": self.label, "operation": self.operation,
                "says": [self.says(value) for value in self.positions]}

    def read(self, client: Any) -> Any:
        """Its present value; None where nothing is set."""
        if self.name in OPERATIONS:
            try:
                found = _call(client, OPERATIONS[self.name][2], **self.target)
            except ClientError as error:
                if (error.response["Error"]["Code"] in (
                        "ResourceNotFoundException", "ProvisionedConcurrencyConfigNotFoundException")
                        or error.response["ResponseMetadata"]["HTTPStatusCode"] == 501):
                    return None  # what can't be read isn't set; turning it says so in words
                raise
            if self.name == QUALIFIED:
                return found.get("RequestedProvisionedConcurrentExecutions")
            if self.name == WEIGHTS:
                return found.get("RoutingConfig", {}).get("AdditionalVersionWeights", {})
            return found.get(self.name)
        found = client.get_function_configuration(**self.target)
        for part in self.name.split("."):
            found = (found or {}).get(part)
        return found

    def write(self, client: Any, value: Any) -> None:
        """Set it, or take it away, and wait until that is in force.

        Raises:
            botocore.exceptions.ClientError: AWS refuses; it is for the caller to show its words.
        """
        named = value
        for part in reversed(self.name.split(".")):
            named = {part: named}
        if self.name not in OPERATIONS:
            answer = client.update_function_configuration(**self.target, **named)
            if answer.get("LastUpdateStatus") == "InProgress":
                client.get_waiter("function_updated_v2").wait(**self.target)
            return
        put, delete, _ = OPERATIONS[self.name]  # (provisioned concurrency takes time: see in_progress)
        if value is None:
            _call(client, delete, **self.target)
        else:
            _call(client, put, **self.target, **named)

    def in_progress(self, client: Any) -> bool:
        """Whether what was set is still coming about."""
        return self.name == QUALIFIED and self.read(client) is not None and (
            _call(client, OTHERS[self.name][2], **self.target)["Status"] == "IN_PROGRESS")


def settings(client: Any, function: str, wanted: Sequence[str] | dict[str, Any], limits: Limits,
             qualifier: str | None = None, mapping: str | None = None) -> list[Setting]:
    """The settings asked for, each with its positions.

    Args:
        client: a boto3 Lambda client; its service model is the schema.
        wanted: AWS's names; as a dict with what each may be set to: (min, max) or (min, max, step)
            within AWS's range, or a list of any values (also such as AWS refuses; None: not set),
            or None for the whole range.

    Raises:
        ValueError: a name that nothing has, or a range that isn't one.
    """
    if not isinstance(wanted, dict):
        wanted = dict.fromkeys(wanted)
    if not wanted:
        raise ValueError("controls: name at least one setting, such as 'MemorySize'")
    return [_setting(client, function, name, given, limits, qualifier, mapping)
            for name, given in wanted.items()]


def nearest(setting: Setting, now: Any) -> int:
    """The position where a control stands: the present value's, or the nearest there is."""
    if now in setting.positions:
        return setting.positions.index(now)
    if type(now) is not int:
        return 0
    numbers = [(abs(value - now), place) for place, value in enumerate(setting.positions)
               if type(value) is int]
    return min(numbers, default=(0, 0))[1]


def moved(found: Sequence[Setting], indexes: Sequence[int], name: str, value: Any) -> list[int]:
    """Where controls stand when the one of that name has moved to that value.

    Raises:
        ValueError: no such control, or no such position.
    """
    for number, setting in enumerate(found):
        if setting.name == name and value in setting.positions:
            return [*indexes[:number], setting.positions.index(value), *indexes[number + 1:]]
    raise ValueError(f"turn: no control has {name} = {value!r}; there are " + words.listing(
        [f"{s.name} of {', '.join(map(str, s.positions))}" for s in found]))


def _setting(client: Any, function: str, name: str, given: Any, limits: Limits,
             qualifier: str | None, mapping: str | None) -> Setting:
    shape = _shape(client, name)
    target = {"FunctionName": function}
    if name == QUALIFIED:
        if qualifier is None:
            raise ValueError(f"controls: {name} belongs to a version or an alias: say which with"
                             " qualifier=")
        target["Qualifier"] = qualifier
    if name == WEIGHTS:
        if qualifier is None or not isinstance(given, list):
            raise ValueError("controls: weights belong to an alias: say which with qualifier=, and"
                             " give a list of them, such as [{}, {'2': 0.1}]")
        target["Name"] = qualifier
    if OTHERS.get(name, ("",))[0] == "UpdateEventSourceMapping":
        if mapping is None:
            raise ValueError(f"controls: {name} belongs to an event source mapping: give its UUID"
                             " with mapping=")
        target = {"UUID": mapping}
    label, unit = LABELS.get(name, (name, ""))
    return Setting(name, label, unit, _positions(name, shape, given, limits), target)


def _shape(client: Any, name: str) -> Any:
    """The schema of what is set, from botocore's model."""
    operation = OPERATIONS.get(name, (UPDATE,))[0]
    shape = client.meta.service_model.operation_model(operation).input_shape
    for part in name.split("."):
        members = getattr(shape, "members", {})
        if part not in members:
            raise ValueError(f"controls: {operation} has no {name!r}. Names are AWS's own, such as"
                             f" 'MemorySize', 'EphemeralStorage.Size',"
                             f" {', '.join(map(repr, OPERATIONS))}")
        shape = members[part]
    if name != WEIGHTS and not (shape.type_name in ("integer", "long", "boolean") or getattr(shape, "enum", None)):
        raise ValueError(f"controls: {name} is a {shape.type_name}: only numbers, names of a list,"
                         " and yes and no can be turned")
    return shape


def _positions(name: str, shape: Any, given: Any, limits: Limits) -> tuple[Any, ...]:
    if isinstance(given, list):
        if not given:
            raise ValueError(f"controls: {name} needs at least one value")
        return tuple(given)
    if shape.type_name == "boolean":
        choices: tuple[Any, ...] = (False, True)
    elif getattr(shape, "enum", None):
        choices = tuple(shape.enum)
    else:
        low, high, step = _range(name, shape, limits)
        return _stepped(name, given, low, high, step)
    if given is not None:
        raise ValueError(f"controls: {name} is one of {', '.join(map(str, choices))}: give a list"
                         " of some of them, or nothing")
    return choices


def _range(name: str, shape: Any, limits: Limits) -> tuple[int, int, int]:
    """Least, most and step: the profile's where it has them, else the schema's."""
    low, high, step = (getattr(limits, figure) if figure else None
                       for figure in RANGES.get(name, (None, None, None)))
    if name in ("ReservedConcurrentExecutions", QUALIFIED):
        high = limits.concurrency - limits.unreserved_min
    least = shape.metadata.get("min", 0)
    return (least if low is None else low,
            shape.metadata.get("max", least) if high is None else high, step or 1)


def _stepped(name: str, given: Any, low: int, high: int, step: int) -> tuple[int, ...]:
    if given is None:
        return _few(low, high, step)
    if not (isinstance(given, tuple) and len(given) in (2, 3)
            and all(type(number) is int for number in given)):
        raise ValueError(f"controls: {name} must be (min, max) or (min, max, step) in whole numbers,"
                         " or a list of values")
    first, last, by = (*given, step)[:3]
    if not low <= first <= last <= high:
        raise ValueError(f"controls: {name} must lie within {low:,}-{high:,}, min first, not"
                         f" {first:,}-{last:,}. To see AWS refuse a value, give a list")
    if by < 1:
        raise ValueError(f"controls: the step of {name} must be at least 1")
    return tuple(range(first, last + 1, by))


def _few(low: int, high: int, step: int) -> tuple[int, ...]:
    """The whole range in few enough positions, evenly if it can be; both ends always."""
    steps = (high - low) // step
    if steps < POSITIONS:
        return tuple(range(low, high + 1, step))
    parts = max(n for n in range(1, POSITIONS) if steps % n == 0)
    if parts < POSITIONS // 2:  # a range that doesn't divide: nearly even
        parts = POSITIONS - 1
    return tuple(dict.fromkeys(low + step * round(steps * n / parts) for n in range(parts + 1)))


def _call(client: Any, operation: str, **arguments: Any) -> dict[str, Any]:
    names = {name: method for method, name in client.meta.method_to_api_mapping.items()}
    return getattr(client, names[operation])(**arguments)
