"""Metrics of other services than Lambda, put into moto's CloudWatch.

Stands for: a service publishing to CloudWatch. AWS page: *Metrics in Amazon CloudWatch*.
Leaves out: that some services publish every few minutes only.
"""

from __future__ import annotations

from collections.abc import Mapping

from moto.cloudwatch.models import MetricDatum, cloudwatch_backends
from moto.core.utils import utcnow


def add(account: str, region: str, namespace: str, name: str, dimensions: Mapping[str, str],
        value: float = 1.0, unit: str = "Count") -> None:
    """One data point, now."""
    cloudwatch_backends[account][region].metric_data.append(MetricDatum(
        namespace, name, value, [{"Name": key, "Value": text} for key, text in dimensions.items()],
        utcnow(), unit))
