"""The seeds of `just test`: few and always the same, with each kind of disturbance in one of them."""

from __future__ import annotations

import dataclasses
import random
from pathlib import Path

from disturbances import plan
from scene import SECONDS_OF_LATENCY, Scene
from seed import Seed

# Kinds that leave a survey incomplete share a seed, so that the others are judged by the whole graph.
SELECTION = {
    # What today's defects were found by.
    9001: (
        Scene(before=True, latency=SECONDS_OF_LATENCY),
        ("kill_nats", "kill_a_writer", "silent_link", "repeats", "jump_a_clock", "a_second_scheduler"),
    ),
    9002: (
        Scene(nats=3, limited=True),
        (
            "roll_nats",
            "freeze_nats",
            "terminate_the_scheduler",
            "kill_a_collector",
            "server_errors",
            "slow_links",
            "late_repeats",
            "split_nats",
        ),
    ),
    9003: (
        Scene(before=True, versions=True, limited=True),
        (
            "full_disk",
            "roll_the_roles",
            "throttling",
            "lose_a_consumer",
            "a_narrower_scheduler",
            "a_repeating_scheduler_whose_clock_jumps",
        ),
    ),
    9004: (
        Scene(),
        ("kill_neo4j", "kill_the_scheduler", "cut_links", "resets", "held_back_deliveries", "freeze_a_role"),
    ),
    9005: (
        Scene(before=True, latency=SECONDS_OF_LATENCY),
        ("a_denied_service", "a_denied_region", "kill_the_broker", "freeze_neo4j", "lose_the_indexes"),
    ),
    9006: (
        Scene(nats=3, latency=SECONDS_OF_LATENCY, before=True),
        ("kill_nats", "restart_neo4j", "a_hung_call", "a_repeating_scheduler", "lost_link"),
    ),
}
# Only in the long run: each costs a minute or more by its nature, as roles wait for what will not come.
LONG = ("a_hung_region", "lose_a_stream", "a_long_silence", "a_long_split")


def seeds(older: str | Path | None) -> list[Seed]:
    """All of them; without a program of an older version each runs on one version."""
    return [drawn(number, older) for number in SELECTION]


def known(number: int, older: str | Path | None) -> Seed | None:
    """The one of this number, if it is among them."""
    return drawn(number, older) if number in SELECTION else None


def drawn(number: int, older: str | Path | None) -> Seed:
    scene, kinds = SELECTION[number]
    scene = scene if older else dataclasses.replace(scene, versions=False)
    return Seed.of(number, scene, plan(random.Random(number), kinds))
