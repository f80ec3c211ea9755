"""What `memory.py` measures, part by part; each gives a table."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import bench
import catalog
import examples
import large_account
import limits
import many_places
import measure
import report
import roles
import servers
from seeding import accounts

SERVICES = catalog.names()
# Of accounts that are all alike; four like those of `just scale`.
REGIONS = many_places.REGIONS
# Bytes within which a sync of the largest organization has to close.
CLOSING = 256 << 20
REGION, CALLS_OF_ALL = "us-east-1", 100_000
HANGS = 120


@dataclasses.dataclass
class Found:
    table: str
    fits: bool = True


class Watched(roles.Roles):
    """All roles, with the largest size that each has had."""

    def __init__(self, groma: str, aws: Any, folder: Path, flags: list[str]) -> None:
        collectors = {f"collector-{service}": ["collector", service] for service in SERVICES}
        quota = ["--quota-percent", bench.RAISED]
        collectors = {name: [*arguments, *quota] for name, arguments in collectors.items()}
        known = {
            "broker": ["broker", "--accounts", "profiles", "--lease-own-identity"],
            **collectors,
            "graph-writer": ["graph-writer"],
        }
        super().__init__(groma, aws, folder, known)
        self.SCHEDULER = ["scheduler", *flags]

    def survey(self, expected: tuple[int, ...] = (0,)) -> tuple[dict[str, float], float]:
        """Megabytes by process, and seconds."""
        began = time.monotonic()
        self.start("scheduler")
        largest = {}
        while self.ended() is None:
            for name, process in self.running.items():
                with contextlib.suppress(OSError):  # it has ended since
                    largest[name] = measure.largest_kilobytes(process.pid) / 1024
            if time.monotonic() - began > self.PATIENCE:
                raise servers.Failed(f"the survey does not end: {self.last_words()}")
            time.sleep(measure.INTERVAL)
        if self.ended() not in expected:
            raise servers.Failed(f"the survey ended with status {self.ended()}: {self.last_words()}")
        return largest, time.monotonic() - began


# Assets and accounts


COLUMNS = ("broker", "scheduler", *(f"collector-{service}" for service in SERVICES), "graph-writer", "nats")


def assets(arguments: argparse.Namespace, groma: str, folder: Path) -> Found:
    rows = []
    with servers.aws.running(folder) as simulated:
        simulated.seed("small", folder / "organization")
        for pages in arguments.pages:
            own = folder / str(pages)
            own.mkdir()
            options = ["--account", accounts.ALPHA, "--pages", str(pages)]
            flags = ["--account", accounts.ALPHA, "--regions", accounts.REGIONS[0]]
            with bench.from_memory("large_account.py", simulated, own, *options) as endpoint:
                aws = bench.Recorded(endpoint, simulated.environment)
                resources = pages * (large_account.VOLUMES + large_account.FINDINGS)
                rows.append((f"{resources:,}", *sizes(groma, aws, own, flags)))
                print(" ".join(rows[-1]), flush=True)
    return Found(report.drawn([("volumes and findings", *COLUMNS, "survey"), *rows]))


def many(arguments: argparse.Namespace, groma: str, folder: Path) -> Found:
    rows = []
    with servers.aws.running(folder) as simulated:
        simulated.seed("small", folder / "organization")
        for count in arguments.accounts:
            own = folder / str(count)
            own.mkdir()
            with many_places.many_accounts(simulated, own, count) as aws:
                aws.reset(0)
                flags = ["--services", "ec2,inspector2", "--regions", REGIONS]
                rows.append((f"{count:,}", *sizes(groma, aws, own, flags)))
                print(" ".join(rows[-1]), flush=True)
    return Found(report.drawn([("accounts", *COLUMNS, "survey"), *rows]))


def sizes(groma: str, aws: Any, folder: Path, flags: list[str]) -> tuple[str, ...]:
    with Watched(groma, aws, folder, flags) as watched:
        largest, seconds = watched.survey()
    return (*(f"{largest[name]:.0f} MB" for name in COLUMNS), f"{seconds:.0f} s")


# Closing


LARGEST = re.compile(r"(?:closed|followed) in (?P<time>\S+): .* (?P<size>\d+) MiB")
# Regions that a policy denies to most organizations with one: each of their listings fails.
DENIED = 15


def closing(arguments: argparse.Namespace, *_: object) -> Found:
    """A sync of the largest organization, by examples of graph-writer and scheduler, each in a cgroup if one can be made."""
    accounts, regions, listings = arguments.closing
    size, most = list(map(str, arguments.closing)), str(CLOSING >> 20)
    denied = min(DENIED, regions)
    runs = (
        ("graph-writer", "close", [*size, most]),
        ("scheduler", "follow", [*size, "0", most]),
        (f"scheduler, {denied} regions denied", "follow", [*size, str(denied), most]),
    )
    programs = built_examples(arguments, {name for _, name, _ in runs})
    group = limits.best("memory")
    try:
        found = [within(group, programs[name], given) for _, name, given in runs]
    finally:
        group.close()
    head = ("role", "accounts", "regions", "listings", "scopes", "took", "largest", "within")
    scopes = f"{accounts * regions * listings:,}"
    rows = [(role, *size, scopes, *ended, group.kind) for (role, _, _), (_, *ended) in zip(runs, found)]
    return Found(report.drawn([head, *rows]), fits=all(fits for fits, *_ in found))


def within(group: Any, program: str, arguments: list[str]) -> tuple[Any, ...]:
    """Whether a program kept the limit, how long it took, and its largest size."""
    environment = servers.plain_environment()
    if isinstance(group, limits.Cgroups):
        environment["CGROUP"] = str(group.make(Path(program).name, CLOSING))
    command = [program, *arguments]
    done = subprocess.run(
        command,
        cwd=servers.ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    found = LARGEST.search(done.stdout)
    if not found and not done.returncode:
        raise servers.Failed(f"{Path(program).name} says nothing of its size: {done.stdout[-500:]}")
    if done.returncode:
        print(done.stdout[-1500:], flush=True)
    ended = (found["time"], f"{found['size']} MB") if found else ("", f"more than {CLOSING >> 20} MB")
    return (done.returncode == 0, *ended)


def built_examples(arguments: argparse.Namespace, names: set[str]) -> dict[str, str]:
    """Their paths by name."""
    return examples.built(names, *([] if arguments.debug or arguments.groma else ["--release"]))


# Regions that cannot be seen


FAULTS = {
    "nothing": None,
    "EC2 of a region denied": {"region": REGION, "service": "ec2", "status": 403, "code": "UnauthorizedOperation"},
    "EC2 of a region hangs": {"region": REGION, "service": "ec2", "delay_seconds": HANGS},
}


def regions(_: object, groma: str, folder: Path) -> Found:
    rows = []
    with servers.aws.running(folder) as aws:
        aws.seed("small", folder / "organization")
        with Watched(groma, aws, folder, []) as watched:
            watched.survey()  # Neo4j plans its statements.
            for name, rule in FAULTS.items():
                if rule:
                    aws.control("faults", [{**rule, "times": CALLS_OF_ALL}], method="POST")
                _, seconds = watched.survey(expected=(3,) if rule else (0,))
                rows.append((name, str(watched.ended()), f"{seconds:.0f} s"))
                print(" ".join(rows[-1]), flush=True)
    return Found(report.drawn([("what is wrong", "exit status", "survey"), *rows]))


PARTS = {"assets": assets, "accounts": many, "closing": closing, "regions": regions}
