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
    Sleep,
    Started,
    Usage,
)
from .runtime_api import Work
from .sandbox import Sandbox

__all__ = ["Exit", "ExtensionEnded", "ExtensionFailed", "ExtensionOutput", "ExtensionReady",
           "ExtensionRegistered", "Failure", "FromExtension", "GaveUp", "Host", "InitError", "InlineHost",
           "InlineSandbox", "Message", "Next", "Output", "Response", "RuntimeExit", "Sandbox",
           "Sleep", "Started", "Usage", "Work", "runtimes"]
