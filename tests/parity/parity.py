#!/usr/bin/env python3
"""Runs Cartography and Groma over the same simulated AWS organization and compares their graphs: `just parity`.

    parity.py [--size small|test] [--fresh] [--types AWSVpc,...] [--keep DIR] [--orders N] [--groma PATH]

Cartography's graph is kept in `.tools/parity`, named after all that it depends on, and is taken from there when nothing
of that has changed; `--fresh` runs Cartography again. With `--orders N` Groma surveys N times more, AWS's answers being
held back by other times each time, and each of these graphs has to be the same too.

Groma surveys once more into its graph, and what it told Neo4j must not scan (`plans.py`).

Exit status 0 when the graphs are the same but for `accepted.json`, 1 when they are not, 2 when there is nothing to
compare.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("dev",)]

import cargo
import compare
import install_cartography
import provision
import run_cartography
import servers

Json = dict[str, Any]

SIMULATED_AWS = servers.aws.SCRIPTS
ACCEPTED = HERE / "accepted.json"
KEPT = provision.TOOLS / "parity"
# What decides Cartography's graph, besides the seeding.
DECISIVE = ("snapshot.py", "run_cartography.py", "cartography.txt")
LONGEST_DELAY = 0.4


def main() -> int:
    arguments = parse_arguments()
    try:
        with prepared(arguments.groma, "parity") as (groma, folder):
            return Parity(arguments, groma, folder).run()
    except (servers.Failed, run_cartography.Failed, provision.Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compares Groma's graph with Cartography's.")
    parser.add_argument("--size", choices=("small", "test"), default="test", help="of the organization")
    parser.add_argument("--fresh", action="store_true", help="run Cartography even if its graph is known")
    parser.add_argument("--types", help="compare only these labels and the edges between them")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave snapshots and logs here")
    parser.add_argument("--orders", type=int, default=0, metavar="N", help="survey in N other orders too")
    parser.add_argument("--groma", help="the program; without it, it is built")
    return parser.parse_args()


@contextlib.contextmanager
def prepared(groma: str | None, purpose: str, *options: str) -> Iterator[tuple[str, Path]]:
    """All that a comparison needs to begin: the program, built unless it is given, and a folder that ends with it."""
    provision.provision(provision.wanted())
    install_cartography.install()
    groma = groma or cargo.build_groma(*options)
    with tempfile.TemporaryDirectory(prefix=f"groma-{purpose}-") as folder:
        yield groma, Path(folder)


class Parity:
    def __init__(self, arguments: argparse.Namespace, groma: str | None, folder: Path) -> None:
        self.arguments = arguments
        self.groma = groma
        self.folder = folder

    def run(self) -> int:
        try:
            with servers.aws.running(self.folder) as aws, servers.neo4j.running(self.folder) as neo4j:
                aws.seed(self.arguments.size, self.folder / "organization")
                cartography, calls = self.cartography(aws, neo4j)
                groma, own_calls = self.survey(aws, neo4j, "groma")
                same = self.compare(cartography, groma)
                print_calls(calls, own_calls)
                same = self.nothing_scans(aws, neo4j) and same
                return 0 if self.other_orders(aws, neo4j, groma, own_calls) and same else 1
        finally:
            self.keep()

    def cartography(self, aws: servers.aws.Aws, neo4j: str) -> tuple[Json, list[list[str]]]:
        """Its snapshot and the calls of its first sync."""
        kept = KEPT / f"{self.arguments.size}-{fingerprint(self.arguments.size)}.json"
        if self.arguments.fresh or not kept.exists():
            syncs = []
            for number in range(2):
                aws.take_calls()
                started = time.monotonic()
                run_cartography.sync(neo4j, aws.environment, self.folder / "cartography.log", number)
                syncs.append(aws.take_calls())
                print(f"Cartography, sync {number + 1}: {time.monotonic() - started:.1f} s", flush=True)
            record(kept, {"graph": self.snapshot(neo4j, "cartography"), "calls": syncs[0]})
        known = compare.load(kept)
        (self.folder / "cartography.json").write_text(json.dumps(known["graph"]), encoding="utf-8")
        return known["graph"], known["calls"]

    def survey(self, aws: servers.aws.Aws, neo4j: str, name: str) -> tuple[Json, list[list[str]]]:
        """Groma's snapshot of an empty graph after one sync, and the calls of that."""
        run_with_driver(HERE / "wipe.py", neo4j)
        aws.take_calls()
        self.sync(aws, neo4j, name)
        calls = aws.take_calls()
        return self.snapshot(neo4j, name), calls

    def sync(self, aws: servers.aws.Aws, neo4j: str, name: str) -> None:
        nats = {"GROMA_NATS_SERVER": servers.tool("nats_server")}
        login = {"NEO4J_URI": neo4j, "NEO4J_USER": "neo4j", "NEO4J_PASSWORD": "none"}
        started = time.monotonic()
        with open(self.folder / f"{name}.log", "wb") as log:
            command = [self.groma, "sync", "--accounts", "profiles"]
            environment = {**aws.environment, **nats, **login, "GROMA_LOG": "info,graph=trace"}
            status = subprocess.run(command, stdout=log, stderr=log, env=environment, check=False).returncode
        if status:
            end = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")[-1500:]
            raise servers.Failed(f"groma sync ended with status {status}: {end}")
        print(f"Groma: {time.monotonic() - started:.1f} s", flush=True)

    def snapshot(self, neo4j: str, name: str) -> Json:
        output = self.folder / f"{name}.json"
        run_with_driver(HERE / "snapshot.py", "--neo4j", neo4j, "--output", output)
        return compare.load(output)

    def compare(self, left: Json, right: Json) -> bool:
        types = set(self.arguments.types.split(",")) if self.arguments.types else None
        if types:
            left, right = compare.restrict(left, types), compare.restrict(right, types)
        accepted = compare.for_size(compare.load(ACCEPTED), self.arguments.size)
        return compare.report(compare.compare(left, right), accepted, restricted=bool(types))

    def nothing_scans(self, aws: servers.aws.Aws, neo4j: str) -> bool:
        """What a second sync says, too, which has something to look up and to clean."""
        self.sync(aws, neo4j, "groma-again")
        run_with_driver(HERE / "wipe.py", neo4j, "--nodes")
        print(flush=True)
        logs = [self.folder / "groma.log", self.folder / "groma-again.log"]
        return run_with_driver(HERE / "plans.py", "--neo4j", neo4j, *logs, expected=(0, 3)) == 0

    def other_orders(self, aws: servers.aws.Aws, neo4j: str, first: Json, calls: list[list[str]]) -> bool:
        """Whether each order in which scopes can finish gives the graph that the first gave."""
        same = True
        places = sorted(set(map(tuple, calls)))
        for seed in range(1, self.arguments.orders + 1):
            aws.control("faults", delays(seed, places), method="POST")
            try:
                graph, _ = self.survey(aws, neo4j, f"groma-{seed}")
            finally:
                aws.control("faults", method="DELETE")
            differences = compare.compare(first, graph).differences
            print(f"order {seed}: {len(differences) or 'no'} differences from the first")
            compare.print_differences(differences)
            same = same and not differences
        return same

    def keep(self) -> None:
        if self.arguments.keep:
            self.arguments.keep.mkdir(parents=True, exist_ok=True)
            for pattern in ("*.json", "*.log"):
                for path in self.folder.glob(pattern):
                    shutil.copy(path, self.arguments.keep)


def run_with_driver(script: Path, *arguments: object, expected: tuple[int, ...] = (0,), within: float = 1_800) -> int:
    """Runs a script that needs Neo4j's driver, for so many seconds at most."""
    command = [str(install_cartography.PYTHON), str(script), *map(str, arguments)]
    options = {"stderr": subprocess.PIPE, "text": True, "env": servers.plain_environment(), "check": False}
    try:
        done = subprocess.run(command, timeout=within, **options)
    except subprocess.TimeoutExpired:
        raise servers.Failed(f"{Path(script).name} has not ended after {within} s") from None
    if done.returncode not in expected:
        raise servers.Failed(f"{Path(script).name}: {done.stderr.strip()[-500:]}")
    return done.returncode


# Cartography's graph is kept


def fingerprint(size: str) -> str:
    """Of all that Cartography's graph depends on; the seeding gives the same ids and dates every time."""
    files = [*SIMULATED_AWS.glob("seeding/*.py"), *SIMULATED_AWS.glob("simulated_aws/*.py")]
    files += [SIMULATED_AWS / "moto_server.py", SIMULATED_AWS / "organization.py", *(HERE / name for name in DECISIVE)]
    digest = hashlib.sha256(json.dumps([size, provision.MOTO, run_cartography.MODULES]).encode())
    for file in sorted(files):
        digest.update(file.read_bytes())
    return digest.hexdigest()[:16]


def record(kept: Path, known: Json) -> None:
    kept.parent.mkdir(parents=True, exist_ok=True)
    for older in kept.parent.glob(f"{kept.name.partition('-')[0]}-*.json"):
        older.unlink()
    half = kept.with_suffix(".new")
    half.write_text(json.dumps(known), encoding="utf-8")
    half.rename(kept)


# Calls


def delays(seed: int, places: list[Any]) -> list[Json]:
    """Rules that delay each action in each account and region by a different time."""
    draw = random.Random(seed)
    names = ("account", "region", "service", "action")
    return [{**dict(zip(names, place)), "delay_seconds": round(draw.uniform(0, LONGEST_DELAY), 3)} for place in places]


def print_calls(left: list[list[str]], right: list[list[str]]) -> None:
    """Each action with its calls in both programs, where they differ, and the sums."""
    counts = [collections.Counter(f"{service} {action}" for _, _, service, action in calls) for calls in (left, right)]
    print(f"\nAWS calls{'':42}Cartography   Groma")
    for action in sorted(set(counts[0]) | set(counts[1])):
        if counts[0][action] != counts[1][action]:
            print(f"  {action:50}{counts[0][action]:10}{counts[1][action]:8}")
    print(f"  {'all':50}{len(left):10}{len(right):8}")


if __name__ == "__main__":
    servers.end_on_sigterm()
    sys.exit(main())
