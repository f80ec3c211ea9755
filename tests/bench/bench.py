#!/usr/bin/env python3
"""Times Cartography and Groma over the same simulated AWS organization into the same Neo4j: `just bench`.

    bench.py [--size test|demo|small] [--latencies 0,50] [--repeat N] [--groma PATH] [--output FILE] [--keep DIR]

AWS's answers come from memory (`recorded_aws.py`) with a set latency. For each program unmeasured syncs fill that memory and
warm Neo4j, until they no longer get faster (`warm_up.py`); then, for each latency, it begins with an empty graph and is
measured over two syncs. Groma is run
once more with AWS's quotas raised a hundredfold: the AWS from memory refuses nothing, but Groma would not know. Last, with the
greatest latency, the AWS from memory refuses both programs what exceeds the quotas that AWS publishes.
The tables go to standard output and, with what it takes to repeat them, into `docs/benchmarks.md`.

Needs Linux, for `/proc`. Exit status 0 when everything was measured, 2 when something was in the way.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("dev", "parity")]

import ceiling
import install_cartography
import measure
import parity
import provision
import report
import run_cartography
import servers
import warm_up
from servers import ROOT

Json = dict[str, Any]

SYNCS = 2
# Groma's runs are short, so that a breath of something else on the machine shows; the median of some does not.
REPEATS = {"cartography": 1, "groma": 3, "groma-raised": 3}
RAISED = "10000"
# Neo4j goes on tidying up for a moment after a sync.
REST = 1.0


def main() -> int:
    arguments = parse_arguments()
    try:
        with parity.prepared(arguments.groma, "bench", "--release") as (groma, folder):
            return Bench(arguments, groma, folder).run()
    except (servers.Failed, measure.Failed, provision.Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Times Cartography and Groma over the same simulated AWS.")
    parser.add_argument("--size", choices=("small", "test", "demo"), default="test", help="of the organization")
    parser.add_argument("--latencies", default="0,50", help="milliseconds that AWS takes for a call")
    parser.add_argument("--programs", default=",".join(REPEATS), help="which to run")
    parser.add_argument("--repeat", type=int, help="runs of each; without it 1 of Cartography, 3 of Groma")
    parser.add_argument("--groma", help="the program; without it, it is built with --release")
    parser.add_argument("--output", type=Path, default=ROOT / "docs" / "benchmarks.md", help="the page to write")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave logs and numbers here")
    return parser.parse_args()


class Bench:
    def __init__(self, arguments: argparse.Namespace, groma: str, folder: Path) -> None:
        self.arguments = arguments
        self.groma = groma
        self.folder = folder
        self.latencies = [int(latency) for latency in arguments.latencies.split(",")]
        self.programs = arguments.programs.split(",")

    def run(self) -> int:
        measure.adopt_orphans()
        began = time.monotonic()
        try:
            with servers.aws.running(self.folder) as simulated, servers.neo4j.running(self.folder) as neo4j:
                simulated.seed(self.arguments.size, self.folder / "organization")
                with recorded_aws(simulated, self.folder) as aws:
                    self.aws, self.neo4j, self.environment = aws, neo4j, aws.environment
                    self.neo4j_process = process_of("CommunityEntryPoint")
                    return self.measure(began)
        finally:
            self.keep()

    def measure(self, began: float) -> int:
        graphs, runs, warm_ups = {}, [], {}
        for program in self.programs:
            warm_ups[program] = warm_up.until_no_faster(functools.partial(self.pair, program))
            print(warm_up.line(program, warm_ups[program]), flush=True)
            graphs[program] = self.count_graph()
            for latency in self.latencies:
                runs.extend(self.repeated(program, latency))
            if program in report.ENFORCED:
                runs.extend(self.repeated(program, max(self.latencies), is_enforced=True))
        calls_per_second = ceiling.of(self.aws, self.environment)
        print(f"AWS from memory answers {calls_per_second:,.0f} calls a second", flush=True)
        facts = {
            "size": self.arguments.size,
            "latencies": self.latencies,
            "ceiling": calls_per_second,
            "graphs": graphs,
            "warm_ups": warm_ups,
            "heap": option(self.neo4j_process, "-Xmx"),
            "groma": self.version_of_groma(),
            "minutes": (time.monotonic() - began) / 60,
        }
        self.save({"facts": facts, "runs": runs})
        page = report.page(facts, runs)
        print(f"\n{report.tables(facts, runs)}")
        if set(self.programs) == set(REPEATS):
            self.arguments.output.parent.mkdir(parents=True, exist_ok=True)
            self.arguments.output.write_text(page, encoding="utf-8")
            print(f"\nwritten to {self.arguments.output}")
        return 0

    def pair(self, program: str, number: int) -> float:
        """Seconds of a first sync and the next one, unmeasured. The first pair also fills AWS's memory."""
        self.empty(*(["--nodes"] if number else []))
        self.aws.reset(0)
        return sum(self.sync(program, sync, f"{program}-warm-up-{number + 1}").seconds for sync in range(SYNCS))

    def repeated(self, program: str, latency: int, is_enforced: bool = False) -> Iterator[Json]:
        repeats = self.arguments.repeat or REPEATS[program]
        for repeat in range(repeats):
            self.empty("--nodes")
            for number in range(SYNCS):
                yield self.measured(program, latency, is_enforced, number, repeat)

    def measured(self, program: str, latency: int, is_enforced: bool, number: int, repeat: int) -> Json:
        time.sleep(REST)
        self.aws.reset(latency, is_enforced)
        neo4j = measure.cpu_seconds(self.neo4j_process)
        taken = self.sync(program, number, f"{program}-{latency}{'-enforced' if is_enforced else ''}-{repeat}")
        counts = self.aws.counts()
        run = {"program": program, "latency": latency, "enforced": is_enforced, "sync": number + 1, **vars(taken)}
        run |= {"neo4j_cpu": measure.cpu_seconds(self.neo4j_process) - neo4j, "aws_cpu": counts["cpu_seconds"]}
        run |= {name: counts[name] for name in ("calls", "most_in_flight", "refused")}
        print(report.line(run), flush=True)
        return run

    def sync(self, program: str, number: int, name: str) -> measure.Taken:
        command, environment = self.cartography(number) if program == "cartography" else self.survey(program)
        return measure.run(command, environment, self.folder / f"{name}-{number + 1}.log")

    def cartography(self, number: int) -> tuple[list[str], dict[str, str]]:
        return cartography_command(self.neo4j, number), self.environment

    def survey(self, program: str) -> tuple[list[str], dict[str, str]]:
        quota = ["--quota-percent", RAISED] if program == "groma-raised" else []
        return survey(self.groma, self.environment, self.neo4j, *quota)

    def empty(self, *only: str) -> None:
        parity.run_with_driver(parity.HERE / "wipe.py", self.neo4j, *only)

    def count_graph(self) -> Json:
        command = [str(install_cartography.PYTHON), str(HERE / "count.py"), self.neo4j]
        return json.loads(subprocess.run(command, stdout=subprocess.PIPE, check=True).stdout)

    def version_of_groma(self) -> str:
        said = subprocess.run([self.groma, "--version"], stdout=subprocess.PIPE, text=True, check=True).stdout
        return said.split()[-1]

    def save(self, numbers: Json) -> None:
        (self.folder / "numbers.json").write_text(json.dumps(numbers, indent=1), encoding="utf-8")

    def keep(self) -> None:
        if self.arguments.keep:
            self.arguments.keep.mkdir(parents=True, exist_ok=True)
            for path in (*self.folder.glob("*.log"), *self.folder.glob("*.json")):
                shutil.copy(path, self.arguments.keep)


def survey(groma: str, environment: dict[str, str], neo4j: str, *options: str) -> tuple[list[str], dict[str, str]]:
    """The command and the environment of `groma sync` into this Neo4j."""
    nats = {"GROMA_NATS_SERVER": servers.tool("nats_server")}
    login = {"NEO4J_URI": neo4j, "NEO4J_USER": "neo4j", "NEO4J_PASSWORD": "none"}
    return [groma, "sync", "--accounts", "profiles", *options], {**environment, **nats, **login}


def cartography_command(neo4j: str, number: int) -> list[str]:
    """As `run_cartography.sync` runs it."""
    command = [str(install_cartography.PYTHON), "-W", "ignore", "-m", "cartography"]
    command += ["--selected-modules", "create-indexes,aws", "--neo4j-uri", neo4j, "--aws-sync-all-profiles"]
    command += ["--aws-requested-syncs", ",".join(run_cartography.MODULES)]
    command += ["--update-tag", str(run_cartography.FIRST_TAG + number)]
    return [*command, "--permission-relationships-file", run_cartography.permission_relationships()]


class Recorded:
    """The AWS from memory."""

    def __init__(self, endpoint: str, environment: dict[str, str]) -> None:
        self.endpoint = endpoint
        self.environment = {**environment, "AWS_ENDPOINT_URL": endpoint}

    def reset(self, milliseconds: int, is_enforced: bool = False) -> None:
        self.control("POST", f"reset?milliseconds={milliseconds}{'&buckets=published' if is_enforced else ''}")

    def counts(self) -> Json:
        """Of a run in which every call was answered from memory, and well."""
        counts = self.control("GET", "counts")
        if counts["unrecorded"] or counts["failed"]:
            # The one would time the simulated AWS, the other retries.
            raise measure.Failed(f"calls that memory could not answer well: {counts}")
        return counts

    def control(self, method: str, name: str) -> Any:
        return servers.http.ask(f"{self.endpoint}/_bench/{name}", method)


@contextlib.contextmanager
def recorded_aws(simulated: servers.aws.Aws, folder: Path) -> Iterator[Recorded]:
    with from_memory("recorded_aws.py", simulated, folder) as endpoint:
        yield Recorded(endpoint, simulated.environment)


@contextlib.contextmanager
def from_memory(script: str, simulated: servers.aws.Aws, folder: Path, *options: str) -> Iterator[str]:
    """Where this script answers for the simulated AWS."""
    command = [servers.python(), str(HERE / script), "--behind", simulated.endpoint, *options]
    with servers.process.announcing("recorded", "AWS from memory", command, folder) as endpoint:
        yield endpoint


def process_of(word: str) -> int:
    """The child whose command line has this word."""
    of_child = ((pid, Path(f"/proc/{pid}/cmdline").read_text()) for pid in measure.children(measure.os.getpid()))
    return next(pid for pid, line in of_child if word in line)


def option(pid: int, name: str) -> str:
    """The value of an option on a process's command line."""
    words = Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return next((word[len(name) :] for word in words if word.startswith(name)), "its own choice")


if __name__ == "__main__":
    servers.end_on_sigterm()
    sys.exit(main())
