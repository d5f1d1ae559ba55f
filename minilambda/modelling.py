"""Modelled functions of a cloud: chances in the place of code, and requests by the million.

Stands for nothing of AWS's. What is simulated is the service's behaviour, by the engine that serves
every other request; see ``modelled`` and ``simulation``.
"""

from __future__ import annotations

from collections.abc import Iterable

from .clock import Clock
from .frontend import Frontend
from .limits import Limits
from .modelled import FunctionModel
from .placement import Placement
from .provisioned import Provisioned
from .registry import Registry
from .simulation import Simulation, Tally, poisson


class Modelling:
    """What a :class:`minilambda.Cloud` can do with modelled functions."""

    clock: Clock
    limits: Limits
    registry: Registry
    frontend: Frontend
    placement: Placement
    provisioned: Provisioned
    account_id: str
    region: str

    _slow: tuple[Clock, float] | None = None  # and since which clock: a reset forgets it

    def _check(self) -> None:
        raise NotImplementedError

    @property
    def slow_notifications(self) -> float:
        """How likely a notification of S3's is to take a minute or two, 0 to 1. It is 0 at first.

        AWS says that they come "typically in seconds but can sometimes take a minute or longer", and
        doesn't say how often that is.
        """
        return self._slow[1] if self._slow is not None and self._slow[0] is self.clock else 0.0

    @slow_notifications.setter
    def slow_notifications(self, share: float) -> None:
        self._check()
        if not 0.0 <= share <= 1.0:
            raise ValueError("slow_notifications must be from 0 to 1")
        self._slow = self.clock, share

    def model(self, function: str, model: FunctionModel | None) -> None:
        """From now on the function (all versions) does what the model says; None: its code again.

        It is created, configured, versioned, invoked and throttled as any other. It answers
        ``null``, and its environments are new.

        Args:
            function: its name or ARN.
            model: ``FunctionModel(duration=…, init=…, errors=…, crashes=…)``.

        Raises:
            LambdaError: ResourceNotFoundException.
            TypeError: not a FunctionModel.
            ValueError: it has provisioned concurrency: its environments are there already.
        """
        self._check()
        if not isinstance(model, FunctionModel | None):
            raise TypeError(f"model must be a minilambda.FunctionModel or None, not {model!r}")
        latest = self.registry.latest(self.account_id, self.region, function,
                                      action="lambda:UpdateFunctionCode")
        if self.provisioned.list(latest, None, 1)[0]:
            raise ValueError(f"{function} has provisioned concurrency, environments of its code are"
                             " there: model it first, then put provisioned concurrency")
        with self.clock.lock:
            self.placement.models.set(latest, model)
            for version in (latest, *self.registry.versions.published(latest)):
                self.placement.retire(version, "configuration")

    def simulate(self, function: str, *, rate: float | None = None, requests: int | None = None,
                 seconds: float | None = None, instants: Iterable[float] | None = None,
                 qualifier: str | None = None, every: int = 1) -> Tally:
        """Send a modelled function requests, and let time pass until all are served.

        Args:
            function: its name or ARN.
            rate: random arrivals (a Poisson process), so many a second on average …
            requests: … until so many have come,
            seconds: … or for so long.
            instants: instead of these: when they come, in seconds from now, ascending.
            qualifier: a version or an alias.
            every: of how many requests one goes the whole way, with an id, in trace, log and
                metrics; the others are counted only. 1: all of them. 0: none, which is the fastest
                and keeps nothing.

        Raises:
            ValueError: the function isn't modelled; an argument that isn't one of the above.
            LambdaError: ResourceNotFoundException.
        """
        self._check()
        if every < 0 or every != int(every):
            raise ValueError(f"every must be a whole number, 0 or more, not {every}")
        target = self.registry.target(self.account_id, self.region, function, qualifier)
        if self.placement.models.get(target.function) is None:
            raise ValueError(f"{function} runs its code: give it a model first, with cloud.model")
        start = self.clock.seconds
        if instants is None:
            if rate is None:
                raise ValueError("simulate: say at what rate requests come, or at which instants")
            come = poisson(rate, self.clock.random, start, requests, seconds)
        elif rate is None and requests is None and seconds is None:
            come = (start + at for at in instants)
        else:
            raise ValueError("simulate: instants say it all; rate, requests and seconds don't fit")
        simulation = Simulation(self.frontend, target, come, every, self.limits)
        return self.clock.run_until(simulation.done)
