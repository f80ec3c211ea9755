"""What can go wrong in a survey, how often, and when it does."""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from aws_faults import a_denied_region, a_denied_service, a_hung_call, a_hung_region, resets, server_errors, throttling
from kills import (
    freeze_a_role,
    freeze_nats,
    freeze_neo4j,
    kill_a_collector,
    kill_a_writer,
    kill_nats,
    kill_neo4j,
    kill_the_broker,
    kill_the_scheduler,
    restart_neo4j,
    roll_nats,
    roll_the_roles,
    terminate_the_scheduler,
)
from messages import late_repeats, lose_a_consumer, lose_a_stream, lose_the_indexes, repeats
from network import (
    LONGEST_SILENCE,
    a_long_silence,
    a_long_split,
    cut_links,
    full_disk,
    held_back_deliveries,
    jump_a_clock,
    lost_link,
    silent_link,
    slow_links,
    split_nats,
)
from overlap import (
    a_narrower_scheduler,
    a_repeating_scheduler,
    a_repeating_scheduler_whose_clock_jumps,
    a_second_scheduler,
)

if TYPE_CHECKING:
    from system import System

# One that lasts gives the seconds until it goes on.
Kind = Callable[["System", random.Random], "Iterator[float] | None"]

# Within this time, counted from the survey's beginning, in seconds: about as long as it takes undisturbed, once Neo4j has
# planned its statements.
WINDOW = 3
FEWEST, MOST = 3, 8

WEIGHTS: dict[Kind, int] = {
    kill_a_collector: 5,
    kill_a_writer: 5,
    kill_the_broker: 3,
    kill_the_scheduler: 1,
    terminate_the_scheduler: 1,
    kill_nats: 3,
    kill_neo4j: 1,
    roll_the_roles: 1,
    roll_nats: 1,
    restart_neo4j: 1,
    freeze_a_role: 2,
    freeze_nats: 2,
    freeze_neo4j: 1,
    slow_links: 2,
    held_back_deliveries: 2,
    silent_link: 3,
    lost_link: 2,
    a_long_silence: 1,
    split_nats: 2,
    a_long_split: 1,
    cut_links: 3,
    full_disk: 2,
    jump_a_clock: 2,
    server_errors: 3,
    throttling: 2,
    resets: 2,
    a_hung_call: 1,
    a_denied_service: 1,
    a_denied_region: 1,
    a_hung_region: 1,
    repeats: 3,
    late_repeats: 2,
    lose_a_consumer: 1,
    lose_a_stream: 1,
    lose_the_indexes: 1,
    a_second_scheduler: 2,
    a_narrower_scheduler: 2,
    a_repeating_scheduler: 1,
    a_repeating_scheduler_whose_clock_jumps: 1,
}
# Seconds by which a survey may take longer than undisturbed ones and short disturbances.
EXTRA: dict[Kind, int] = {a_long_silence: LONGEST_SILENCE, a_long_split: LONGEST_SILENCE}
# What needs more than one NATS to happen.
CLUSTERED: set[Kind] = {split_nats, a_long_split}
KINDS = {disturb.__name__: disturb for disturb in WEIGHTS}
# What may keep AWS's answers away for so long that no account can be reached.
OF_AWS: set[Kind] = {silent_link, lost_link, a_long_silence, cut_links, slow_links, server_errors, throttling, resets}


@dataclasses.dataclass
class Disturbance:
    # Seconds after the survey's beginning.
    at: float
    disturb: Kind
    draw: random.Random

    def __str__(self) -> str:
        return f"{self.at:.1f} s {name_of(self.disturb)}"


def name_of(disturb: Any) -> str:
    """As `--kinds` takes it."""
    return disturb.__name__


def plan(draw: random.Random, kinds: Sequence[str] = ()) -> list[Disturbance]:
    """Some disturbances in the order of their moments, each with a separate random generator; or one of each named kind."""
    if kinds:
        chosen = [KINDS[kind] for kind in kinds]
    else:
        count = draw.randint(FEWEST, MOST)
        chosen = draw.choices(list(WEIGHTS), list(WEIGHTS.values()), k=count)
    planned = [Disturbance(draw.uniform(0.2, WINDOW), disturb, random.Random(draw.random())) for disturb in chosen]
    return sorted(planned, key=lambda disturbance: disturbance.at)


class Timeline:
    """Runs disturbances at their moments. One that lasts is a generator, which gives the seconds until it goes on."""

    def __init__(self, system: System, disturbances: Iterable[Disturbance]) -> None:
        self.system = system
        self.began = time.monotonic()
        self.order = itertools.count()
        # When each is due; the number keeps the order of those due at one moment.
        self.waiting: list[tuple[float, int, Any]] = [(it.at, next(self.order), it) for it in disturbances]
        heapq.heapify(self.waiting)
        self.happened: list[Disturbance] = []

    def step(self) -> None:
        """Does what is due. A disturbance that lasts does not hold up the others."""
        now = time.monotonic() - self.began
        while self.waiting and self.waiting[0][0] <= now:
            _, _, due = heapq.heappop(self.waiting)
            if isinstance(due, Disturbance):
                self.happened.append(due)
                due = due.disturb(self.system, due.draw)
            pause = next(due, None) if due is not None else None
            if pause is not None:
                heapq.heappush(self.waiting, (now + pause, next(self.order), due))

    def drop_what_has_not_begun(self) -> None:
        self.waiting = [entry for entry in self.waiting if not isinstance(entry[2], Disturbance)]
        heapq.heapify(self.waiting)

    def is_over(self) -> bool:
        return not self.waiting
