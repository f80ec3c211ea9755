"""What cargo makes of the workspace for its tests: the test binaries and the programs, built once."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

Json = dict[str, Any]

ROOT = Path(__file__).resolve().parents[2]
# With the warnings and errors of a build readable on standard error, and the rest for this program.
FORMAT = "--message-format=json-render-diagnostics"


class Failed(Exception):
    """Cargo could not build; it has said why."""


@dataclasses.dataclass
class TestBinary:
    # Such as `graph-writer system`, or `bus` for the tests inside a library.
    name: str
    path: str
    package: Path


@dataclasses.dataclass
class Built:
    tests: list
    # Path of a program or example by its name.
    programs: dict
    folder: Path


def everything(needed: Iterable[str]) -> Built:
    """Builds all test binaries, programs and examples. Raises Failed, also when a program that is needed is not among them."""
    messages = cargo("test", "--workspace", "--locked", "--no-run", FORMAT)
    tests = {message["executable"]: test_binary(message) for message in messages if is_test(message)}
    programs = {message["target"]["name"]: message["executable"] for message in messages if is_program(message)}
    missing = set(needed) - set(programs)
    if missing or not tests:
        raise Failed(f"cargo built no {', no '.join(sorted(missing) or ['tests'])}")
    return Built(list(tests.values()), programs, Path(programs["groma"]).parents[1])


def cargo(*arguments: str) -> list[Json]:
    try:
        build = subprocess.run(
            [os.environ.get("CARGO", "cargo"), *arguments], cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False
        )
    except FileNotFoundError as error:
        raise Failed("cargo is not on the PATH: install Rust (rustup)") from error
    if build.returncode:
        raise Failed("the build failed")
    return [json.loads(line) for line in build.stdout.splitlines() if line.startswith("{")]


def is_test(message: Json) -> bool:
    return bool(message.get("executable")) and message["profile"]["test"]


def is_program(message: Json) -> bool:
    return bool(message.get("executable")) and not message["profile"]["test"]


def test_binary(message: Json) -> TestBinary:
    package = Path(message["manifest_path"]).parent
    target = message["target"]
    kind = "" if "lib" in target["kind"] else f" {target['name']}"
    return TestBinary(package.name + kind, message["executable"], package)
