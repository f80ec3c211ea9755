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

    def test_links_lead_to_pages_and_sections(self) -> None:
        for page in (*(DOCS / name for name in PAGES), DOCS.parent / "deploy" / "helm" / "README.md"):
            for link in re.findall(r"\]\(([^)]+)\)", page.read_text(encoding="utf-8")):
                path, _, section = link.partition("#")
                target = page.parent / path if path else page
                self.assertTrue(target.exists(), f"{page}: {link}")
                if section:
                    titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE)
                    anchors = {re.sub(r"[^\w -]", "", it).lower().replace(" ", "-") for it in titles}
                    self.assertIn(section, anchors, f"{page}: {link}")


if __name__ == "__main__":
    unittest.main()
