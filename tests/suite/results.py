"""What the suite prints: a line when a step ends, all of its output when it failed, and the sums at the end."""

from __future__ import annotations

import re
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import steps

if TYPE_CHECKING:
    from runner import Ended

# From how many seconds on the end names a test.
SLOW = 5


class Report:
    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.lock = threading.Lock()
        self.failed = []
        self.passed_tests = self.failed_tests = 0
        self.seconds = []
        self.slow = []
        self.left_out = []

    def path(self, name: str) -> Path:
        """Where the output of a step goes."""
        return self.folder / f"{re.sub('[^a-z0-9]+', '-', name.lower())}.log"

    def ended(self, ended: Ended) -> None:
        ended_well = ended.status == 0
        passed, failed = steps.counted(ended.output, ended_well)
        name = ended.step.name
        with self.lock:
            self.passed_tests += passed
            self.failed_tests += failed
            self.seconds.append((ended.seconds, name))
            self.slow += [
                (seconds, f"{name}: {test}") for seconds, test in steps.timed(ended.output) if seconds >= SLOW
            ]
            self.left_out += [f"{name}: {what}" for what in steps.left_out(ended.output)]
            if not ended_well:
                self.failed.append(name)
                print(f"----- all output of {name} -----\n{ended.output.rstrip()}\n----- end of {name} -----")
            why = "" if isinstance(ended.status, int) else f" ({ended.status})"
            counts = f"{passed} passed" + (f", {failed} failed" if failed else "")
            print(f"{'ok    ' if ended_well else 'FAILED'} {ended.seconds:6.1f} s  {name}: {counts}{why}", flush=True)

    def summary(self, seconds: float) -> None:
        print("\nsteps, the slowest first")
        for taken, name in sorted(self.seconds, reverse=True):
            print(f"  {taken:6.1f} s  {name}")
        if self.slow:
            print(f"tests of {SLOW} seconds or more, the slowest first")
        for taken, name in sorted(self.slow, reverse=True):
            print(f"  {taken:6.1f} s  {name}")
        print("".join(f"{line}\n" for line in self.left_out), end="")
        for name in self.failed:
            print(f"failed: {name}: {self.path(name)}")
        sums = f"{len(self.seconds)} steps in {seconds:.0f} s: {self.passed_tests} passed, {self.failed_tests} failed"
        print(f"\n{sums}", flush=True)
