"""Names that the program gives to roles, streams and consumers, and its command line: read from its source and its reference."""

from __future__ import annotations

import re
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import catalog

ROOT = HERE.parents[1]
BUS = ROOT / "crates" / "bus" / "src"


def one(pattern: str, path: Path) -> str:
    """The only match of a pattern in a source file."""
    (found,) = re.findall(pattern, path.read_text(encoding="utf-8"))
    return found


def roles() -> list[str]:
    """Roles for which `groma nats init` writes a key."""
    access = (BUS / "access.rs").read_text(encoding="utf-8")
    fixed = re.findall(r'Self::\w+ => "([\w-]+)"\.to_owned\(\)', access)
    collector = one(r'Self::Collector\(service\) => format!\("([\w-]+)\{service\}"\)', BUS / "access.rs")
    return [*fixed, *(collector + service for service in catalog.names())]


def files_of_init() -> set[str]:
    """Files that `groma nats init` writes, below its folder."""
    source = ROOT / "crates" / "groma" / "src" / "nats"
    settings = re.findall(r'write\(&dir\.join\("([\w.]+)"\)', (source / "mod.rs").read_text(encoding="utf-8"))
    keys = one(r'keys::ensure\(&dir\.join\("(\w+)"\)', source / "mod.rs")
    suffix = one(r'let path = directory\.join\(format!\("\{name\}(\.\w+)"\)\)', source / "keys.rs")
    certificates = one(r'certificates::ensure\(&dir\.join\("(\w+)"\)', source / "mod.rs")
    pem = re.findall(r'file\("([\w.]+)"\)', (source / "certificates.rs").read_text(encoding="utf-8"))
    return {*settings, *(f"{keys}/{role}{suffix}" for role in roles()), *(f"{certificates}/{name}" for name in pem)}


def account(role: str) -> str:
    """NATS account of a role on a closed bus."""
    accounts = (ROOT / "crates" / "groma" / "src" / "nats" / "accounts.rs").read_text(encoding="utf-8")
    assert "identity.name().replace('-', \"_\").to_uppercase()" in accounts
    return role.replace("-", "_").upper()


def stream(constant: str) -> str:
    """Name of a stream by its constant, such as WORK."""
    return one(rf'pub const {constant}: &str = "(\w+)";', BUS / "stream_configs.rs")


def work_consumer(service: str) -> str:
    """Consumer of a service's work."""
    return one(r'stream: WORK,\s+durable: format!\("([\w-]+)\{service\}"\)', BUS / "subscription.rs") + service


def assets_consumer() -> str:
    """Consumer of the graph-writers."""
    return one(r'pub const GRAPH_WRITER: &str = "([\w-]+)";', BUS / "subscription.rs")


def subjects(constant: str) -> str:
    """Subjects of a stream by its constant."""
    return one(rf'pub const {constant}: &str = "([\w.>]+)";', ROOT / "crates" / "events" / "src" / "subjects.rs")


def command_line(command: str) -> str:
    """Help of a command in docs/command-line.md."""
    return one(rf"(?s)\n## groma {command}\n(.*?)(?:\n## |\Z)", ROOT / "docs" / "command-line.md")


def unknown_words(arguments: list[str], variables: list[str]) -> list[str]:
    """Words of a command line that its help does not have: the command, its flags, and variables of Groma, NATS and Neo4j."""
    command, *words = arguments
    text = command_line(command)
    flags = [word for word in words if word.startswith("--")]
    own = [name for name in variables if name.startswith(("GROMA_", "NATS_", "NEO4J_"))]
    unknown = [flag for flag in flags if not re.search(rf"^\s+{re.escape(flag)}\b", text, re.MULTILINE)]
    return unknown + [name for name in own if f"[env: {name}]" not in text]
