#!/usr/bin/env python3
"""Puts Cartography, pinned, into `.tools/cartography`, a separate environment; does nothing the second time.

Needs Python 3.10 or newer somewhere on the PATH, as `tests/dev/provision.py` does.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dev"))

from environments import Environment
from provision import Missing

PACKAGES = Path(__file__).resolve().parent / "cartography.txt"
ENVIRONMENT = Environment(
    "cartography",
    "Cartography 0.143.0",
    ("--no-deps", "-r", str(PACKAGES)),
    stamp=PACKAGES.read_text(encoding="utf-8"),
)
HOME, PYTHON = ENVIRONMENT.home, ENVIRONMENT.python


def main() -> int:
    try:
        install()
    except Missing as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def install() -> None:
    ENVIRONMENT.install()


if __name__ == "__main__":
    sys.exit(main())
