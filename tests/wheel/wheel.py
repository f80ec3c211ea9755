#!/usr/bin/env python3
"""Builds the Python package of Groma with maturin: `just wheel`.

    wheel.py [--profile NAME] [--out DIR]

Prints the path of the wheel. maturin is installed into `.tools/maturin`, pinned. Exit status 0 when it was built, 1 when
not, 2 when maturin could not be installed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "dev"))

from environments import Environment
from provision import Missing
from servers import ROOT

MATURIN = "maturin==1.16.0"
ENVIRONMENT = Environment("maturin", "maturin 1.16.0", (MATURIN,), stamp=MATURIN)


class Failed(Exception):
    """No wheel was built. maturin has printed the reason."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Builds the Python package of Groma.")
    parser.add_argument("--profile", default="release", help="Cargo's profile (default: %(default)s)")
    parser.add_argument("--out", type=Path, default=ROOT / "target" / "wheels", help="folder of the wheel")
    arguments = parser.parse_args()
    try:
        print(build(arguments.profile, arguments.out))
    except Missing as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except Failed:
        return 1
    return 0


def build(profile: str, out: Path, environment: dict[str, str] | None = None) -> Path:
    """Builds the wheel in place of earlier ones in the folder, and returns its path."""
    ENVIRONMENT.install()
    for earlier in out.glob("groma-*.whl"):
        earlier.unlink()
    command = [str(ENVIRONMENT.home / "bin" / "maturin"), "build", "--profile", profile, "--out", str(out)]
    # The wheel serves machines with the C library of this one, or a newer one.
    command += ["--auditwheel", "skip"]
    variables = {**os.environ, **(environment or {})}
    done = subprocess.run(command, cwd=ROOT, stdout=sys.stderr, env=variables, check=False)
    made = list(out.glob("groma-*.whl"))
    if done.returncode or len(made) != 1:
        raise Failed
    return made[0]


if __name__ == "__main__":
    sys.exit(main())
