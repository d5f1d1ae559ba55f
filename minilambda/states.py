"""Whether functions are ready: their states, on the clock.

Stands for: ``State`` and ``LastUpdateStatus`` of a function and of its versions, with their reasons.
AWS pages: *Lambda function states*; *Tracking the state of AWS Lambda functions* and *Coming soon:
Expansion of AWS Lambda states to all functions* (AWS Compute Blog).
Leaves out: Inactive, which needs resources outside of Lambda (a VPC's network interfaces, an image)
that are taken from an idle function, and Failed, which needs one of them to go wrong: the functions
here have none.

In the months of the course only functions in a VPC were ever Pending (``limits.function_states`` is
false). Today every function is, for the time that the model states, and a change takes effect when its
update has ended: until then the function runs as it was.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator
from dataclasses import dataclass

from . import errors
from .clock import Clock
from .function import LATEST, FunctionConfiguration
from .limits import Limits
from .model import Model
from .versions import Key, key_of

_CREATING = "The function is being created."  # AWS's reason, for updates too


@dataclass(eq=False, slots=True)
class _Progress:
    """What ends at ``due`` (seconds). ``former``: what runs until an update has ended."""

    due: float
    former: FunctionConfiguration | None = None


class States:
    """``on_updated`` is called with a function as it was and as it is once an update has ended.

    ``lock`` is the registry's.
    """

    def __init__(self, clock: Clock, limits: Limits, model: Model, lock: threading.RLock,
                 on_updated: Callable[[FunctionConfiguration, FunctionConfiguration], None]) -> None:
        self.clock, self.limits, self.model = clock, limits, model
        self._lock, self._on_updated = lock, on_updated
        self._creations: dict[tuple[Key, str], _Progress] = {}
        self._updates: dict[Key, _Progress] = {}

    # -- what happens --------------------------------------------------------------------------------

    def created(self, function: FunctionConfiguration) -> None:
        """A function, or a version of one, is new."""
        if self.limits.function_states:
            place = key_of(function), function.version
            with self._lock:
                self._creations[place] = progress = self._progress()
            self.clock.process(self._creation_steps(place, progress))

    def updated(self, former: FunctionConfiguration, function: FunctionConfiguration) -> None:
        """Its code or its configuration has been changed."""
        if not self.limits.function_states:
            self._on_updated(former, function)
            return
        key = key_of(function)
        with self._lock:
            self._updates[key] = progress = self._progress(former)
        self.clock.process(self._update_steps(key, progress, function))

    def forget(self, function: FunctionConfiguration) -> None:
        """The function is gone with all its versions, or this version of it."""
        with self._lock:
            for key, version in list(self._creations):
                if key == key_of(function) and function.version in (LATEST, version):
                    del self._creations[key, version]
            if function.version == LATEST:
                self._updates.pop(key_of(function), None)

    # -- what is so ----------------------------------------------------------------------------------

    def is_ready(self, function: FunctionConfiguration) -> bool:
        """Whether nothing is in progress that somebody may be waiting for."""
        return not (self._is_pending(function) or self._update(function))

    def describe(self, function: FunctionConfiguration) -> dict[str, str]:
        """As the API prints it."""
        if self._is_pending(function):
            return {"State": "Pending", "StateReason": _CREATING, "StateReasonCode": "Creating"}
        if self._update(function):
            return {"State": "Active", "LastUpdateStatus": "InProgress",
                    "LastUpdateStatusReason": _CREATING, "LastUpdateStatusReasonCode": "Creating"}
        return {"State": "Active", "LastUpdateStatus": "Successful"}

    def in_force(self, function: FunctionConfiguration) -> FunctionConfiguration:
        """What an invocation gets: the function as it was while an update is in progress."""
        update = self._update(function)
        return update.former if update else function

    def check_active(self, function: FunctionConfiguration) -> None:
        """
        Raises:
            LambdaError: ResourceConflictException, as a Pending function does nothing.
        """
        if self._is_pending(function):
            raise errors.LambdaError(
                "ResourceConflictException", "The operation cannot be performed at this time. The "
                "function is currently in the following state: Pending", 409)

    def check_settled(self, function: FunctionConfiguration) -> None:
        """
        Raises:
            LambdaError: ResourceConflictException, as it can't be changed while it is Pending or an
                update is in progress.
        """
        self.check_active(function)
        if self._update(function):
            raise errors.LambdaError(
                "ResourceConflictException", "The operation cannot be performed at this time. An "
                f"update is in progress for resource: {function.arn}", 409)

    # -- inside --------------------------------------------------------------------------------------

    def _progress(self, former: FunctionConfiguration | None = None) -> _Progress:
        return _Progress(self.clock.seconds + (self.model.creation_seconds if former is None
                                               else self.model.update_seconds), former)

    # Whether something is over is a question of the time alone: on the wall clock the step that ends
    # it may be late, when nobody turns the crank.

    def _is_pending(self, function: FunctionConfiguration) -> bool:
        found = self._creations.get((key_of(function), function.version))
        return found is not None and self.clock.seconds < found.due

    def _update(self, function: FunctionConfiguration) -> _Progress | None:
        found = self._updates.get(key_of(function)) if function.version == LATEST else None
        return found if found is not None and self.clock.seconds < found.due else None

    def _creation_steps(self, place: tuple[Key, str], progress: _Progress) -> Generator:
        yield self.clock.timeout(self.model.creation_seconds)
        if self._creations.get(place) is progress:
            del self._creations[place]

    def _update_steps(self, key: Key, progress: _Progress,
                      function: FunctionConfiguration) -> Generator:
        yield self.clock.timeout(self.model.update_seconds)
        if self._updates.get(key) is progress:
            del self._updates[key]
            self._on_updated(progress.former, function)
