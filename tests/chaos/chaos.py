#!/usr/bin/env python3
"""Disturbs surveys in every way that we know of, and compares what becomes of the graph: `just chaos`.

    chaos.py [--seeds N] [--first SEED] [--jobs N] [--kinds kill_nats,lost_link] [--keep DIR] [--groma PATH]
    chaos.py --selection        what `just test` runs: few seeds, between them each kind of disturbance
    chaos.py --list             the kinds

All roles run as separate processes on real nats-servers, a real Neo4j and a simulated AWS, with a proxy on every link.
First one survey runs undisturbed. Then, for each seed, a survey runs on a scene that the seed draws (`scene.py`: one NATS or
three, latency, the chart's memory limits, two versions of a collector, an empty graph or that of an earlier survey), while
at moments and in an order that the seed gives things go wrong (`disturbances.py`).

A disturbed survey that calls itself complete must have left the graph of the undisturbed one. One that could not see
something must say so, must have removed nothing that exists, and the next survey must put all right. No role may panic,
outgrow its memory limit or park a message. A survey that takes longer than its bound has failed; what the system was doing
is printed.

Exit status 0 when every seed ended so, 1 when one did not, 2 when nothing could be tried.
"""

from __future__ import annotations

import argparse
import contextlib
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterable
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("dev", "parity", "simulated-aws")]

import ending
import parity
import selection
import servers
from disturbances import KINDS
from seed import Bench, Seed
from system import System


def main() -> int:
    arguments = parse_arguments()
    if arguments.list:
        print("\n".join(KINDS))
        return 0
    try:
        with parity.prepared(arguments.groma, "chaos") as (groma, folder):
            older = arguments.older or Path(groma).parent / "examples" / "older_collector"
            older = older if Path(older).exists() else None
            return run_shares(arguments, groma) if arguments.jobs > 1 else run(arguments, groma, older, folder)
    except (servers.Failed, parity.provision.Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Disturbs surveys and compares what becomes of the graph.")
    parser.add_argument("--seeds", type=int, default=50, metavar="N", help="how many disturbed surveys")
    parser.add_argument("--first", type=int, default=1, metavar="SEED", help="the first one's seed")
    parser.add_argument("--jobs", type=int, default=1, metavar="N", help="systems side by side: surveys mostly wait")
    parser.add_argument("--share", type=share, default=(0, 1), help=argparse.SUPPRESS)
    parser.add_argument("--selection", action="store_true", help="the seeds of `just test` instead")
    parser.add_argument(
        "--kinds", type=kinds, default=(), metavar="KIND,KIND", help="one of each of these in each seed"
    )
    parser.add_argument("--list", action="store_true", help="name the kinds of disturbances")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="leave logs and graphs of failed seeds here")
    parser.add_argument("--groma", help="the program; without it, it is built")
    parser.add_argument(
        "--older", help="an EC2 collector of an older version (default: the example beside the program)"
    )
    return parser.parse_args()


def kinds(text: str) -> tuple[str, ...]:
    named = tuple(filter(None, text.split(",")))
    unknown = [kind for kind in named if kind not in KINDS]
    if unknown:
        raise argparse.ArgumentTypeError(f"no such kind: {', '.join(unknown)}")
    return named


def share(text: str) -> tuple[int, int]:
    """`1/3`: the second of three shares."""
    which, shares = map(int, text.split("/"))
    return which, shares


# The last line of a run.
ENDED = re.compile(r"(\d+) of (\d+) seeds ended well in \d+ s(?:; not \[(.*)\])?")


def run_shares(arguments: argparse.Namespace, groma: str) -> int:
    """Runs itself several times, each with a share of the seeds and a separate system."""
    began = time.monotonic()
    # The last of two options counts.
    command = [sys.executable, str(Path(__file__).resolve()), *sys.argv[1:], "--groma", str(groma), "--jobs", "1"]
    ends = []
    with contextlib.ExitStack() as started:
        children = [
            started.enter_context(
                subprocess.Popen([*command, "--share", f"{which}/{arguments.jobs}"], stdout=subprocess.PIPE, text=True)
            )
            for which in range(arguments.jobs)
        ]
        readers = [threading.Thread(target=pass_on, args=(child.stdout, ends)) for child in children]
        for reader in readers:
            reader.start()
        for reader in readers:
            reader.join()
    well, seeds = (sum(int(end[number]) for end in ends) for number in (1, 2))
    failed = sorted(int(number) for end in ends for number in re.findall(r"\d+", end[3] or ""))
    print(
        f"{well} of {seeds} seeds ended well in {time.monotonic() - began:.0f} s"
        + (f"; not {failed}" if failed else "")
    )
    if len(ends) < arguments.jobs:
        print("error: a share of the seeds was not run to its end", file=sys.stderr)
        return 2
    return 1 if failed else 0


def pass_on(lines: Iterable[str], ends: list[re.Match[str]]) -> None:
    """Prints what a share says, except its last line."""
    for line in lines:
        if end := ENDED.fullmatch(line.strip()):
            ends.append(end)
        else:
            print(line, end="", flush=True)


def run(arguments: argparse.Namespace, groma: str, older: str | Path | None, folder: Path) -> int:
    began = time.monotonic()
    with servers.aws.running(folder) as aws:
        aws.seed("small", folder / "organization")
        with System(groma, aws, folder, older) as system:
            bench = Bench(system, aws, folder)
            print(f"undisturbed: {bench.reference_seconds:.1f} s, {len(bench.reference['nodes'])} nodes", flush=True)
            say_what_is_left_out(system)
            which, shares = arguments.share
            seeds = chosen(arguments, older)[which::shares]
            failed = [seed.number for seed in seeds if not one(bench, seed, arguments.keep)]
    well = len(seeds) - len(failed)
    print(
        f"{well} of {len(seeds)} seeds ended well in {time.monotonic() - began:.0f} s"
        + (f"; not {failed}" if failed else "")
    )
    return 1 if failed else 0


def chosen(arguments: argparse.Namespace, older: str | Path | None) -> list[Seed]:
    if arguments.selection:
        return selection.seeds(older)
    numbers = range(arguments.first, arguments.first + arguments.seeds)
    return [selection.known(number, older) or Seed.drawn(number, arguments.kinds, older) for number in numbers]


def say_what_is_left_out(system: System) -> None:
    """What this machine does not permit."""
    left_out = {"full_disk": system.disk.why_not, "jump_a_clock": system.clocks.why_not}
    left_out["a_repeating_scheduler_whose_clock_jumps"] = system.clocks.why_not
    left_out["two versions"] = None if system.older else "no example older_collector beside the program"
    for kind, why in left_out.items():
        if why:
            print(f"left out: {kind}: {why}", flush=True)
    print(f"memory limits: {system.limits.kind}", flush=True)


def one(bench: Bench, seed: Seed, keep: Path | None) -> bool:
    """Whether a seed ended well."""
    result = bench.run(seed)
    print(result.line(), flush=True)
    for problem in result.problems[:10]:
        print(f"  seed {seed.number}: {problem}", flush=True)
    if len(result.problems) > 10:
        print(f"  seed {seed.number}: and {len(result.problems) - 10} more", flush=True)
    for line in result.dump:
        print(f"  {seed.number} | {line}", flush=True)
    if result.problems and keep:
        kept = keep / f"seed-{seed.number}"
        shutil.copytree(bench.folder_of(seed), kept, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*-streams"))
        for log in (bench.folder / "neo4j.log", bench.system.disk.folder / "logs" / "debug.log"):
            if log.exists():
                shutil.copy(log, kept / f"neo4j-{log.name}")
    shutil.rmtree(bench.folder_of(seed), ignore_errors=True)
    return not result.problems


if __name__ == "__main__":
    with ending.all_that_was_started():
        sys.exit(main())
