"""nats-server with JetStream: command line, configuration, and whether it answers."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterable
from pathlib import Path

from servers import tools


def command(configuration: Path) -> list[str]:
    return [tools.tool("nats_server"), "--config", str(configuration)]


def configuration(port: int, store: Path, settings: Iterable[str] = (), *, flushes: bool = False) -> str:
    """Text of the configuration of a server that listens on 127.0.0.1 and keeps its streams in `store`.

    `settings` are further lines. A server that `flushes` has written to the disk what it acknowledges; otherwise the disk gets
    it within two minutes, and it survives the end of the process, but not that of the machine.
    """
    interval = "sync_interval: always\n" if flushes else ""
    jetstream = f"jetstream {{\nstore_dir: {json.dumps(str(store))}\n{interval}}}\n"
    return f"listen: 127.0.0.1:{port}\n{jetstream}" + "".join(f"{line}\n" for line in settings)


def greets(connection: socket.socket) -> bool:
    """Whether the other end is a nats-server."""
    return connection.recv(16).startswith(b"INFO ")
