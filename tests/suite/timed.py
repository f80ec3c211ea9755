#!/usr/bin/env python3
"""Runs the `test_*.py` files of a folder as `python -m unittest discover` does, and says how long each test took.

    timed.py FOLDER

The form is that of Rust's test binaries: `test name ... ended <1.234s>`. Exit status 0 when every test passed.
"""

from __future__ import annotations

import sys
import time
import unittest


class Result(unittest.TextTestResult):
    def startTest(self, test: unittest.TestCase) -> None:
        self.began = time.monotonic()
        super().startTest(test)

    def stopTest(self, test: unittest.TestCase) -> None:
        super().stopTest(test)
        self.stream.writeln(f"test {test.id()} ... ended <{time.monotonic() - self.began:.3f}s>")


def main(folder: str) -> int:
    tests = unittest.defaultTestLoader.discover(folder)
    result = unittest.TextTestRunner(verbosity=0, resultclass=Result).run(tests)  # pyright: ignore[reportArgumentType]
    return 0 if result.wasSuccessful() and result.testsRun else 1


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
