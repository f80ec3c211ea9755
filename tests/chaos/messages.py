"""Messages that come again and late, and streams, consumers and indexes that are removed while roles use them."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import parity
import servers
from nats_client import Nats

if TYPE_CHECKING:
    from system import System

ASSETS = "GROMA_ASSETS"
GRAPH = Path(__file__).resolve().parent / "graph.py"


def repeats(system: System, draw: random.Random) -> None:
    """Puts messages of the stream into it once more, out of order, as if they had never been there."""
    for message in taken(system, draw):
        publish(system, [message])


def late_repeats(system: System, draw: random.Random) -> Iterator[float]:
    """The same, some seconds later one by one: what an older survey said arrives in a newer one."""
    for message in taken(system, draw):
        yield draw.uniform(0, 1)
        publish(system, [message])


def taken(system: System, draw: random.Random) -> list[tuple[str, bytes]]:
    found = []
    # OSError: no server is healthy at this moment.
    with contextlib.suppress(OSError), Nats(system.healthy_port()) as nats:
        last = nats.last_sequence(ASSETS)
        sequences = draw.sample(range(1, last + 1), min(last, draw.randint(1, 40)))
        found = [message for message in (nats.stored(ASSETS, sequence) for sequence in sequences) if message]
    return found


def publish(system: System, messages: list[tuple[str, bytes]]) -> None:
    with contextlib.suppress(OSError), Nats(system.healthy_port()) as nats:
        for message in messages:
            nats.publish(*message)


def lose_a_consumer(system: System, draw: random.Random) -> None:
    """Somebody deletes a consumer; who reads from it has to make it anew."""
    with contextlib.suppress(OSError), Nats(system.healthy_port()) as nats:
        every = [(stream, consumer) for stream in sorted(nats.streams()) for consumer in sorted(nats.consumers(stream))]
        if every:
            stream, consumer = draw.choice(every)
            nats.delete_consumer(stream, consumer)


def lose_a_stream(system: System, draw: random.Random) -> None:
    """Somebody deletes a stream with all that it holds; who uses it has to make it anew, and what was in it is lost."""
    with contextlib.suppress(OSError), Nats(system.healthy_port()) as nats:
        streams = sorted(nats.streams())
        if streams:
            nats.delete_stream(draw.choice(streams))


def lose_the_indexes(system: System, draw: random.Random) -> None:
    """Somebody drops Neo4j's indexes."""
    with contextlib.suppress(servers.Failed):
        # It waits for locks of transactions whose clients are silent, and meanwhile no other disturbance ends.
        parity.run_with_driver(GRAPH, system.neo4j, "drop-indexes", within=20)
