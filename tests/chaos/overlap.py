"""Schedulers beside the one that is watched."""

from __future__ import annotations

import random
import re
import time
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


# In the log of a scheduler, for each survey that it begins, and for each that has ended.
SURVEYS = re.compile(r"survey started|sync finished|sync failed|skipped: |interrupted ")
BEGINS = re.compile(r"survey started")
# Seconds between a survey's end and the next one's beginning: the clock is looked at every minute.
LONGEST_PAUSE = 80


def a_repeating_scheduler_whose_clock_jumps(system: System, draw: random.Random) -> Iterator[float]:
    """Of a part, again and again; whatever its clock says, in a survey or between two, the next survey comes in time."""
    if system.clocks.why_not:
        return
    system.start_scheduler([*draw.choice(PARTS), "--every", EVERY])
    name = list(system.others)[-1]
    for _ in range(draw.randint(1, 3)):
        yield draw.uniform(1, 6)
        system.clocks.shift(name, draw.choice((-30 * 86400, -7200, -60, 60, 7200, 30 * 86400)))
    yield from until_it_surveys(system, name)
    system.end_process(name)


def until_it_surveys(system: System, name: str) -> Iterator[float]:
    """Complains about a scheduler that rests for too long."""
    before = said = len(SURVEYS.findall(system.log_of(name)))
    since = time.monotonic()
    while said == before or not is_idle(system, name):
        yield 0.2
        now = len(SURVEYS.findall(system.log_of(name)))
        # A survey that is disturbed may take minutes.
        if now != said or not is_idle(system, name):
            said, since = now, time.monotonic()
        if time.monotonic() - since > LONGEST_PAUSE:
            system.complaints.append(f"{name} has surveyed nothing for {LONGEST_PAUSE} s after its clock jumped")
            return


def is_idle(system: System, name: str) -> bool:
    """Whether the last survey that it began has ended."""
    lines = SURVEYS.findall(system.log_of(name))
    return bool(lines) and not BEGINS.match(lines[-1])
