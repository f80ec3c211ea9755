"""What Groma collects, as `crates/catalog/catalog.json` describes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parents[2] / "crates" / "catalog" / "catalog.json"


def services() -> list[dict[str, Any]]:
    """Descriptions of all services, in the order in which a sync publishes their work."""
    return json.loads(FILE.read_text(encoding="utf-8"))["services"]


def names() -> list[str]:
    """Their names, such as `ec2`."""
    return [service["name"] for service in services()]


def cartography_modules() -> list[str]:
    """Modules of Cartography that write the same types: those of one service each, then the parts of EC2."""
    modules = {module for service in services() for module in service.get("cartography", [])}
    return sorted(modules, key=lambda module: (":" in module, module))
