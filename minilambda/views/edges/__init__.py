"""Every limit, tried at its edge and one past it, on a running cloud.

Stands for the page *Lambda quotas* and those that ``limits.toml`` names, as an experiment. A row of
the limits table is a trial (``configuration``, ``packages``, ``payloads``, ``scaling``,
``asynchronous``, ``event_sources``), or ``table`` says why it is none.
"""

from .bench import Edge, NotHere, Try
from .table import Edges, edges

__all__ = ["Edge", "Edges", "NotHere", "Try", "edges"]
