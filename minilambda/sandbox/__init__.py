"""The sandbox: one operating-system process tree an execution environment.

``Host`` starts the supervisor and the event loop; ``Sandbox`` is one environment's process with its
Runtime API; ``tiers`` holds what can be enforced where. ``inline`` is the
tier for places that have neither processes nor threads.
"""

from . import runtimes
from .host import Host
from .inline import InlineHost, InlineSandbox
from .messages import (
    Exit,
    ExtensionEnded,
    ExtensionFailed,
    ExtensionOutput,
    ExtensionReady,
    ExtensionRegistered,
    Failure,
    FromExtension,
    GaveUp,
    InitError,
    Message,
    Next,
    Output,
    Response,
    RuntimeExit,
    Segments,
    Sleep,
    Started,
    Usage,
)
from .postgres import Postgres, PostgresFailed
from .relay import Relay
from .runtime_api import Work
from .sandbox import Sandbox

__all__ = ["Exit", "ExtensionEnded", "ExtensionFailed", "ExtensionOutput", "ExtensionReady",
           "ExtensionRegistered", "Failure", "FromExtension", "GaveUp", "Host", "InitError", "InlineHost",
           "InlineSandbox", "Message", "Next", "Output", "Postgres", "PostgresFailed", "Relay",
           "Response", "RuntimeExit", "Sandbox", "Segments", "Sleep", "Started", "Usage", "Work",
           "runtimes"]
