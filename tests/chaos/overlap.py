"""Schedulers beside the one that is watched."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING

from seeding import accounts

if TYPE_CHECKING:
    from system import System

EVERY = "5s"
PARTS = (
    ["--services", "iam"],
    ["--services", "ec2", "--regions", "us-east-1"],
    ["--account", accounts.ALPHA],
    ["--types", "AWSVpc,AWSEC2Subnet"],
)


def a_second_scheduler(system: System, draw: random.Random) -> None:
    """Of the same scope: it has to see that a survey runs."""
    system.start_scheduler([])


def a_narrower_scheduler(system: System, draw: random.Random) -> None:
    """Of a part, which the survey that is watched covers too."""
    system.start_scheduler(draw.choice(PARTS))


def a_repeating_scheduler(system: System, draw: random.Random) -> Iterator[float]:
    """Of a part, again and again; it is killed after a while, in the middle of a survey or between two."""
    system.start_scheduler([*draw.choice(PARTS), "--every", EVERY])
    name = list(system.others)[-1]
    yield draw.uniform(3, 15)
    system.end_process(name)
