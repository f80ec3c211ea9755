"""A program that is told to end takes all that it has started with it."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

# A shell that runs a program in the background has it ignore SIGINT; this does not.
SIGNALS = (signal.SIGTERM, signal.SIGINT)


@contextlib.contextmanager
def all_that_was_started() -> Iterator[None]:
    """The signals end the program as an error does, so that each thing is ended by what has started it; the rest is killed."""
    for number in SIGNALS:
        signal.signal(number, end)
    try:
        yield
    finally:
        ignore_signals()
        # A signal may come between the start of a process and the note of it.
        for pid in started_by(os.getpid()):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def end(number: int, _: object) -> None:
    ignore_signals()
    sys.exit(128 + number)


def ignore_signals() -> None:
    """A second one would break off the ending."""
    for number in SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def started_by(pid: int) -> list[int]:
    """Its children and theirs; none where there is no /proc."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # It has ended since.
            after_the_name = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")[2]
            parents[int(stat.parent.name)] = int(after_the_name.split()[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]
