"""Commands and flags in the pages for operators exist."""

from __future__ import annotations

import re
import unittest
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("alerts.md", "operations.md")


class Pages(unittest.TestCase):
    def setUp(self) -> None:
        self.known = (DOCS / "command-line.md").read_text(encoding="utf-8")
        self.texts = {name: (DOCS / name).read_text(encoding="utf-8") for name in PAGES}

    def test_flags_exist(self) -> None:
        flags = set(re.findall(r"^ +(?:-\w, )?(--[a-z0-9-]+)", self.known, re.MULTILINE))
        for name, text in self.texts.items():
            named = {
                word for span in re.findall(r"`([^`\n]+)`", text) for word in span.split() if word.startswith("--")
            }
            self.assertGreater(len(named), 4, name)
            self.assertEqual(named - flags, set(), name)

    def test_commands_exist(self) -> None:
        commands = set(re.findall(r"^## (groma [a-z0-9-]+(?: [a-z-]+)?)$", self.known, re.MULTILINE))
        for name, text in self.texts.items():
            named = {" ".join(words.split()) for words in re.findall(r"`(groma(?: [a-z][a-z0-9-]+)+)", text)}
            self.assertGreater(len(named), 3, name)
            for command in named:
                self.assertIn(command, commands, name)

    def test_links_lead_to_pages(self) -> None:
        for name, text in self.texts.items():
            for link in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
                self.assertTrue((DOCS / link).exists(), f"{name}: {link}")


if __name__ == "__main__":
    unittest.main()
