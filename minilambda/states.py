"""Whether functions are ready: their states, on the clock.

Stands for: ``State`` and ``LastUpdateStatus`` of a function and of its versions, with their reasons.
AWS pages: *Lambda function states*; *Tracking the state of AWS Lambda functions* and *Coming soon:
Expansion of AWS Lambda states to all functions* (AWS Compute Blog).
*Giving Lambda functions access to resources in an Amazon VPC*. Leaves out: the five minutes that Lambda
waits before it tries again to make network interfaces for which an address or a permission is missing.

In the months of the course only functions in a VPC were ever Pending (``limits.function_states`` is
false). Today every function is, for the time that the model states, and a change takes effect when its
update has ended: until then the function runs as it was.

A function in a VPC needs network interfaces. While new ones are made it is Pending for longer; where none
can be had its creation has Failed for good, or its update has and it goes on as it was. Of a function that
nobody invokes for weeks they are taken away: it is Inactive. The next invocation fails, but has them made
anew: Pending, and then Active; or Inactive again, if they can't be had.
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
from .vpc import Networks, Trouble

Place = tuple[Key, str]  # a function, its version

_CREATING = "The function is being created.", "Creating"  # AWS's reason, for updates too
# Our words; AWS's documents have none for these.
_RESTORING = "The function's connection to its VPC is being restored.", "Restoring"
_IDLE = "The function has been idle; its network interfaces were reclaimed.", "Idle"


@dataclass(eq=False, slots=True)
class _Progress:
    """What ends at ``due`` (seconds): well, or in ``trouble``, and then it is kept.

    ``former``: what runs until an update has ended. ``restoring``: of an idle function.
    """

    due: float
    former: FunctionConfiguration | None = None
    trouble: Trouble | None = None
    restoring: bool = False


@dataclass(eq=False, slots=True)
class _Use:
    """Of a version in a VPC: when it was ``last`` (seconds) of use, and whether it still has its
    network interfaces."""

    function: FunctionConfiguration
    last: float
    idle: bool = False


class States:
    """``on_updated`` is called with a function as it was and as it is once an update has ended.

    ``lock`` is the registry's.
    """

    def __init__(self, clock: Clock, limits: Limits, model: Model, lock: threading.RLock,
                 on_updated: Callable[[FunctionConfiguration, FunctionConfiguration], None],
                 networks: Networks) -> None:
        self.clock, self.limits, self.model = clock, limits, model
        self._lock, self._on_updated, self._networks = lock, on_updated, networks
        self._creations: dict[Place, _Progress] = {}
        self._updates: dict[Key, _Progress] = {}
        self._uses: dict[Place, _Use] = {}  # of those in a VPC

    # -- what happens --------------------------------------------------------------------------------

    def created(self, function: FunctionConfiguration) -> None:
        """A function, or a version of one, is new."""
        if self.limits.function_states or function.network is not None:
            self._create(function, self.model.creation_seconds if self.limits.function_states else 0.0)

    def _create(self, function: FunctionConfiguration, seconds: float, restoring: bool = False) -> None:
        place = _place(function)
        with self._lock:
            progress = self._progress(function, seconds, restoring=restoring)
            self._creations[place] = progress
        self.clock.process(self._creation_steps(place, progress))

    def updated(self, former: FunctionConfiguration, function: FunctionConfiguration) -> None:
        """Its code or its configuration has been changed."""
        former = self.in_force(former)  # if the last update failed: what it was before that one
        moves = former.network != function.network or self._idles(function)
        if not (self.limits.function_states or moves):
            self._settle(former, function)
            return
        key = key_of(function)
        seconds = self.model.update_seconds if self.limits.function_states else 0.0
        with self._lock:
            self._updates[key] = progress = self._progress(function, seconds, former, moves=moves)
        self.clock.process(self._update_steps(key, progress, function))

    def forget(self, function: FunctionConfiguration) -> None:
        """The function is gone with all its versions, or this version of it."""
        with self._lock:
            for place in {*self._creations, *self._uses}:
                if place[0] == key_of(function) and function.version in (LATEST, place[1]):
                    self._creations.pop(place, None)
                    self._end_use(place)
            if function.version == LATEST:
                update = self._updates.pop(key_of(function), None)
                if update is not None:
                    self._networks.disconnect(update.former)

    # -- what is so ----------------------------------------------------------------------------------

    def is_ready(self, function: FunctionConfiguration) -> bool:
        """Whether nothing is in progress that somebody may be waiting for."""
        update = self._update(function)
        return not (self._is_pending(function) or update and self.clock.seconds < update.due)

    def describe(self, function: FunctionConfiguration) -> dict[str, str]:
        """As the API prints it."""
        creation = self._creations.get(_place(function))
        if creation is not None and self.clock.seconds < creation.due:
            return _state("Pending", *(_RESTORING if creation.restoring else _CREATING))
        if creation is not None and creation.trouble is not None:
            trouble = creation.trouble
            return _state("Inactive" if creation.restoring else "Failed", trouble.reason, trouble.code)
        if self._idles(function):
            return _state("Inactive", *_IDLE) | {"LastUpdateStatus": "Successful"}
        update = self._update(function)
        if update is None:
            return {"State": "Active", "LastUpdateStatus": "Successful"}
        if self.clock.seconds < update.due:
            status, (reason, code) = "InProgress", _CREATING
        else:
            status, reason, code = "Failed", update.trouble.reason, update.trouble.code
        return {"State": "Active", "LastUpdateStatus": status, "LastUpdateStatusReason": reason,
                "LastUpdateStatusReasonCode": code}

    def in_force(self, function: FunctionConfiguration) -> FunctionConfiguration:
        """What an invocation gets: the function as it was while an update is in progress, or if that
        update has failed."""
        update = self._update(function)
        return update.former if update else function

    def check_active(self, function: FunctionConfiguration) -> None:
        """
        Raises:
            LambdaError: ResourceConflictException, as a Pending or a Failed function does nothing.
        """
        state = self.describe(function)["State"] if _place(function) in self._creations else "Active"
        if state in ("Pending", "Failed"):
            raise errors.LambdaError(
                "ResourceConflictException", "The operation cannot be performed at this time. The "
                f"function is currently in the following state: {state}", 409)

    def check_invocable(self, function: FunctionConfiguration) -> None:
        """Whether it can be invoked now; if it is Inactive, it will be, soon.

        Raises:
            LambdaError: ResourceConflictException, as above; ResourceNotReadyException, as its
                network interfaces are being made anew.
        """
        if function.network is None:
            self.check_active(function)
            return
        place = _place(function)
        with self._lock:
            creation, use = self._creations.get(place), self._uses.get(place)
            restoring = creation is not None and creation.restoring and self._is_pending(function)
            if not (restoring or self._idles(function)):
                self.check_active(function)
                use.last = self.clock.seconds
                return
            if not restoring:
                self._create(use.function, 0.0, restoring=True)
        raise errors.LambdaError(
            "ResourceNotReadyException", "The function is inactive and its VPC connection is no longer "
            "available. Wait for the VPC connection to reestablish and try again.", 502)

    def check_settled(self, function: FunctionConfiguration) -> None:
        """
        Raises:
            LambdaError: ResourceConflictException, as it can't be changed while it is Pending or an
                update is in progress.
        """
        self.check_active(function)
        if not self.is_ready(function):
            raise errors.LambdaError(
                "ResourceConflictException", "The operation cannot be performed at this time. An "
                f"update is in progress for resource: {function.arn}", 409)

    # -- inside --------------------------------------------------------------------------------------

    def _progress(self, function: FunctionConfiguration, seconds: float,
                  former: FunctionConfiguration | None = None, *, moves: bool = True,
                  restoring: bool = False) -> _Progress:
        """``moves``: whether it may need other network interfaces than it has."""
        due, trouble, place = self.clock.seconds + seconds, None, _place(function)
        if moves and function.network is not None:
            later = self.clock.seconds + self.model.network_seconds
            ready = self._networks.connect(function, later)
            if isinstance(ready, Trouble):
                due, trouble = max(due, later), ready
            else:
                due = max(due, ready)
                self._creations.pop(place, None)  # a connection that couldn't be restored
                self._uses[place] = use = _Use(function, due)
                self.clock.process(self._use_steps(place, use))
        return _Progress(due, former, trouble, restoring)

    # Whether something is over is a question of the time alone: on the wall clock the step that ends
    # it may be late, when nobody turns the crank.

    def _is_pending(self, function: FunctionConfiguration) -> bool:
        found = self._creations.get(_place(function))
        return found is not None and self.clock.seconds < found.due

    def _update(self, function: FunctionConfiguration) -> _Progress | None:
        """One in progress, or the last one if it has failed."""
        found = self._updates.get(key_of(function)) if function.version == LATEST else None
        if found is None or (found.trouble is None and self.clock.seconds >= found.due):
            return None
        return found

    def _creation_steps(self, place: Place, progress: _Progress) -> Generator:
        yield self.clock.timeout(progress.due - self.clock.seconds)
        if self._creations.get(place) is progress and progress.trouble is None:
            del self._creations[place]

    def _update_steps(self, key: Key, progress: _Progress,
                      function: FunctionConfiguration) -> Generator:
        yield self.clock.timeout(progress.due - self.clock.seconds)
        if self._updates.get(key) is progress and progress.trouble is None:
            self._settle(progress.former, function)

    def _settle(self, former: FunctionConfiguration, function: FunctionConfiguration) -> None:
        """An update has ended well."""
        with self._lock:
            self._updates.pop(key_of(function), None)
            if former.network != function.network:
                self._networks.disconnect(former, keep=function)
                if function.network is None:
                    self._uses.pop(_place(function), None)
        self._on_updated(former, function)

    def _idles(self, function: FunctionConfiguration) -> bool:
        use = self._uses.get(_place(function))
        return use is not None and use.idle

    def _use_steps(self, place: Place, use: _Use) -> Generator:
        """Until it has been idle for long, or is no more."""
        while self._uses.get(place) is use:
            left = use.last + self.model.reclaim_seconds - self.clock.seconds
            if left > 0:
                yield self.clock.background(left)
                continue
            with self._lock:
                use.idle = True
                self._networks.disconnect(use.function)
            return

    def _end_use(self, place: Place) -> None:
        use = self._uses.pop(place, None)
        if use is not None:
            self._networks.disconnect(use.function)


def _place(function: FunctionConfiguration) -> Place:
    return key_of(function), function.version


def _state(state: str, reason: str, code: str) -> dict[str, str]:
    return {"State": state, "StateReason": reason, "StateReasonCode": code}
