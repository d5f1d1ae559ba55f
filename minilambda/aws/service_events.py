"""What a service tells the default event bus of its account and region.

Stands for: the events of AWS's own services in EventBridge. AWS page: *Events from AWS services*.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from moto.backends import get_backend

from ..clock import Clock


def tell(clock: Clock, account: str, region: str, source: str, detail_type: str,
         resources: Sequence[str], detail: Mapping[str, Any]) -> None:
    """The bus hears of it, whose rules say what becomes of that."""
    bus = get_backend("events")[account][region].event_buses["default"]
    event = {"version": "0", "id": clock.uuid(), "detail-type": detail_type, "source": source,
             "account": account, "time": clock.timestamp(), "region": region,
             "resources": list(resources), "detail": dict(detail)}
    for rule in list(bus.rules.values()):
        rule.send_to_targets(event, transform_input=False)
