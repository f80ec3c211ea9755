"""What a seed's survey runs on: one NATS or three, slow links or fast ones, limits, clocks, versions, and the graph before."""

from __future__ import annotations

import dataclasses
import random

SECONDS_OF_LATENCY = 0.002


@dataclasses.dataclass(frozen=True)
class Scene:
    # Servers of NATS, and replicas of its streams.
    nats: int = 1
    # Seconds on each link in each direction.
    latency: float = 0
    # The chart's memory limits.
    limited: bool = False
    # One of two EC2 collectors is of an older version.
    versions: bool = False
    # The graph holds an earlier survey, and something that was deleted in AWS since; else it is empty.
    before: bool = False

    def __str__(self) -> str:
        words = ["one NATS" if self.nats == 1 else f"{self.nats} NATS"]
        words += [f"{1000 * self.latency:.0f} ms"] if self.latency else []
        words += ["limits"] if self.limited else []
        words += ["two versions"] if self.versions else []
        return ", ".join([*words, "graph of before" if self.before else "empty graph"])


def drawn(seed: int, draw: random.Random) -> Scene:
    """A scene by chance; every other seed begins with the graph of an earlier survey."""
    before = bool(seed % 2)
    return Scene(
        nats=3 if draw.random() < 0.3 else 1,
        latency=SECONDS_OF_LATENCY if draw.random() < 0.4 else 0,
        limited=draw.random() < 0.3,
        # An older collector cannot fill an empty graph: what it does not know would be missing, and that is right.
        versions=before and draw.random() < 0.3,
        before=before,
    )
