"""What of the memory measurement can be wrong without a survey noticing."""

import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), *(str(HERE.parent / name) for name in ("chaos", "parity", "suite"))]

import memory_page  # noqa: E402
import memory_parts  # noqa: E402


class Page(unittest.TestCase):
    def test_a_part_that_is_measured_again_replaces_its_table_and_no_other(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "memory.md")
            memory_page.write(path, "regions", "| seconds |")
            memory_page.write(path, "assets", "| old |")
            memory_page.write(path, "assets", "| new |")
            text = path.read_text(encoding="utf-8")
        self.assertNotIn("| old |", text)
        self.assertEqual(text.count("| new |"), 1)
        self.assertLess(text.index("| new |"), text.index("| seconds |"))

    def test_every_part_has_a_text(self):
        self.assertEqual(set(memory_page.TEXTS), set(memory_parts.PARTS))

    def test_the_size_of_closing_is_read(self):
        found = memory_parts.CLOSED.search("425000 scopes made in 90s\nclosed in 41.3s: 0 nodes, 0 lost, 88 MiB\n")
        self.assertEqual((found["time"], found["size"]), ("41.3s", "88"))


if __name__ == "__main__":
    unittest.main()
