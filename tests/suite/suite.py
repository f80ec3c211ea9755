#!/usr/bin/env python3
"""Runs every test of the repository, several steps at a time: `just test`.

    suite.py [--jobs N] [--only TEXT] [--skip TEXT] [--list]

Cargo builds all test binaries once; then they run side by side with the Python tests, the comparison with Cartography and
a selection of disturbed surveys, because each of them mostly waits for its own servers. `--only` picks the steps whose
name contains a text, `--skip` leaves such steps out, `--list` names them.

One line says when a step ends and how long it took. A step that fails prints all its output; the output of every step
is in `target/suite/` (of the target directory in use). The end names each step and each slow test, and counts the tests.

Exit status 0 when every step passed, 1 when one failed, 2 when nothing could be run.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import time

import build
import steps
from results import Report
from runner import Runner


def main() -> int:
    arguments = parse_arguments()
    began = time.monotonic()
    try:
        built = build.everything(steps.PROGRAMS)
    except build.Failed as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"built in {time.monotonic() - began:.0f} s", flush=True)
    chosen = [step for step in steps.all_steps(built) if is_chosen(step.name, arguments)]
    if arguments.list:
        print("\n".join(step.name for step in chosen))
        return 0
    if not chosen:
        print("error: no such step: --list names them", file=sys.stderr)
        return 2
    report = Report(built.folder / "suite")
    Runner(arguments.jobs, report).run(chosen)
    report.summary(time.monotonic() - began)
    return 1 if report.failed else 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs every test of the repository, several steps at a time.")
    parser.add_argument("--jobs", type=int, default=jobs(), metavar="N", help="steps at a time (default: %(default)s)")
    parser.add_argument("--only", default="", metavar="TEXT", help="only steps whose name contains this")
    parser.add_argument("--skip", metavar="TEXT", help="no steps whose name contains this")
    parser.add_argument("--list", action="store_true", help="name the steps and run none")
    return parser.parse_args()


def is_chosen(name: str, arguments: argparse.Namespace) -> bool:
    return arguments.only in name and not (arguments.skip and arguments.skip in name)


def jobs() -> int:
    """One more than there are cores, because a step mostly waits; 700 MiB each for Neo4j, so no more than four."""
    return min(4, (os.cpu_count() or 1) + 1)


def end(*_: object) -> None:
    """As on an error, so that the steps that run are ended; a second signal would break that off."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, end)
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
