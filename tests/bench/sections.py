"""A page of documentation made of measured parts: each is replaced when it is measured again, the others stay."""

from __future__ import annotations

import datetime
import re
from pathlib import Path
from typing import Any

SECTION = re.compile(r"<!-- (\w+) -->\n(.*?)<!-- end -->\n", re.DOTALL)


class Page:
    """`texts` has the title and the explanation of each part, in the order of the page."""

    def __init__(self, head: str, texts: dict[str, tuple[str, str]]) -> None:
        self.head, self.texts = head, texts

    def write(self, path: Path, part: str, table: str, build: str = "a release build", **values: object) -> None:
        """Puts the table of a part into the page. `values` fill the part's explanation."""
        known = dict(SECTION.findall(path.read_text(encoding="utf-8"))) if path.exists() else {}
        known[part] = self.section(part, table, build, values)
        parts = (name for name in self.texts if name in known)
        body = "\n".join(f"<!-- {name} -->\n{known[name]}<!-- end -->\n" for name in parts)
        path.write_text(self.head + body, encoding="utf-8")

    def section(self, part: str, table: str, build: str, values: dict[str, Any]) -> str:
        title, text = self.texts[part]
        when = f"Measured on {datetime.date.today().isoformat()} with {build}."
        return f"\n## {title}\n\n{when}\n\n{table}\n\n{text.format(**values) if values else text}\n\n"
