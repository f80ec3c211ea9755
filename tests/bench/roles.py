"""The roles of Groma as separate processes, with a nats-server and a Neo4j, for measuring."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import servers
from servers import neo4j
from servers.ports import free_port

# Of the class whose context is entered.
Started = TypeVar("Started", bound="Roles")


class Roles:
    """Starts its servers and the roles in `roles`, by name with their arguments, and ends them all."""

    # Seconds that a survey may take.
    PATIENCE = 3600
    SCHEDULER = ["scheduler"]

    def __init__(self, groma: str, aws: Any, folder: Path, roles: Mapping[str, list[str]] | None = None) -> None:
        self.groma, self.aws, self.folder = groma, aws, folder
        self.nats_port, self.neo4j_port = free_port(), free_port()
        self.neo4j = f"bolt://127.0.0.1:{self.neo4j_port}"
        self.roles = dict(roles or {})
        self.running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self: Started) -> Started:
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            self.start("nats")
            self.start("neo4j")
            self.wait("Neo4j", lambda: neo4j.answers(self.neo4j_port))
            for name in self.roles:
                self.start(name)
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        # The roles first: they would only complain.
        for name in reversed(list(self.running)):
            self.end(name)

    def end(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def start(self, name: str) -> None:
        environment = servers.plain_environment()
        if name == "nats":
            command = servers.nats.command(self.nats_configuration())
        elif name == "neo4j":
            command = self.neo4j_command()
        else:
            command = [self.groma, *(self.SCHEDULER if name == "scheduler" else self.roles[name])]
            environment = self.environment()
        with open(self.log(name), "ab") as log:
            self.running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
            )

    def neo4j_command(self) -> list[str]:
        return neo4j.Neo4j(self.folder / "neo4j", self.neo4j_port).configured()

    def start_writer(self) -> None:
        """Starts a graph-writer that was not among the roles from the start."""
        self.roles["graph-writer"] = ["graph-writer"]
        self.start("graph-writer")

    def stop_writer(self) -> None:
        writer = self.running.pop("graph-writer")
        writer.terminate()
        writer.wait()

    def environment(self) -> dict[str, str]:
        return {
            **(self.aws.environment if self.aws else servers.plain_environment()),
            "NATS_URL": f"nats://127.0.0.1:{self.nats_port}",
            "NEO4J_URI": self.neo4j,
            "NEO4J_USER": "neo4j",
            "NEO4J_PASSWORD": "none",
        }

    def nats_configuration(self) -> Path:
        configuration = self.folder / "nats.conf"
        text = servers.nats.configuration(self.nats_port, self.folder / "jetstream")
        configuration.write_text(text, encoding="utf-8")
        return configuration

    def wait(self, what: str, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + self.PATIENCE
        while not ready():
            if time.monotonic() > deadline:
                raise servers.Failed(f"{what} does not answer: {self.last_words()}")
            time.sleep(0.05)

    def ended(self) -> int | None:
        """Exit status of the scheduler, or nothing while it runs."""
        return self.running["scheduler"].poll()

    def log(self, name: str) -> Path:
        return Path(self.folder, f"{name}.log")

    def last_words(self) -> str:
        log = self.log("scheduler")
        return log.read_text(encoding="utf-8", errors="replace")[-600:] if log.exists() else "nothing was surveyed yet"
