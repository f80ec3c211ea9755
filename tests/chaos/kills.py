"""Processes that die, are restarted in turn, or stand still."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from system import System


def kill_a_collector(system: System, draw: random.Random) -> None:
    system.kill(draw.choice(system.roles("collector")), draw.uniform(0, 2))


def kill_a_writer(system: System, draw: random.Random) -> None:
    system.kill(draw.choice(system.roles("graph-writer")), draw.uniform(0, 2))


def kill_the_broker(system: System, draw: random.Random) -> None:
    system.kill("broker", draw.uniform(0, 2))


def kill_the_scheduler(system: System, draw: random.Random) -> None:
    system.kill("scheduler", draw.uniform(0, 1))


def terminate_the_scheduler(system: System, draw: random.Random) -> None:
    """As a rolling update does in the middle of a survey; the next one begins when it has ended."""
    system.terminate("scheduler")


def kill_nats(system: System, draw: random.Random) -> None:
    system.kill(draw.choice(system.nats.names), draw.uniform(0, 1))


def kill_neo4j(system: System, draw: random.Random) -> None:
    system.kill("neo4j", draw.uniform(0, 1))


def roll_the_roles(system: System, draw: random.Random) -> Iterator[float]:
    """Restarts each in turn, the next when the one before is back; the scheduler is not among them, as it is a job."""
    names = system.roles()
    draw.shuffle(names)
    for name in names:
        system.terminate(name)
        while system.is_away(name):
            yield 0.1
        yield draw.uniform(0, 0.5)


def roll_nats(system: System, draw: random.Random) -> Iterator[float]:
    """Restarts each server in turn, the next when all are well again."""
    for name in system.nats.names:
        system.terminate(name)
        while system.is_away(name) or not all(map(system.nats.healthy, system.nats.names)):
            yield 0.2
        yield draw.uniform(0, 1)


def restart_neo4j(system: System, draw: random.Random) -> Iterator[float]:
    system.terminate("neo4j")
    while system.is_away("neo4j") or not system.neo4j_answers():
        yield 0.2


def freeze_a_role(system: System, draw: random.Random) -> Iterator[float]:
    yield from freeze(system, draw.choice([*system.roles(), "scheduler"]), draw.choice((1, 5, 20, 45)))


def freeze_nats(system: System, draw: random.Random) -> Iterator[float]:
    yield from freeze(system, draw.choice(system.nats.names), draw.choice((1, 4, 12)))


def freeze_neo4j(system: System, draw: random.Random) -> Iterator[float]:
    yield from freeze(system, "neo4j", draw.choice((1, 5, 25)))


def freeze(system: System, name: str, seconds: float) -> Iterator[float]:
    system.freeze(name)
    yield seconds
    system.thaw(name)
