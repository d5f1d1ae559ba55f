"""Figures as a reader reads them: times, dollars, counts.

Stands for nothing of AWS's. Everything a view prints goes through here, so that the same figure
looks the same in a picture, in its text alternative and in the control panel.
"""

from __future__ import annotations

# How an invocation ended (invocation.Status), as a caption says it.
ENDINGS = {
    "success": "returned a result",
    "error": "raised an error",
    "timeout": "timed out",
    "crash": "crashed",
    "out-of-memory": "ran out of memory",
}
# Why a request was throttled (the Reason of TooManyRequestsException), as a caption says it.
REASONS = {
    "ConcurrentInvocationLimitExceeded": "the account's concurrent executions were all in use",
    "ReservedFunctionConcurrentInvocationLimitExceeded":
        "the function's reserved concurrency was all in use",
    "FunctionInvocationRateLimitExceeded":
        "new environments may not be started that fast (the scaling rate)",
    "ReservedFunctionInvocationRateLimitExceeded":
        "too many requests a second for the function's reserved concurrency",
    "CallerRateLimitExceeded": "too many requests a second from the caller",
    "ConcurrentSnapshotCreateLimitExceeded": "too many snapshots were being made",
}
# Endings after which nothing of the environment lives on.
KILLED = ("timeout", "crash", "out-of-memory")


def duration(seconds: float) -> str:
    """A length of time: ``1.4 ms``, ``3 s``, ``3 min 20 s``, ``6 h 5 min``."""
    if seconds < 1 and round(seconds * 1000, 1) < 1000:
        return f"{_trim(seconds * 1000, 1)} ms"
    if seconds < 60 and round(seconds, 2) < 60:
        return f"{_trim(seconds, 2)} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    minutes = round(whole / 60)
    return f"{minutes // 60:,} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def milliseconds(value: float) -> str:
    """Milliseconds as a REPORT line prints them, two decimals: ``1.40 ms``."""
    return f"{value:,.2f} ms"


def dollars(amount: float) -> str:
    """An amount with the decimals it needs, never more than ten: ``$0.0000004083``."""
    text = f"{amount:,.10f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"${whole}.{decimals:0<2}"


def count(number: int, noun: str) -> str:
    """``1 invocation``, ``2 invocations``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def listing(parts: list[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    if len(parts) < 2:
        return "".join(parts)
    return ", ".join(parts[:-1]) + " and " + parts[-1]


# Services that send messages and records themselves when they are asked for something else.
_SENDERS = {"sns": "SNS", "s3": "S3", "events": "EventBridge", "logs": "CloudWatch Logs",
            "dynamodb": "DynamoDB", "states": "Step Functions", "scheduler": "EventBridge Scheduler"}


def who(function: str, via: str | None = None) -> str:
    """Who asked: ``function mail``, ``the notebook``, or a service that passed it on: ``SNS``.

    ``function`` "" is the notebook; ``via`` the service asked, as a trace event has it.
    """
    asked = f"function {function}" if function else "the notebook"
    return f"{_SENDERS[via]}, asked by {asked}" if via in _SENDERS else asked


def short(name: str) -> str:
    """The first eight characters of an id: enough to tell two of a page apart."""
    return name[:8]


def _trim(value: float, digits: int) -> str:
    return f"{value:.{digits}f}".rstrip("0").rstrip(".")
