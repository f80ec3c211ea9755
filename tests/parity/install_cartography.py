#!/usr/bin/env python3
"""Puts Cartography, pinned, into `.tools/cartography`, an environment of its own; nothing to do the second time.

Needs Python 3.10 or newer somewhere on the PATH, as `tests/dev/provision.py` does.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dev"))

import provision
from provision import TOOLS, Missing

HOME = TOOLS / "cartography"
PYTHON = HOME / "bin" / "python"
STAMP = HOME / "packages.txt"
PACKAGES = Path(__file__).resolve().parent / "cartography.txt"


def main():
    try:
        install()
    except Missing as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def install():
    if is_current():
        return
    with provision.only_one():
        if is_current():
            return
        with provision.step("Cartography 0.143.0 from PyPI"):
            # From nothing each time, so that no package of an older list stays.
            venv = [provision.suitable_python(), "-m", "venv", "--clear", str(HOME)]
            provision.run("cartography-venv", venv, provision.no_venv)
            pip = [str(PYTHON), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
            provision.run("cartography-pip", [*pip, "--no-deps", "-r", str(PACKAGES)], provision.no_package)
        STAMP.write_bytes(PACKAGES.read_bytes())


def is_current():
    return PYTHON.exists() and STAMP.exists() and STAMP.read_bytes() == PACKAGES.read_bytes()


if __name__ == "__main__":
    sys.exit(main())
