"""What Groma collects, as `crates/catalog/catalog.json` describes it."""

import json
from pathlib import Path

FILE = Path(__file__).resolve().parents[2] / "crates" / "catalog" / "catalog.json"


def services():
    """Descriptions of all services, in the order in which a sync publishes their work."""
    return json.loads(FILE.read_text(encoding="utf-8"))["services"]


def names():
    """Their names, such as `ec2`."""
    return [service["name"] for service in services()]


def cartography_modules():
    """Modules of Cartography that write the same types: those of one service each, then the parts of EC2."""
    modules = {module for service in services() for module in service.get("cartography", [])}
    return sorted(modules, key=lambda module: (":" in module, module))
