"""Links that are slow, silent or cut, a disk that is full, and clocks that jump."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from system import System

KINDS = ("nats", "neo4j", "aws")
# Seconds.
LONGEST_SILENCE = 90


def slow_links(system: System, draw: random.Random) -> Iterator[float]:
    """All links of one kind, or of one role."""
    names = some_links(system, draw)
    system.links.latency(names, draw.choice((0.02, 0.1, 0.5)))
    yield draw.uniform(2, 15)
    system.links.latency(still_there(system, names), system.scene.latency)


def held_back_deliveries(system: System, draw: random.Random) -> Iterator[float]:
    """What NATS sends to one writer arrives seconds later, while others get theirs at once."""
    names = [
        name for name in system.links.links if name.startswith(draw.choice(system.roles("graph-writer")) + ">nats")
    ]
    system.links.latency(names, draw.uniform(1, 4))
    yield draw.uniform(4, 12)
    system.links.latency(still_there(system, names), system.scene.latency)


def silent_link(system: System, draw: random.Random) -> Iterator[float]:
    """Accepts connections and carries nothing; afterwards what was held arrives."""
    yield from silence(system, draw, forget=False)


def lost_link(system: System, draw: random.Random) -> Iterator[float]:
    """Accepts connections and carries nothing; the connections that met it never carry anything again."""
    yield from silence(system, draw, forget=True)


def a_long_silence(system: System, draw: random.Random) -> Iterator[float]:
    """Outlasts the limits of most waits, which are 30 s and more; what was held then arrives, or never."""
    yield from silence(system, draw, draw.random() < 0.5, (40, LONGEST_SILENCE))


def silence(
    system: System, draw: random.Random, forget: bool, seconds: Sequence[float] = (0.5, 3, 10)
) -> Iterator[float]:
    names = some_links(system, draw)
    yield from silence_of(system, names, draw.choice(seconds), forget)


def split_nats(system: System, draw: random.Random) -> Iterator[float]:
    """One server of NATS loses the others, and they lose it; clients reach all of them."""
    yield from split(system, draw, (3, 10, 25))


def a_long_split(system: System, draw: random.Random) -> Iterator[float]:
    """Until roles have given up waiting for the server that they are connected to."""
    yield from split(system, draw, (45, LONGEST_SILENCE))


def split(system: System, draw: random.Random, seconds: Sequence[float]) -> Iterator[float]:
    links = system.nats.between(draw.choice(system.nats.names))
    # A server that stands alone has none to lose.
    if links:
        yield from silence_of(system, links, draw.choice(seconds), draw.random() < 0.5)


def silence_of(system: System, names: list[str], seconds: float, forget: bool) -> Iterator[float]:
    system.links.silence(names)
    yield seconds
    system.links.speak(still_there(system, names), forget)


def cut_links(system: System, draw: random.Random) -> Iterator[float]:
    """Resets the connections, some times in a row."""
    names = some_links(system, draw)
    for _ in range(draw.randint(1, 4)):
        system.links.cut(still_there(system, names))
        yield draw.uniform(0, 1)


def some_links(system: System, draw: random.Random) -> list[str]:
    """One link, or all that lead to one kind of server."""
    every = sorted(system.links.links)
    if draw.random() < 0.5:
        return [draw.choice(every)]
    kind = draw.choice(KINDS)
    return [name for name in every if name.partition(">")[2].startswith(kind)]


def still_there(system: System, names: list[str]) -> list[str]:
    return [name for name in names if name in system.links.links]


def full_disk(system: System, draw: random.Random) -> Iterator[float]:
    """Neo4j's disk fills up and is freed; a Neo4j that then refuses to write is restarted, as an operator would."""
    if system.disk.why_not:
        return
    system.disk.fill()
    yield draw.uniform(3, 15)
    system.disk.free()
    yield 2
    if not system.is_away("neo4j") and not system.neo4j_writes():
        system.terminate("neo4j")
        while system.is_away("neo4j") or not system.neo4j_answers():
            yield 0.2


def jump_a_clock(system: System, draw: random.Random) -> None:
    """The scheduler's by up to a month, which decides which survey is the newest; another role's by minutes."""
    if system.clocks.why_not:
        return
    minutes = draw.choice((-10, -1, 1, 10))
    if draw.random() < 0.5:
        system.clocks.shift("scheduler", draw.choice((-7200, 60 * minutes, 7200, 30 * 86400)))
    else:
        system.clocks.shift(draw.choice(system.roles()), 60 * minutes)
