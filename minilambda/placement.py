"""Which execution environment serves an invocation: a warm one, or a new one.

Stands for: Lambda's placement service. AWS page: *Understanding Lambda function scaling*.
AWS doesn't say which of several warm environments is taken; here it is the one frozen last, so
that the others can expire. Idle environments end after the model's ``idle_seconds``; provisioned
ones (AWS page: *Configuring provisioned concurrency for a function*) stay as long as they are wanted.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable

import simpy

from .conversation import Steps
from .environment import Environment, State
from .function import FunctionConfiguration
from .invocation import Invocation
from .modelled import ModelledEnvironment, Models
from .places import Places
from .setting import Setting

AnyEnvironment = Environment | ModelledEnvironment
FROZEN, BUSY = State.FROZEN, State.BUSY
MOMENT = 1e-9  # seconds: sums of instants may round by less


class _Pool:
    """The environments of one version of a function.

    ``idle`` is in the order of freezing, so that the next to be taken is at its end and the next
    to expire at its start. Of some that froze at one instant the oldest is taken first.
    """

    __slots__ = ("idle", "made", "revision", "stale", "waiting")

    def __init__(self) -> None:
        self.made: dict[AnyEnvironment, int] = {}  # with their numbers
        self.idle: list[tuple[float, int, AnyEnvironment]] = []
        self.revision: str | None = None  # the one asked for last
        self.stale = True  # may idle ones be of another revision?
        self.waiting = False  # for the first of ``idle`` to expire?


class Placement:
    """All environments of a cloud, by version of a function and by their credentials.

    ``on_lost``: called with the version of an on-demand environment that has ended.
    """

    def __init__(self, setting: Setting, models: Models,
                 on_lost: Callable[[FunctionConfiguration], None] = lambda function: None) -> None:
        self.setting, self.models, self._on_lost = setting, models, on_lost
        self._closing = False
        self._pools: dict[tuple, _Pool] = {}
        self._count = 0
        self._by_key: dict[str, Environment] = {}

    def run_steps(self, invocation: Invocation, answered: simpy.Event,
                  places: Places | None = None) -> Steps:
        """Serve an invocation in the right environment. Value: its Outcome.

        ``answered``: see :meth:`Environment.run_steps`. ``places``: the provisioned ones it is for.
        """
        environment = self.lend(invocation.function, places)
        try:
            outcome = yield from environment.run_steps(invocation, answered)
        except Exception:  # a fault of ours: the caller gets it, and nobody waits for what is left
            environment.shut_down("internal-error", at_once=True)
            self._forget(environment)
            raise
        self.take_back(environment)
        return outcome

    def lend(self, function: FunctionConfiguration, places: Places | None = None
             ) -> AnyEnvironment:
        """A warm environment, busy from now on, or a new one. :meth:`take_back` ends that."""
        environment = None if places is None else self._provisioned(places)
        if environment is None:
            environment = self._warm(function)
        return self._new(function) if environment is None else environment

    def take_back(self, environment: AnyEnvironment) -> None:
        """It has served an invocation: it rests for the next, or (if it has ended) is forgotten."""
        if environment.state is not FROZEN:
            self._forget(environment)
            return
        if environment.places is not None:
            if len(environment.places.environments) > environment.places.wanted:
                self.end_provisioned(environment, "deprovisioned")
            else:
                environment.places.idle.append(environment)
            return
        pool = environment.pool
        if environment.function.revision_id != pool.revision:
            pool.stale = True
        insort(pool.idle, (environment.frozen_since, -pool.made[environment], environment))
        if not pool.waiting:
            self._wait_for_expiry(pool)

    # -- provisioned environments ------------------------------------------------------------------

    def provision(self, function: FunctionConfiguration, places: Places) -> AnyEnvironment:
        """A new environment in ``places``; :meth:`init_steps` is still to be run."""
        environment = self._new(function, places)
        places.environments[environment] = None
        return environment

    def init_steps(self, environment: AnyEnvironment) -> Steps:
        """Initialise it ahead of any request. Value: whether it is ready."""
        if not (yield from environment.init_steps()):
            environment.places.environments.pop(environment, None)
            self._forget(environment)
            return False
        return True

    def end_provisioned(self, environment: AnyEnvironment, reason: str) -> None:
        """It isn't wanted any more."""
        environment.places.environments.pop(environment, None)
        environment.shut_down(reason)
        self._forget(environment)

    def _provisioned(self, places: Places) -> AnyEnvironment | None:
        """An idle one, if there is any that hasn't died in its sleep."""
        while places.idle:
            environment = places.idle.pop()
            if environment.state is FROZEN:
                environment.state = BUSY
                return environment
            self._forget(environment)
        return None

    # -- all of them ---------------------------------------------------------------------------------

    def by_access_key(self, access_key: str) -> Environment | None:
        """The environment that was given these credentials."""
        return self._by_key.get(access_key)

    def retire(self, function: FunctionConfiguration, reason: str) -> None:
        """The function was changed or deleted: its idle environments end now, busy ones after."""
        for environment in list(self._pool(function).made):
            if environment.state is State.FROZEN:
                environment.shut_down(reason)
                self._forget(environment)

    def environments(self, function: FunctionConfiguration
                     ) -> list[AnyEnvironment]:
        return list(self._pool(function).made)

    def wind_down(self, real_seconds: float) -> None:
        """Let idle environments have their Shutdown phase, but not for more real seconds."""
        clock, self._closing = self.setting.clock, True
        with clock.lock:
            for pool in list(self._pools.values()):
                for environment in list(pool.made):
                    if environment.state is State.FROZEN:
                        environment.shut_down("closed")
                        self._forget(environment)
            endings = [environment.ending for environment in self._by_key.values()
                       if environment.ending is not None]
        clock.run_at_most(endings, real_seconds)

    def close(self) -> None:
        self._closing = True
        for pool in list(self._pools.values()):
            for environment in list(pool.made):
                environment.shut_down("closed", at_once=True)
                self._forget(environment)
        for environment in self._by_key.values():  # those whose Shutdown phase took too long
            environment.abandon()

    # -- inside ------------------------------------------------------------------------------------

    def _pool(self, function: FunctionConfiguration, places: Places | None = None) -> _Pool:
        """Versions share no environments, nor do provisioned places with anybody."""
        key = function.name, function.version, function.account, function.region, places
        pool = self._pools.get(key)
        if pool is None:
            pool = self._pools[key] = _Pool()
        return pool

    def _warm(self, function: FunctionConfiguration) -> AnyEnvironment | None:
        pool = self._pool(function)
        if pool.stale or pool.revision != function.revision_id:
            pool.revision, pool.stale = function.revision_id, False
            for environment in list(pool.made):
                if (environment.state is State.FROZEN
                        and environment.function.revision_id != function.revision_id):
                    environment.shut_down("configuration")
                    self._forget(environment)
        while pool.idle:
            environment = pool.idle.pop()[2]
            if environment.state is FROZEN:
                environment.state = BUSY
                return environment
            self._forget(environment)  # it died in its sleep
        return None

    def _new(self, function: FunctionConfiguration, places: Places | None = None
             ) -> AnyEnvironment:
        model = self.models.get(function)
        if model is None:
            environment = Environment(self.setting, function, places)
            self._by_key[environment.access_key] = environment
        else:
            environment = ModelledEnvironment(self.setting, function, model, places)
        self._count += 1
        environment.pool = self._pool(function, places)
        environment.pool.made[environment] = self._count
        return environment

    def _wait_for_expiry(self, pool: _Pool) -> None:
        """One wait for all that are idle: until the first of them is due."""
        clock = self.setting.clock
        due = pool.idle[0][0] + self.setting.model.idle_seconds
        pool.waiting = True
        clock.background(due - clock.seconds).callbacks.append(lambda _: self._expire(pool))

    def _expire(self, pool: _Pool) -> None:
        pool.waiting = False
        latest = self.setting.clock.seconds - self.setting.model.idle_seconds + MOMENT
        expired = 0
        while expired < len(pool.idle) and pool.idle[expired][0] <= latest:
            expired += 1
        due, pool.idle[:expired] = pool.idle[:expired], []
        # Of those that froze at one instant the oldest ends first.
        for _, _, environment in sorted(due, key=lambda entry: (entry[0], -entry[1])):
            if environment.state is State.FROZEN:
                environment.shut_down("expired")
            self._forget(environment)
        if pool.idle:
            self._wait_for_expiry(pool)

    def _forget(self, environment: AnyEnvironment) -> None:
        places = environment.places
        if environment.pool.made.pop(environment, None) is not None:
            if places is None:
                self._on_lost(environment.function)
            elif places.environments.pop(environment, self) is None:  # it should have stayed
                places.available = min(places.available, places.ready)
                if places.on_lost is not None and not self._closing:
                    places.on_lost()
        if environment.access_key is None:
            return
        ending = environment.ending
        if ending is None or ending.callbacks is None:
            self._by_key.pop(environment.access_key, None)
        else:  # its credentials are good to the very end
            ending.callbacks.append(lambda _: self._by_key.pop(environment.access_key, None))
