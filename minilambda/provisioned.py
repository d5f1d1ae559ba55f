"""Provisioned concurrency: environments that are initialised before anybody asks.

Stands for: PutProvisionedConcurrencyConfig, GetProvisionedConcurrencyConfig,
ListProvisionedConcurrencyConfigs and DeleteProvisionedConcurrencyConfig of the Lambda API. AWS page:
*Configuring provisioned concurrency for a function*.
Leaves out: AWS ends and replaces such environments now and then, for its own reasons.

It is set on a version or an alias, and is the version's: requests to the version by any name are served
by it. Places are counted by ``concurrency``; how long AWS prepares before it starts is in
``model.toml``, how fast it goes on is the scaling rate of ``limits.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import simpy

from . import billing
from . import provisioned_errors as refusals
from .clock import Clock
from .concurrency import Concurrency
from .conversation import Steps
from .environment import Environment
from .function import LATEST, FunctionConfiguration
from .placement import Placement
from .places import Places
from .trace import Trace
from .versions import Alias, Versions, key_of

IN_PROGRESS, READY, FAILED = "IN_PROGRESS", "READY", "FAILED"
INIT_FAILURE = "FUNCTION_ERROR_INIT_FAILURE"
_PAGE = 50  # in one answer, however many are asked for


@dataclass(eq=False, slots=True)
class Config:
    """What was asked for, and how far it has come."""

    qualifier: str
    version: FunctionConfiguration  # which has the environments
    last_modified: datetime
    since: float  # of this number, in seconds on the clock: for the bill
    places: Places = field(default_factory=lambda: Places(""))
    allocated: int = 0
    status: str = IN_PROGRESS
    reason: str | None = None
    turn: int = 0  # counts changes: what was under way for an earlier one stops
    starting: list[simpy.Process] = field(default_factory=list)  # Inits; their values: went well?


class Provisioned:
    """All of a cloud's."""

    def __init__(self, clock: Clock, trace: Trace, concurrency: Concurrency, placement: Placement,
                 versions: Versions) -> None:
        self.clock, self.trace = clock, trace
        self.concurrency, self.placement, self.versions = concurrency, placement, versions
        self.limits, self.model = placement.setting.limits, placement.setting.model
        self._configs: dict[tuple[str, str, str], dict[str, Config]] = {}

    # -- the API's operations ------------------------------------------------------------------------

    def put(self, latest: FunctionConfiguration, qualifier: str, requested: int) -> Config:
        """Set how many are wanted; they come about as time passes.

        Raises:
            LambdaError: it can't be on that, or there are too few places for it.
        """
        with self.clock.lock:
            version = self._check(latest, qualifier)
            configs = self._configs.setdefault(key_of(latest), {})
            config = configs.get(qualifier)
            places = config.places if config else Places(qualifier)
            self.concurrency.provision(version, places, requested, self.clock.seconds)
            if config is None:
                config = configs[qualifier] = Config(
                    qualifier, version, self.clock.now, self.clock.seconds, places)
                places.on_lost = lambda: self._lost(config)
            else:
                self._bill(config, places.wanted)
            config.last_modified = self.clock.now
            places.wanted = requested
            self._shrink(config)
            self._start(config)
            return config

    def get(self, latest: FunctionConfiguration, qualifier: str) -> Config:
        """Raises:
            LambdaError: ResourceNotFoundException, ProvisionedConcurrencyConfigNotFoundException.
        """
        with self.clock.lock:
            self._named(latest, qualifier)
            found = self._configs.get(key_of(latest), {}).get(qualifier)
            if found is None:
                raise refusals.not_found()
            return found

    def list(self, latest: FunctionConfiguration, marker: str | None, max_items: int | None
             ) -> tuple[list[Config], str | None]:
        """One page in the order of their qualifiers, and the next marker."""
        with self.clock.lock:
            found = sorted(self._configs.get(key_of(latest), {}).values(),
                           key=lambda config: config.qualifier)
        rest = [config for config in found if config.qualifier > (marker or "")]
        page = rest[:min(max_items or _PAGE, _PAGE)]
        return page, page[-1].qualifier if len(rest) > len(page) else None

    def delete(self, latest: FunctionConfiguration, qualifier: str) -> None:
        """Harmless when there is none."""
        with self.clock.lock:
            self._named(latest, qualifier)
            self.drop(latest, qualifier)

    # -- what happens to versions and aliases --------------------------------------------------------

    def drop(self, latest: FunctionConfiguration, qualifier: str | None = None) -> None:
        """The qualifier is gone, or (None) the function with all that it has."""
        with self.clock.lock:
            configs = self._configs.get(key_of(latest), {})
            for config in [c for c in configs.values() if qualifier in (None, c.qualifier)]:
                del configs[config.qualifier]
                self._bill(config, config.places.wanted)
                config.turn += 1
                config.places.wanted, config.places.on_lost = 0, None
                self.concurrency.unprovision(config.version, config.places)
                self._shrink(config)
                config.status, config.reason = READY, None
                self._note(config)

    def check_alias(self, latest: FunctionConfiguration, request: Mapping[str, Any]) -> None:
        """Before an alias is changed by UpdateAlias: may it point there?"""
        number = request.get("FunctionVersion")
        with self.clock.lock:
            configs = self._configs.get(key_of(latest), {})
            if number and request["Name"] in configs:
                if number == LATEST:
                    raise refusals.not_published()
                if number in configs:
                    raise refusals.alias_of_provisioned_version()

    def follow(self, latest: FunctionConfiguration, alias: Alias) -> None:
        """An alias was changed: if it points at another version now, that gets the environments."""
        with self.clock.lock:
            config = self._configs.get(key_of(latest), {}).get(alias.name)
            if config is None or config.version.version == alias.function_version:
                return
            wanted, old = config.places.wanted, config.places
            self._bill(config, wanted)
            old.wanted, old.on_lost = 0, None
            self.concurrency.unprovision(config.version, old)
            self._shrink(config)
            config.version = self.versions.get(latest, alias.name)
            config.places, config.allocated = Places(alias.name), 0
            config.places.on_lost = lambda: self._lost(config)
            self.concurrency.provision(config.version, config.places, wanted, self.clock.seconds)
            config.places.wanted = wanted
            self._start(config)

    # -- how it comes about --------------------------------------------------------------------------

    def _start(self, config: Config) -> None:
        config.status, config.reason = IN_PROGRESS, None
        config.turn += 1
        self._note(config)
        self.clock.process(self._allocate_steps(
            config, config.turn, self.model.provisioning_seconds))

    def _allocate_steps(self, config: Config, turn: int, preparation: float) -> Steps:
        """Bring environments to the number wanted, as fast as the scaling rate lets them start."""
        yield self.clock.timeout(preparation)
        places = config.places
        while config.turn == turn and len(places.environments) < places.wanted:
            missing = places.wanted - len(places.environments)
            granted, wait = self.concurrency.grow(config.version, missing, self.clock.seconds)
            for _ in range(granted):
                environment = self.placement.provision(config.version, places)
                config.starting.append(self.clock.process(
                    self._init_steps(config, places, environment)))
            if granted < missing:
                yield self.clock.timeout(wait)
        started, well = list(config.starting), True  # those of an earlier turn too
        for process in started:
            well &= yield process
        if config.turn != turn:
            return
        config.starting.clear()
        if well:
            config.status, config.reason = READY, None
            self._make_available(config)
        else:
            config.status, config.reason = FAILED, INIT_FAILURE
        self._note(config)

    def _init_steps(self, config: Config, places: Places, environment: Environment) -> Steps:
        """Value: whether it could be initialised."""
        if not (yield from self.placement.init_steps(environment)):
            return places.wanted == 0  # nobody minds any more
        if len(places.environments) > places.wanted:  # fewer are wanted meanwhile
            self.placement.end_provisioned(environment, "deprovisioned")
            return True
        places.idle.insert(0, environment)
        if config.places is places:
            config.allocated = places.ready
            if not self.limits.provisioned_at_once:
                places.available = places.ready
        return True

    def _make_available(self, config: Config) -> None:
        """All that there are may be used now."""
        places = config.places
        config.allocated = places.available = places.ready

    def _shrink(self, config: Config) -> None:
        """Fewer are wanted: idle ones end now, busy ones when they are done."""
        places = config.places
        while places.idle and len(places.environments) > places.wanted:
            self.placement.end_provisioned(places.idle.pop(0), "deprovisioned")
        config.allocated = min(config.allocated, places.wanted)
        places.available = min(places.available, places.wanted)

    def _lost(self, config: Config) -> None:
        """An environment has ended (a timeout, a crash): another one takes its place."""
        config.allocated = config.places.available
        if config.status == READY:
            self._note(config)
            config.turn += 1
            self.clock.process(self._allocate_steps(config, config.turn, 0.0))

    # -- inside --------------------------------------------------------------------------------------

    def _named(self, latest: FunctionConfiguration, qualifier: str) -> FunctionConfiguration:
        if qualifier == LATEST:
            raise refusals.not_a_version()
        if qualifier.isdigit():
            return self.versions.get(latest, qualifier)
        self.versions.get_alias(latest, qualifier)
        return self.versions.get(latest, qualifier)

    def _check(self, latest: FunctionConfiguration, qualifier: str) -> FunctionConfiguration:
        """The version that is to have it."""
        if qualifier == LATEST:
            raise refusals.not_published()
        version = self._named(latest, qualifier)
        if version.version == LATEST:
            raise refusals.not_published()
        configs = self._configs.get(key_of(latest), {})
        if not qualifier.isdigit():
            if self.versions.get_alias(latest, qualifier).weights:
                raise refusals.alias_with_weights()
            if version.version in configs:
                raise refusals.alias_of_provisioned_version()
        elif any(config.version.version == qualifier and config.qualifier != qualifier
                 for config in configs.values()):
            raise refusals.version_of_provisioned_alias()
        return version

    def _bill(self, config: Config, requested: int) -> None:
        """What so many have cost since they were asked for."""
        seconds, config.since = self.clock.seconds - config.since, self.clock.seconds
        if requested and seconds > 0:
            self.trace.append(
                self.clock.seconds, "provisioned.billed", config.version.name,
                qualifier=config.qualifier, version=config.version.version, requested=requested,
                seconds=seconds, cost=billing.provisioned_cost(
                    requested, seconds, config.version.memory_size, self.limits))

    def _note(self, config: Config) -> None:
        places = config.places
        self.trace.append(
            self.clock.seconds, "provisioned.changed", config.version.name,
            qualifier=config.qualifier, version=config.version.version, requested=places.wanted,
            allocated=config.allocated, available=places.available, status=config.status,
            reason=config.reason)
