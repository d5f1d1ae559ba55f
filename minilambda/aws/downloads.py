"""Where ``Code.Location`` of GetFunction and ``Content.Location`` of GetLayerVersion lead.

Stands for: presigned URLs of the buckets in which AWS keeps packages and layers, good for ten
minutes. AWS pages: *GetFunction*, *GetLayerVersion*.
"""

from __future__ import annotations

import hashlib
import threading

from ..clock import Clock
from ..function import CodePackage

_SECONDS = 600


class Downloads:
    """Archives on offer, by the signature of the link that leads to them."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._offers: dict[str, tuple[CodePackage, float]] = {}
        self._lock = threading.Lock()

    def offer(self, path: str, code: CodePackage) -> str:
        """The path with the query under which the archive can be fetched from now on."""
        now = self._clock.timestamp()
        signature = hashlib.sha256(f"{path} {code.sha256} {now}".encode()).hexdigest()
        with self._lock:
            self._offers = {s: o for s, o in self._offers.items() if o[1] > now}
            self._offers[signature] = code, now + _SECONDS
        return f"{path}?X-Amz-Expires={_SECONDS}&X-Amz-Signature={signature}"

    def fetch(self, signature: str) -> bytes | None:
        """The archive, or None when the offer is unknown or over."""
        with self._lock:
            code, until = self._offers.get(signature, (None, 0.0))
        return code.archive if code and self._clock.timestamp() < until else None
