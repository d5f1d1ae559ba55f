"""Which execution environment serves an invocation: a warm one, or a new one.

Stands for: Lambda's placement service. AWS page: *Understanding Lambda function scaling*.
AWS doesn't say which of several warm environments is taken; here it is the one frozen last, so
that the others can expire. Idle environments end after the model's ``idle_seconds``.
"""

from __future__ import annotations

from collections import defaultdict

import simpy

from .conversation import Steps
from .environment import Environment, State
from .function import FunctionConfiguration
from .invocation import Invocation
from .setting import Setting


class Placement:
    """All environments of a cloud, by version of a function and by their credentials."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self._all: dict[str, list[Environment]] = defaultdict(list)
        self._by_key: dict[str, Environment] = {}

    def run_steps(self, invocation: Invocation, answered: simpy.Event) -> Steps:
        """Serve an invocation in the right environment. Value: its Outcome.

        ``answered``: see :meth:`Environment.run_steps`.
        """
        environment = self._warm(invocation.function) or self._new(invocation.function)
        try:
            outcome = yield from environment.run_steps(invocation, answered)
        except Exception:  # a fault of ours: the caller gets it, and nobody waits for what is left
            environment.shut_down("internal-error", at_once=True)
            self._forget(environment)
            raise
        if environment.state is State.FROZEN:
            self.setting.clock.process(self._expire_steps(environment))
        else:
            self._forget(environment)
        return outcome

    def by_access_key(self, access_key: str) -> Environment | None:
        """The environment that was given these credentials."""
        return self._by_key.get(access_key)

    def retire(self, function: FunctionConfiguration, reason: str) -> None:
        """The function was changed or deleted: its idle environments end now, busy ones after."""
        for environment in list(self._all[_pool(function)]):
            if environment.state is State.FROZEN:
                environment.shut_down(reason)
                self._forget(environment)

    def environments(self, function: FunctionConfiguration) -> list[Environment]:
        return list(self._all[_pool(function)])

    def wind_down(self, real_seconds: float) -> None:
        """Let idle environments have their Shutdown phase, but not for more real seconds."""
        clock = self.setting.clock
        with clock.lock:
            for environments in list(self._all.values()):
                for environment in list(environments):
                    if environment.state is State.FROZEN:
                        environment.shut_down("closed")
                        self._forget(environment)
            endings = [environment.ending for environment in self._by_key.values()
                       if environment.ending is not None]
        clock.run_at_most(endings, real_seconds)

    def close(self) -> None:
        for environments in list(self._all.values()):
            for environment in list(environments):
                environment.shut_down("closed", at_once=True)
                self._forget(environment)
        for environment in self._by_key.values():  # those whose Shutdown phase took too long
            environment.abandon()

    def _warm(self, function: FunctionConfiguration) -> Environment | None:
        candidates = []
        for environment in list(self._all[_pool(function)]):
            if environment.state is not State.FROZEN:
                if environment.state is State.SHUT:
                    self._forget(environment)
            elif environment.function.revision_id != function.revision_id:
                environment.shut_down("configuration")
                self._forget(environment)
            else:
                candidates.append(environment)
        # A place in line settles ties, so that the same seed gives the same choice.
        best = max(candidates, key=lambda e: e.frozen_since, default=None)
        if best is not None:
            best.state = State.BUSY
        return best

    def _new(self, function: FunctionConfiguration) -> Environment:
        environment = Environment(self.setting, function)
        self._all[_pool(function)].append(environment)
        self._by_key[environment.access_key] = environment
        return environment

    def _expire_steps(self, environment: Environment) -> Steps:
        since = environment.frozen_since
        yield self.setting.clock.background(self.setting.model.idle_seconds)
        if environment.state is State.FROZEN and environment.frozen_since == since:
            environment.shut_down("expired")
            self._forget(environment)

    def _forget(self, environment: Environment) -> None:
        environments = self._all[_pool(environment.function)]
        if environment in environments:
            environments.remove(environment)
        ending = environment.ending
        if ending is None or ending.callbacks is None:
            self._by_key.pop(environment.access_key, None)
        else:  # its credentials are good to the very end
            ending.callbacks.append(lambda _: self._by_key.pop(environment.access_key, None))


def _pool(function: FunctionConfiguration) -> str:
    """Versions share no environments."""
    return f"{function.arn}:{function.version}"
