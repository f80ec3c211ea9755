"""The steps of the suite: which command each is, and how its output says how many tests there were."""

from __future__ import annotations

import dataclasses
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from build import ROOT

if TYPE_CHECKING:
    import build
    from build import TestBinary

# Folders of tests in Python.
PYTHON = tuple(
    f"tests/{name}" for name in ("bench", "chaos", "deploy", "dev", "parity", "simulated-aws", "suite", "wheel")
)
# Binaries whose tests take turns with one Neo4j, and how many processes, each with its own, share them.
SHARED = {"groma system": 2}
# Begun first, because they take longest.
LONG = (
    "groma system 1",
    "groma system 2",
    "chaos",
    "graph-writer system",
    "parity",
    "analysis system",
    "closing",
    "python tests/deploy",
    "python tests/simulated-aws",
    "broker system",
)
# A step that takes longer is ended, and has failed.
LONGEST = 45 * 60
# The disturbed surveys: between them each kind of disturbance happens.
CHAOS = ("--selection",)
OLDER = "older_collector"
# The end of a sync with 42,500 scopes: accounts, regions, listings, and the most MiB. It takes 26 MiB; with all scopes in
# memory it took 434. `just memory` closes one of ten times the size.
CLOSE, CLOSING = "close", ("100", "17", "25", "64")
# A scheduler's whole sync of 425,000 scopes, 15 of the 17 regions denied, under the chart's limit. It takes 182 MiB; with
# every report in memory it took 1,044, and 267 with no region denied.
FOLLOW, FOLLOWING = "follow", ("1000", "17", "25", "15", "256")
PROGRAMS = ("groma", OLDER, CLOSE, FOLLOW)


@dataclasses.dataclass
class Step:
    name: str
    command: list
    folder: Path = ROOT
    environment: dict = dataclasses.field(default_factory=dict)
    seconds: int = LONGEST


def all_steps(built: build.Built) -> list[Step]:
    """All of them, the longest first."""
    found = [
        *python_steps(built),
        *large(built),
        *(step for test in built.tests for step in rust(test)),
        documentation(),
    ]
    return sorted(found, key=lambda step: LONG.index(step.name) if step.name in LONG else len(LONG))


def rust(test: TestBinary) -> list[Step]:
    """As cargo runs it, in one step or in several."""
    # The times of tests are an unstable option of an otherwise stable test binary, which this variable allows.
    environment = {
        "CARGO": os.environ.get("CARGO", "cargo"),
        "CARGO_MANIFEST_DIR": str(test.package),
        "RUSTC_BOOTSTRAP": "1",
    }
    command = [test.path, "-Zunstable-options", "--report-time"]
    parts = SHARED.get(test.name, 1)
    if parts == 1:
        return [Step(test.name, command, test.package, environment)]
    names = listed(test.path)
    shares = ((f"{test.name} {number + 1}", names[number::parts]) for number in range(parts))
    return [Step(name, [*command, "--exact", *share], test.package, environment) for name, share in shares]


def listed(path: str) -> list[str]:
    """Names of the tests of a binary."""
    said = subprocess.run([path, "--list", "--format", "terse"], stdout=subprocess.PIPE, text=True, check=True).stdout
    return [line.rpartition(": ")[0] for line in said.splitlines() if line.endswith(": test")]


def large(built: build.Built) -> list[Step]:
    """The memory of a graph-writer and of a scheduler in a large sync."""
    environment = {"CARGO_MANIFEST_DIR": str(ROOT / "crates" / "testkit")}
    return [
        Step("closing", [built.programs[CLOSE], *CLOSING], environment=environment),
        Step("following", [built.programs[FOLLOW], *FOLLOWING], environment=environment),
    ]


def documentation() -> Step:
    return Step("documentation tests", ["cargo", "test", "--workspace", "--locked", "--doc"])


def python_steps(built: build.Built) -> list[Step]:
    tools = str(ROOT / ".tools" / "venv" / "bin" / "python")
    groma = built.programs["groma"]
    return [
        *(Step(f"python {folder}", [tools, "tests/suite/timed.py", folder]) for folder in PYTHON),
        Step("parity", [sys.executable, "tests/parity/parity.py", "--size", "small", "--groma", groma]),
        Step(
            "chaos",
            [sys.executable, "tests/chaos/chaos.py", *CHAOS, "--groma", groma, "--older", built.programs[OLDER]],
        ),
    ]


# Reading what a step said

RUST_TEST = re.compile(r"^test (?P<name>.+?) \.\.\. .*?<(?P<seconds>[0-9.]+)s>$", re.MULTILINE)
RUST_SUM = re.compile(r"^test result: \w+\. (?P<passed>\d+) passed; (?P<failed>\d+) failed", re.MULTILINE)
PYTHON_SUM = re.compile(r"^Ran (?P<ran>\d+) tests? in ", re.MULTILINE)
PYTHON_BAD = re.compile(r"^FAILED \((?P<counts>.*)\)$", re.MULTILINE)
CHAOS_SUM = re.compile(r"^(?P<passed>\d+) of (?P<all>\d+) seeds ended well", re.MULTILINE)


def counted(output: str, ended_well: bool) -> tuple[int, int]:
    """Tests that passed and that failed; a step that counts none is one test."""
    passed = failed = 0
    for found in RUST_SUM.finditer(output):
        passed += int(found["passed"])
        failed += int(found["failed"])
    for found in PYTHON_SUM.finditer(output):
        bad = sum(map(int, re.findall(r"(?:failures|errors)=(\d+)", "".join(PYTHON_BAD.findall(output)))))
        passed, failed = passed + int(found["ran"]) - bad, failed + bad
    for found in CHAOS_SUM.finditer(output):
        passed, failed = passed + int(found["passed"]), failed + int(found["all"]) - int(found["passed"])
    if not ended_well and not failed:
        failed = 1
    known = any(pattern.search(output) for pattern in (RUST_SUM, PYTHON_SUM, CHAOS_SUM))
    return (passed if known else int(ended_well)), failed


def left_out(output: str) -> list[str]:
    """What a step says that it could not do on this machine."""
    return re.findall(r"^left out: .*$", output, re.MULTILINE)


def timed(output: str) -> list[tuple[float, str]]:
    """Seconds of each test that says how long it took, by its name."""
    return [(float(found["seconds"]), found["name"]) for found in RUST_TEST.finditer(output)]
