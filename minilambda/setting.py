"""What all execution environments of a cloud share.

Stands for nothing of AWS's: it is what is handed to each of them when it is made.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from .clock import Clock
from .function import FunctionConfiguration
from .limits import Limits
from .logs import LogSink
from .model import Model
from .sandbox import Host, InlineHost, InlineSandbox, Sandbox
from .trace import Trace


@dataclass(frozen=True)
class Setting:
    """One a cloud."""

    clock: Clock
    trace: Trace
    limits: Limits
    model: Model
    host: Host | InlineHost
    sandbox: Callable[..., Sandbox | InlineSandbox]  # starts one on that host
    log_sink: LogSink
    segment_sink: Callable[[FunctionConfiguration, str], None]  # takes a segment document of X-Ray's
    modelled: bool
    endpoint: str
    proxy: str
