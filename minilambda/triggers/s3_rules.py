"""What a bucket's notification configuration may say, and which events it is about.

Stands for: the checks of PutBucketNotificationConfiguration. AWS pages: *Amazon S3 Event Notifications*,
*Event notification types and destinations*, *Configuring event notifications using object key name
filtering*, *PutBucketNotificationConfiguration*.
Leaves out: that a bucket has a hundred configurations at the most, and that their ids differ. Event
types that came after early 2020 (tags, ACLs, lifecycle) are accepted in both profiles.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

FILTER_BYTES = 1024  # of a prefix or suffix

# By the part before the last colon; a type that has variants can be asked for as a whole ("*").
_VARIANTS = {
    "s3:ObjectCreated": ("Put", "Post", "Copy", "CompleteMultipartUpload"),
    "s3:ObjectRemoved": ("Delete", "DeleteMarkerCreated"),
    "s3:ObjectRestore": ("Post", "Completed", "Delete"),
    "s3:Replication": ("OperationFailedReplication", "OperationNotTracked",
                       "OperationMissedThreshold", "OperationReplicatedAfterThreshold"),
    "s3:LifecycleExpiration": ("Delete", "DeleteMarkerCreated"),
    "s3:ObjectTagging": ("Put", "Delete"),
}
_ALONE = ("s3:ReducedRedundancyLostObject", "s3:LifecycleTransition", "s3:IntelligentTiering",
          "s3:ObjectAcl:Put")
# What a configuration may name, with the events that each stands for.
EVENT_TYPES: dict[str, frozenset[str]] = {name: frozenset({name}) for name in _ALONE}
for _family, _names in _VARIANTS.items():
    _events = [f"{_family}:{name}" for name in _names]
    EVENT_TYPES[f"{_family}:*"] = frozenset(_events)
    EVENT_TYPES |= {event: frozenset({event}) for event in _events}


class Refused(Exception):
    """InvalidArgument. ``arguments``: name and value of each argument that is wrong."""

    def __init__(self, message: str, *arguments: tuple[str, str]) -> None:
        super().__init__(message)
        self.message, self.arguments = message, arguments


@dataclass(frozen=True, slots=True)
class Rule:
    """One configuration: events of keys with this prefix and this suffix go to ``target`` (an ARN)."""

    id: str
    target: str
    types: tuple[str, ...]
    prefix: str = ""
    suffix: str = ""

    @property
    def service(self) -> str:
        """``lambda``, ``sqs`` or ``sns``."""
        return self.target.split(":")[2]

    @property
    def filtered(self) -> bool:
        return bool(self.prefix or self.suffix)

    @property
    def events(self) -> frozenset[str]:
        return frozenset().union(*(EVENT_TYPES[name] for name in self.types))

    def matches(self, event: str, key: str) -> bool:
        return (event in self.events and key.startswith(self.prefix)
                and key.endswith(self.suffix))

    def overlaps(self, other: Rule) -> bool:
        """Whether there could be a key of which one event is for both.

        There is one exactly if one's prefix begins with the other's, and one's suffix ends with the
        other's: the longer prefix followed by the longer suffix.
        """
        return bool(self.events & other.events
                    and (self.prefix.startswith(other.prefix) or other.prefix.startswith(self.prefix))
                    and (self.suffix.endswith(other.suffix) or other.suffix.endswith(self.suffix)))


def rule(id: str, target: str, types: Sequence[str],
         filters: Iterable[tuple[str, str]] = ()) -> Rule:
    """One configuration as it is asked for. ``filters``: names and values of its filter rules.

    Raises:
        Refused: an event type that there isn't, or a filter that can't be.
    """
    for name in types:
        if name not in EVENT_TYPES:
            raise Refused("The event is not supported for notifications", ("Event", name))
    found: dict[str, str] = {}
    for name, value in filters:
        kind = name.lower()
        if kind not in ("prefix", "suffix"):
            raise Refused("filter rule name must be either prefix or suffix",
                          ("FilterRule.Name", name))
        if kind in found:
            raise Refused(f"Cannot specify more than one {kind} rule in a filter.",
                          ("FilterRule.Name", name))
        if not value:
            raise Refused("filter value cannot be empty", (kind.capitalize(), value))
        if len(value.encode()) > FILTER_BYTES:
            raise Refused(f"Size of filter rule value cannot exceed {FILTER_BYTES} bytes in UTF-8 "
                          "representation", ("FilterRule.Value", value))
        found[kind] = value
    return Rule(id, target, tuple(types), found.get("prefix", ""), found.get("suffix", ""))


def check_together(rules: Sequence[Rule]) -> None:
    """Raises:
        Refused: one event would be for two of them.
    """
    for one, other in itertools.combinations(rules, 2):
        if one.overlaps(other):
            if one.filtered or other.filtered:
                raise Refused("Configuration is ambiguously defined. Cannot have overlapping suffixes "
                              "in two rules if the prefixes are overlapping for the same event type.")
            raise Refused("Configurations overlap. Configurations on the same bucket cannot share a "
                          "common event type.")
