"""What of the memory measurement can be wrong without a survey noticing."""

import argparse
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("bench", "chaos", "dev", "parity", "simulated-aws", "suite")]

import limits
import memory_page
import memory_parts


class Page(unittest.TestCase):
    def test_a_part_that_is_measured_again_replaces_its_table_and_no_other(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "memory.md")
            memory_page.PAGE.write(path, "regions", "| seconds |")
            memory_page.PAGE.write(path, "assets", "| old |")
            memory_page.PAGE.write(path, "assets", "| new |")
            text = path.read_text(encoding="utf-8")
        self.assertNotIn("| old |", text)
        self.assertEqual(text.count("| new |"), 1)
        self.assertLess(text.index("| new |"), text.index("| seconds |"))

    def test_every_part_has_a_text(self) -> None:
        self.assertEqual(set(memory_page.TEXTS), set(memory_parts.PARTS))

    def test_the_sizes_of_a_large_sync_are_read(self) -> None:
        for said in (
            "425000 scopes made in 90s\nclosed in 41.3s: 0 nodes, 0 lost, 88 MiB\n",
            "followed in 41.3s: 0 unseen, 88 MiB\n",
        ):
            found = memory_parts.LARGEST.search(said)
            assert found, said
            self.assertEqual((found["time"], found["size"]), ("41.3s", "88"))

    def test_every_role_of_the_chart_has_a_column(self) -> None:
        self.assertEqual(set(memory_parts.COLUMNS), set(limits.of_the_chart()))

    def test_each_role_of_a_large_sync_is_measured(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            says = Path(folder, "says")
            says.write_text('#!/bin/sh\n[ "$4" = 15 ] && exit 1\necho followed in 1s: 0 unseen, 88 MiB\n')
            says.chmod(0o700)
            arguments = argparse.Namespace(closing=[1000, 17, 25])
            programs = {"close": str(says), "follow": str(says)}
            with mock.patch.object(memory_parts, "built_examples", lambda *_: programs):
                found = memory_parts.closing(arguments)
        self.assertFalse(found.fits)
        self.assertEqual([line.count("88 MB") for line in found.table.splitlines()[2:]], [1, 1, 0])
        self.assertIn("more than 256 MB", found.table)


if __name__ == "__main__":
    unittest.main()
