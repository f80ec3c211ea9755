#!/usr/bin/env python3
"""Writes the services of the catalog into the chart and the compose file, which list them in four places.

    python3 deploy/render.py

In `values.yaml` the group `small` gets the services that have no group of their own.
"""

from __future__ import annotations

import re
import sys
import textwrap
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "tests" / "dev"))

import catalog

CHART = HERE / "helm" / "groma"
VALUES = CHART / "values.yaml"
SCHEMA = CHART / "values.schema.json"
HELPERS = CHART / "templates" / "_helpers.tpl"
COMPOSE = HERE / "compose.yaml"
WIDTH = 118


def texts() -> dict[Path, str]:
    """The text of each file."""
    names = catalog.names()
    own = set(re.findall(r"^    services: \[(\w+)\]$", VALUES.read_text(encoding="utf-8"), re.MULTILINE))
    small = ", ".join(name for name in names if name not in own)
    quoted = ",\n".join(f'                "{name}"' for name in names)
    return {
        VALUES: replaced(VALUES, r"(?<=  small:\n    services: \[)[^]]*", small),
        SCHEMA: replaced(SCHEMA, r'(?<="enum": \[\n)(?= *"sts")[^]]*(?=\n *\])', quoted),
        HELPERS: replaced(HELPERS, r'(?<=define "groma.services" -}}\n)[^\n]*', " ".join(names)),
        COMPOSE: replaced(COMPOSE, r"(?<=    command:\n) *\[collector, [^]]*\]", wrapped(["collector", *names])),
    }


def replaced(file: Path, pattern: str, text: str) -> str:
    """The file with the one match of the pattern replaced."""
    new, count = re.subn(pattern, lambda _: text, file.read_text(encoding="utf-8"))
    if count != 1:
        raise SystemExit(f"error: {file} has {count} lists of services like {pattern}")
    return new


def wrapped(names: list[str]) -> str:
    return textwrap.indent("\n ".join(textwrap.wrap(f"[{', '.join(names)}]", WIDTH - 6)), " " * 6)


if __name__ == "__main__":
    for file, text in texts().items():
        file.write_text(text, encoding="utf-8")
