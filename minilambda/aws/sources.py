"""The queues and streams that event source mappings name, in moto.

Stands for: what Lambda asks SQS, Kinesis and DynamoDB Streams before it makes a mapping.
"""

from __future__ import annotations

from moto.core.base_backend import BackendDict
from moto.dynamodb.models import dynamodb_backends
from moto.kinesis.models import kinesis_backends
from moto.sqs.models import sqs_backends

from ..event_source import KINESIS, Source


class Sources:
    """moto's stores, as ``minilambda.event_sources`` asks them."""

    def visibility(self, source: Source) -> int | None:
        """Seconds of a queue's visibility timeout; None if there is no such queue."""
        backend = _backend(sqs_backends, source)
        queue = backend.queues.get(source.name) if backend else None
        return None if queue is None else int(queue.visibility_timeout)

    def stream_exists(self, source: Source) -> bool:
        if source.kind == KINESIS:
            backend = _backend(kinesis_backends, source)
            return bool(backend) and source.name in backend.streams
        backend = _backend(dynamodb_backends, source)
        table = backend.tables.get(source.name) if backend else None
        label = source.arn.rpartition("/stream/")[2]
        return table is not None and bool(label) and table.latest_stream_label == label


def _backend(backends: BackendDict, source: Source):
    """A region's store, if there is anything in that account; asking moto would make one."""
    if source.account not in backends or source.region not in backends[source.account]:
        return None
    return backends[source.account][source.region]
