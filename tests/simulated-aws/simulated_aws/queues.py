"""Queues of SQS as AWS describes them: URLs that do not depend on the simulated AWS's port, and times in whole seconds."""

from __future__ import annotations

from typing import Any

from moto.sqs.models import Queue

from . import patches


def fill() -> None:
    described: Any = Queue.attributes

    def attributes(queue: Any) -> dict[str, Any]:
        every = described.fget(queue)
        whole = {name: int(every[name]) for name in ("CreatedTimestamp", "LastModifiedTimestamp")}
        return {**every, **whole}

    def url(queue: Any, request_url: Any) -> str:
        del request_url
        return str(queue.physical_resource_id)

    patches.replace(Queue, "attributes", property(attributes))
    patches.replace(Queue, "url", url)
