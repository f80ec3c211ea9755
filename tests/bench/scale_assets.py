"""What `scale.py --assets` measures: how fast a graph-writer turns large syncs into the graph, and the memory that it takes.

A recording of a synthetic organization (`crates/scheduler/examples/synthetic`) is published first, so that only the writer is
timed: from its start until the graph has finished the sync. Neo4j starts cold for each row of the table.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import examples
import measure
import report
import roles
import servers
from servers import neo4j

Json = dict[str, Any]

# Heap and page cache for a million assets (docs/scaling.md).
NEO4J = neo4j.Size(("-Xms2g", "-Xmx2g", "-XX:+UseParallelGC"), page_cache="1g")
FIRST_TAG = 1_000_000_000


@dataclasses.dataclass(frozen=True)
class Step:
    title: str
    changed: int = 0
    removed: int = 0


STEPS = (Step("first sync"), Step("unchanged"), Step("1% changed", changed=1), Step("10% removed", removed=10))


class System(roles.Roles):
    """A nats-server, a Neo4j as a user would run it, and a graph-writer that comes when all is published."""

    def __init__(self, groma: str, folder: Path) -> None:
        super().__init__(groma, None, folder)

    def neo4j_command(self) -> list[str]:
        return neo4j.Neo4j(self.folder / "neo4j", self.neo4j_port, size=NEO4J).configured()

    @property
    def nats(self) -> str:
        return f"nats://127.0.0.1:{self.nats_port}"

    def store_bytes(self) -> int:
        files = Path(self.folder, "neo4j", "data", "databases", "neo4j").rglob("*")
        return sum(file.stat().st_size for file in files if file.is_file())


class Assets:
    """One table: rows are programs and numbers of accounts, columns are the syncs."""

    def __init__(self, programs: dict[str, str], accounts: list[int], assets: int, folder: Path) -> None:
        self.programs, self.accounts, self.assets, self.folder = programs, accounts, assets, folder
        # With --release: the time to write a million assets would exceed that of the measurement.
        self.synthetic = examples.built({"synthetic"}, "--release")["synthetic"]
        # The last first sync.
        self.first: Path | None = None

    def measure(self) -> list[Json]:
        rows = []
        for accounts in self.accounts:
            recordings = self.recordings(accounts)
            for name, groma in self.programs.items():
                with self.place(f"{accounts}-{name}") as folder:
                    rows.append({"program": name, "accounts": accounts} | self.syncs(groma, folder, recordings))
                    print(cells(rows[-1]), flush=True)
            self.first = recordings[0]
            for recording in recordings[1:]:
                recording.unlink()
        return rows

    @contextlib.contextmanager
    def place(self, name: str) -> Iterator[Path]:
        folder = self.folder / name
        folder.mkdir()
        yield folder
        shutil.rmtree(folder)

    def recordings(self, accounts: int) -> list[Path]:
        made = []
        for number, step in enumerate(STEPS):
            file = self.folder / f"{accounts}-{number}.groma"
            size = ["--assets", str(self.assets), "--accounts", str(accounts), "--tag", str(FIRST_TAG + number)]
            change = ["--changed", str(step.changed), "--removed", str(step.removed)]
            self.run("write", file, *size, *change)
            made.append(file)
        return made

    def syncs(self, groma: str, folder: Path, recordings: list[Path]) -> Json:
        largest, times = {}, []
        with System(groma, folder) as system:
            for recording in recordings:
                self.run("publish", recording, "--nats", system.nats)
                times.append(self.write(system, recording, largest))
            store = system.store_bytes()
        return {"times": times, "largest": largest, "store": store}

    def write(self, system: Any, recording: Path, largest: dict[str, float]) -> float:
        """Seconds that a writer takes for what is published."""
        command = [self.synthetic, "wait", str(recording), "--nats", system.nats]
        waiting = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        began = time.monotonic()
        system.start_writer()
        while waiting.poll() is None:
            for name, process in system.running.items():
                with contextlib.suppress(OSError):  # it has ended since
                    kilobytes = measure.largest_kilobytes(process.pid)
                    largest[name] = max(largest.get(name, 0), kilobytes / 1024)
            if system.running["graph-writer"].poll() is not None:
                waiting.kill()
                raise servers.Failed(f"the graph-writer ended: {system.log('graph-writer').read_text()[-600:]}")
            time.sleep(measure.INTERVAL)
        seconds = time.monotonic() - began
        if waiting.returncode:
            raise servers.Failed(f"the graph did not finish: {system.log('graph-writer').read_text()[-600:]}")
        system.stop_writer()
        return seconds

    def replayed(self) -> float:
        """Seconds that `groma replay` of the last of the programs takes for the last first sync, into an empty graph."""
        *_, groma = self.programs.values()
        with self.place("replay") as folder, System(groma, folder) as system:
            began = time.monotonic()
            with open(folder / "replay.log", "wb") as log:
                command = [groma, "replay", str(self.first)]
                ended = subprocess.run(command, stdout=log, stderr=log, env=system.environment())
            if ended.returncode:
                raise servers.Failed(f"the replay failed: {(folder / 'replay.log').read_text()[-600:]}")
            return time.monotonic() - began

    def run(self, *arguments: object) -> None:
        ended = subprocess.run([self.synthetic, *map(str, arguments)], capture_output=True, text=True)
        if ended.returncode:
            raise servers.Failed(f"synthetic {arguments[0]} failed: {ended.stderr.strip()[-600:]}")


HEAD = ("accounts", *(step.title for step in STEPS), "graph-writer", "nats-server", "Neo4j", "store")


def table(rows: list[Any]) -> str:
    programs = {row["program"] for row in rows}
    head = HEAD if len(programs) == 1 else ("program", *HEAD)
    return report.drawn([head, *(cells(row, len(programs) > 1) for row in rows)])


def cells(row: Json, named: bool = True) -> tuple[str, ...]:
    times = (f"{seconds:.0f} s" for seconds in row["times"])
    sizes = (f"{row['largest'].get(name, 0):,.0f} MB" for name in ("graph-writer", "nats", "neo4j"))
    shown = (f"{row['accounts']:,}", *times, *sizes, f"{row['store'] / 1e6:,.0f} MB")
    return (row["program"], *shown) if named else shown
