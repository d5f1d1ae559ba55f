"""What a modelled run costs: the figures of ``model.toml`` as an object.

Stands for nothing AWS promises: these are typical figures that make a page's outputs repeatable.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources


# Code that takes 64 MB takes a little more, here this, there that: so figures lie in the middle of
# what is rounded to one step, not at its edge.
OVERHEAD_MB = 1.5


@dataclass(frozen=True, slots=True)
class RuntimeModel:
    """One family of runtimes. Durations in milliseconds, memory in MB."""

    init_ms: float
    cpu_ms: float
    memory_mb: int
    memory_step_mb: int

    def memory(self, used_mb: float) -> int:
        """Memory used, with the growth past the runtime's own share rounded."""
        growth = max(0.0, used_mb - self.memory_mb - OVERHEAD_MB)
        return self.memory_mb + round(growth / self.memory_step_mb) * self.memory_step_mb


@dataclass(frozen=True, slots=True)
class Model:
    """``runtimes``: by family (python, nodejs, provided)."""

    runtimes: Mapping[str, RuntimeModel]
    latency_ms: Mapping[str, float]
    database_ms: Mapping[str, float]
    idle_seconds: float
    mapping_seconds: float
    provisioning_seconds: float
    s3_notification_seconds: tuple[float, float]
    s3_slow_seconds: tuple[float, float]
    creation_seconds: float
    update_seconds: float
    network_seconds: float
    reclaim_seconds: float

    @classmethod
    def load(cls) -> Model:
        data = tomllib.loads(resources.files(__package__).joinpath("model.toml").read_text())
        runtimes = {name: RuntimeModel(**figures) for name, figures in data["runtimes"].items()}
        return cls(runtimes, data["latency_ms"], data["database_ms"],
                   data["environment"]["idle_seconds"],
                   data["event_source_mapping"]["change_seconds"],
                   data["environment"]["provisioning_seconds"],
                   tuple(data["s3_notification"]["delay_seconds"]),
                   tuple(data["s3_notification"]["slow_seconds"]), **data["states"])

    def latency(self, service: str | None) -> float:
        """Seconds that one call of ``service`` takes from inside a function."""
        return self.latency_ms.get(service or "", self.latency_ms["default"]) / 1000

    def database(self, what: str | None) -> float:
        """Seconds that a round trip to a database takes (``query``); or opening a connection, in
        all (``connect``)."""
        return self.database_ms[what] / 1000 if what else 0.0
