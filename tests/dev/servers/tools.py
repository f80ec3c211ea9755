"""Programs that `provision.py` has put into `.tools/`, or found on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from servers.errors import Failed

ROOT = Path(__file__).resolve().parents[3]
TOOLS = ROOT / ".tools"
MANIFEST = TOOLS / "tools.json"


def manifest() -> dict[str, Any]:
    """Paths of all programs by name, relative to the workspace or absolute."""
    try:
        return json.loads(MANIFEST.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failed("the servers are not there yet: run `just tools`") from error


def tool(name: str) -> str:
    """Absolute path of a program, such as `nats_server` or `java`."""
    return str(ROOT / manifest()[name])


def found(name: str) -> str | None:
    """Absolute path of a program that is not on every machine, such as `helm` or `kubectl`."""
    path = manifest().get(name)
    return str(ROOT / path) if path else None


def python() -> str:
    """The interpreter whose environment has moto and boto3."""
    return tool("python")
