"""What of the suite can be wrong while all tests pass."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
import unittest
from pathlib import Path
from typing import TYPE_CHECKING

sys.path.insert(0, str(Path(__file__).resolve().parent))

import build
import steps
from results import Report
from runner import Runner

if TYPE_CHECKING:
    from steps import Step

if TYPE_CHECKING:
    from steps import Step

RUST = """
running 3 tests
test survey::a_second_sync ... ok <12.345s>
test survey::quick - should panic ... ok <0.001s>
test survey::broken ... FAILED <1.000s>

test result: FAILED. 2 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out; finished in 12.35s
"""
PYTHON = "test a.B.c ... ended <0.250s>\n" + "-" * 70 + "\nRan 4 tests in 0.953s\n\nFAILED (failures=1, errors=1)\n"
CHAOS = "seed 1: the same graph\n5 of 6 seeds ended well in 210 s; not [3]\n"


class Steps(unittest.TestCase):
    def steps(self) -> dict[str, Step]:
        programs = {name: f"/target/{name}" for name in steps.PROGRAMS}
        found = steps.all_steps(
            build.Built([build.TestBinary("bus system", "/target/bus", Path("/bus"))], programs, Path("/target"))
        )
        return {step.name: step for step in found}

    def test_every_program_that_is_built_for_a_step_runs(self) -> None:
        commands = [word for step in self.steps().values() for word in step.command]
        for name in steps.PROGRAMS:
            self.assertIn(f"/target/{name}", commands)

    def test_the_longest_steps_come_first(self) -> None:
        names = list(self.steps())
        known = [name for name in steps.LONG if name in names]
        self.assertEqual(names[: len(known)], known)
        self.assertIn("closing", known)


class Reading(unittest.TestCase):
    def test_tests_are_counted_as_each_tool_reports_them(self) -> None:
        self.assertEqual(steps.counted(RUST, False), (2, 1))
        self.assertEqual(steps.counted(PYTHON, False), (2, 2))
        self.assertEqual(steps.counted(CHAOS, False), (5, 1))
        self.assertEqual(steps.counted("nothing to count", True), (1, 0))

    def test_a_step_that_broke_off_counts_as_failed(self) -> None:
        self.assertEqual(steps.counted("killed", False), (0, 1))
        self.assertEqual(steps.counted(RUST.replace("1 failed", "0 failed"), False), (2, 1))

    def test_times_of_tests_are_read(self) -> None:
        self.assertEqual(
            [name for _, name in steps.timed(RUST)],
            ["survey::a_second_sync", "survey::quick - should panic", "survey::broken"],
        )
        self.assertEqual(steps.timed(PYTHON), [(0.25, "a.B.c")])


class Running(unittest.TestCase):
    def run_steps(self, *chosen: Step) -> tuple[str, Report]:
        """What was printed, and the report."""
        printed = io.StringIO()
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(printed):
            report = Report(Path(folder))
            Runner(2, report).run(chosen)
            report.summary(1)
        return printed.getvalue(), report

    def test_a_failed_step_prints_all_its_output_and_the_others_run(self) -> None:
        bad = steps.Step("bad", [sys.executable, "-c", "print('first line'); print('last line'); raise SystemExit(3)"])
        good = steps.Step("good", [sys.executable, "-c", "print('not shown')"])
        printed, report = self.run_steps(bad, good)
        self.assertEqual(report.failed, ["bad"])
        self.assertIn("first line\nlast line", printed)
        self.assertNotIn("not shown", printed)
        self.assertIn("1 passed, 1 failed", printed)

    def test_each_slow_test_is_named_and_no_quick_one(self) -> None:
        tests = "".join(f"test slow_{n:02} ... ok <{n + 4}.000s>\\n" for n in range(40))
        printed, _ = self.run_steps(steps.Step("many", [sys.executable, "-c", f"print('{tests}')"]))
        named = [line.split()[-1] for line in printed.splitlines() if "many: slow_" in line]
        self.assertEqual(named, [f"slow_{n:02}" for n in range(39, 0, -1)])

    def test_what_a_step_left_out_is_said_at_the_end(self) -> None:
        said = "print('left out: full_disk: a tmpfs may not be mounted')"
        printed, report = self.run_steps(steps.Step("chaos", [sys.executable, "-c", said]))
        self.assertEqual(report.failed, [])
        self.assertIn("chaos: left out: full_disk: a tmpfs may not be mounted", printed)

    def test_a_step_that_does_not_end_is_ended_and_has_failed(self) -> None:
        endless = "import time; time.sleep(600)"
        printed, report = self.run_steps(steps.Step("endless", [sys.executable, "-c", endless], seconds=2))
        self.assertEqual(report.failed, ["endless"])
        self.assertIn("it did not end within 2 s", printed)

    def test_a_program_that_is_missing_is_a_failed_step(self) -> None:
        printed, report = self.run_steps(steps.Step("missing", ["/nonexistent/program"]))
        self.assertEqual(report.failed, ["missing"])
        self.assertIn("could not be started", printed)


if __name__ == "__main__":
    unittest.main()
