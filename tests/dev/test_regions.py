"""The regions in which services are called."""

import unittest

import regions


class Regions(unittest.TestCase):
    def test_the_list_is_botocore_s(self) -> None:
        self.assertEqual(regions.FILE.read_text(encoding="utf-8"), regions.text(), "run tests/dev/regions.py")

    def test_inspector_is_not_everywhere(self) -> None:
        self.assertIn('"inspector2"', regions.text())


if __name__ == "__main__":
    unittest.main()
