"""What `scale.py` measures of collectors: how collection gets faster with more of them.

An organization of many accounts, each like one simulated account (`many_accounts.py`), whose answers come from memory
after a set latency. Broker, EC2 collectors and scheduler are separate processes on one nats-server. Each collector
takes one account and region at a time, so that eight of them do not need more than a small machine has. The graph-writer
starts when all is collected, so that Neo4j's time is told apart from the collectors'.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import many_places
import measure
import parity
import report
import roles
import servers

if TYPE_CHECKING:
    from bench import Recorded

Json = dict[str, Any]

DONE = "work item done"


class Roles(roles.Roles):
    """Broker and collectors, which stay; a writer that comes when all is collected."""

    PATIENCE = 600
    COLLECTOR = ["collector", "ec2", "--items", "1"]

    def __init__(self, groma: str, aws: Any, folder: Path, regions: str) -> None:
        # Every survey says whose account it is, which is STS's.
        super().__init__(
            groma,
            aws,
            folder,
            {
                "broker": ["broker", "--accounts", "profiles", "--lease-own-identity"],
                "collector-sts": ["collector", "sts"],
            },
        )
        self.SCHEDULER = ["scheduler", "--services", "ec2", "--regions", regions]
        self.collectors = []

    def grow(self, collectors: int) -> None:
        for number in range(len(self.collectors), collectors):
            name = f"collector-{number}"
            self.roles[name] = self.COLLECTOR
            self.start(name)
            self.collectors.append(name)
        # Until all have joined the stream.
        time.sleep(3)

    def write(self) -> float:
        """Seconds that a graph-writer needs for what is in the stream."""
        began = time.monotonic()
        self.start_writer()
        self.wait("the scheduler", lambda: self.running["scheduler"].poll() is not None)
        seconds = time.monotonic() - began
        self.stop_writer()
        if status := self.running["scheduler"].returncode:
            raise servers.Failed(f"the survey ended with status {status}: {self.last_words()}")
        return seconds

    def done(self) -> int:
        """Work items that the collectors say they have done."""
        logs = (Path(self.folder, f"{name}.log") for name in self.collectors)
        return sum(log.read_text(encoding="utf-8").count(DONE) for log in logs)

    def cpu(self) -> float:
        return sum(measure.cpu_seconds(self.running[name].pid) for name in self.collectors)


class Collectors:
    def __init__(self, arguments: argparse.Namespace, groma: str, folder: Path) -> None:
        self.arguments, self.groma, self.folder = arguments, groma, folder

    def measure(self) -> list[Json]:
        """A row for each number of collectors."""
        with servers.aws.running(self.folder) as simulated:
            simulated.seed("small", self.folder / "organization")
            with (
                many_places.many_accounts(simulated, self.folder, self.arguments.accounts) as aws,
                Roles(self.groma, aws, self.folder, self.arguments.regions) as system,
            ):
                self.warm_up(aws, system)
                return [self.survey(aws, system, number) for number in self.arguments.collectors]

    def warm_up(self, aws: Recorded, system: Any) -> None:
        """Fills memory, and has Neo4j plan its statements; how many work items there are is then known."""
        aws.reset(0)
        system.grow(1)
        system.start("scheduler")
        seconds = system.write()
        self.items = system.done()
        print(
            f"{self.arguments.accounts} accounts and their hub, {self.items} work items; warmed up in {seconds:.0f} s"
        )

    def survey(self, aws: Recorded, system: Any, collectors: int) -> Json:
        parity.run_with_driver(parity.HERE / "wipe.py", system.neo4j, "--nodes")
        system.grow(collectors)
        aws.reset(self.arguments.latency)
        before, cpu, busy, began = system.done(), system.cpu(), processors(), time.monotonic()
        system.start("scheduler")
        system.wait("a collector", lambda: system.done() >= before + self.items)
        seconds = time.monotonic() - began
        busy, cpu, counts = processors() - busy, system.cpu() - cpu, aws.counts()
        row = {"collectors": collectors, "seconds": seconds, "calls": counts["calls"], "cpu": cpu}
        row |= {"in_flight": counts["most_in_flight"], "machine": busy / seconds / (os.cpu_count() or 1)}
        row |= {"aws": counts["cpu_seconds"] / seconds, "writing": system.write()}
        print(f"{collectors} collectors: {seconds:.1f} s, then {row['writing']:.1f} s of writing", flush=True)
        return row


CALLS = ("AWS calls", "per second", "in flight")
COLUMNS = ("collectors", "collecting", "speed-up", *CALLS, "their CPU", "machine", "replayed AWS", "writing")


def table(rows: list[Any]) -> str:
    return report.drawn([COLUMNS, *(cells(row, rows[0]["seconds"]) for row in rows)])


def cells(row: Json, slowest: float) -> tuple[str, ...]:
    seconds, calls = row["seconds"], row["calls"]
    times = (f"{seconds:.1f} s", f"{slowest / seconds:.1f}×", f"{calls:,}", f"{calls / seconds:,.0f}")
    busy = (str(row["in_flight"]), f"{row['cpu']:.1f} s", f"{row['machine']:.0%}", f"{row['aws']:.0%}")
    return (str(row["collectors"]), *times, *busy, f"{row['writing']:.1f} s")


def processors() -> float:
    """Seconds that all processors together have been busy."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split()[1:11])
    return (user + nice + system + irq + softirq) / measure.TICKS
