"""Whether a disturbed survey ended as it may: with the right graph, or with the names of what it could not see."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

import compare
from nats_client import Nats

if TYPE_CHECKING:
    from system import System

Json = dict[str, Any]

# In the scheduler's log since its last start, by exit status: a line for each scope that it could not see, and the end of
# a survey that reached no account because AWS did not answer.
NAMED = {3: "could not be seen", 1: "no account can be surveyed"}
# Seconds in which servers that were apart elect a leader.
ELECTION = 60
# Of Rust, and of Go.
PANIC = re.compile(r"^(?:thread '.*' .*panicked at .*|panic: .*|fatal error: .*)$", re.MULTILINE)


def of_status(
    system: System, status: int, reference: Json, graph: Json, before: bool, aws_may_be_away: bool
) -> list[str]:
    """What is wrong with how a survey ended, by its exit status; `before` says that the graph held everything before."""
    if status == 0:
        return differences(reference, graph)
    is_permitted = status == 3 or (status == 1 and aws_may_be_away)
    if not is_permitted or NAMED[status] not in system.said_since_start("scheduler"):
        return [f"the survey ended with status {status} without naming its gaps: {system.last_words()}"]
    problems = [
        f"made up: {name}" for name in sorted(set(graph["nodes"]) - set(reference["nodes"])) if not planted(name)
    ]
    problems += graph["faults"]
    if before:
        for kind in ("nodes", "edges"):
            problems += [f"lost though it exists: {name}" for name in sorted(set(reference[kind]) - set(graph[kind]))]
    return problems


def differences(reference: Json, graph: Json) -> list[str]:
    """What the graph has too little or too much of, or different, a line each."""
    verdicts = {compare.LEFT: "missing", compare.RIGHT: "too much", compare.DIFFERS: "differs"}
    found = compare.compare(reference, graph).differences
    return [f"{verdicts[it.verdict]}: {it.subject}: {it.name} {it.shown}".rstrip() for it in found]


def planted(name: str) -> bool:
    """What was in the graph before and has been deleted in AWS since may stay when not everything was seen."""
    return "chaos-" in name


def of_roles(system: System) -> list[str]:
    """What no role and no NATS may do, however the survey ended."""
    problems = list(system.complaints)
    for name in system.running:
        if name == "neo4j":
            continue
        problems += [f"{name} panicked: {panic}" for panic in PANIC.findall(system.log_of(name))]
        if killed := system.scene.limited and system.limits.killed(name):
            problems.append(f"{name} was killed {killed} times for its memory")
    return problems


def of_parked(system: System) -> list[str]:
    """All messages were good, so none may have been given up as unreadable."""
    deadline = time.monotonic() + ELECTION
    while True:
        try:
            with Nats(system.nats.client[system.nats.names[0]]) as nats:
                parked = nats.messages("GROMA_PARKED")
            return [f"{parked} messages are parked"] if parked else []
        except OSError as error:
            if time.monotonic() > deadline:
                return [f"what is parked cannot be read: {error}"]
            time.sleep(1)
