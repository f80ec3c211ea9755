"""Neo4j Community, run from its jars: command line, configuration, credentials, and whether it answers."""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import os
import secrets
import socket
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path

from servers import process, tools
from servers.errors import Failed
from servers.ports import free_port

MAIN = "org.neo4j.server.CommunityEntryPoint"
OPENED = ("java.nio", "java.io", "sun.nio.ch")
USER = "neo4j"
# The handshake of Bolt: a magic number and four versions wished for; the answer is the one chosen.
HANDSHAKE = bytes.fromhex("6060b017") + bytes.fromhex("00000404") + bytes(12)
CHOSEN = bytes.fromhex("00000404")
# Iterations of the hash in which Neo4j keeps a password.
ITERATIONS = 1024


@dataclasses.dataclass(frozen=True)
class Size:
    """Memory and compiler of its Java, and its page cache."""

    java: tuple[str, ...]
    page_cache: str = "64m"


# One collector thread and no spare heap: several tests share two cores.
SMALL = Size(("-Xms128m", "-Xmx768m", "-XX:+UseSerialGC"))
# For short tests: the quick compiler only. HotSpot then reserves 48 MB for compiled code, which the plans of a long run of
# tests exhaust; this is its default with both compilers.
QUICK = Size(("-Xms128m", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:ReservedCodeCacheSize=240m"))
# For use.
LAPTOP = Size(("-Xms512m", "-Xmx1g"), page_cache="256m")
# For the demo only. Java's second compiler begins after forty times as many calls as usual (5,000, 600, 15,000 and 40,000 are
# HotSpot's own numbers). It would take a quarter of the processor time of the first survey after a start. A survey of a
# million assets takes twice as long with these options.
DEMO = Size(
    (
        *LAPTOP.java,
        "-XX:Tier4InvocationThreshold=200000",
        "-XX:Tier4MinInvocationThreshold=24000",
        "-XX:Tier4CompileThreshold=600000",
        "-XX:Tier4BackEdgeThreshold=1600000",
    ),
    LAPTOP.page_cache,
)
# Of a graph that ends with the test: no log file of 256 MB before the first transaction.
THROWAWAY = {"db.tx_log.preallocate": "false"}


@dataclasses.dataclass(frozen=True)
class Neo4j:
    """One Neo4j: its data, its ports of 127.0.0.1, and how it is run."""

    home: Path
    bolt: int
    # No HTTP server without a port.
    http: int | None = None
    # Whether it asks for a password (`set_password`).
    asks_for_password: bool = False
    size: Size = SMALL
    settings: Mapping[str, str] = dataclasses.field(default_factory=lambda: THROWAWAY)

    def configured(self) -> list[str]:
        """Writes the configuration and returns the command."""
        self.home.mkdir(parents=True, exist_ok=True)
        (self.home / "neo4j.conf").write_text(self.configuration(), encoding="utf-8")
        archive = tools.manifest()["neo4j_archive"]
        shared = [f"-XX:SharedArchiveFile={tools.ROOT / archive}"] if archive else []
        classpath = ":".join(str(tools.ROOT / entry) for entry in tools.manifest()["neo4j_classpath"])
        return command(tools.tool("java"), classpath, self.home, [*self.size.java, *shared])

    def configuration(self) -> str:
        """Text of `neo4j.conf`."""
        settings = {
            "server.config.strict_validation.enabled": "true",
            "server.default_listen_address": "127.0.0.1",
            "server.bolt.listen_address": f"127.0.0.1:{self.bolt}",
            "server.http.enabled": "false",
            "server.https.enabled": "false",
            "server.memory.pagecache.size": self.size.page_cache,
            "dbms.security.auth_enabled": str(self.asks_for_password).lower(),
            "dbms.usage_report.enabled": "false",
            # Without it each stop waits ten seconds for clients that may come yet.
            "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
        }
        if self.http:
            settings |= {"server.http.enabled": "true", "server.http.listen_address": f"127.0.0.1:{self.http}"}
        return "".join(f"{name}={value}\n" for name, value in {**settings, **self.settings}.items())


def command(java: str, classpath: str, home: Path, options: list[str]) -> list[str]:
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
    folders = [f"--home-dir={home}", f"--config-dir={home}", "--console-mode"]
    return [java, *options, "-cp", classpath, *opened, MAIN, *folders]


# Password


def has_database(home: Path) -> bool:
    """Whether it was started before; its user then has a password already."""
    return (home / "data" / "databases").exists()


def set_password(home: Path, password: str) -> None:
    """Sets the password of a database before its first start, in Neo4j's own form: no second JVM to set it."""
    salt = secrets.token_bytes(32)
    digest = salt + password.encode()
    for _ in range(ITERATIONS):
        digest = hashlib.sha256(digest).digest()
    (home / "data" / "dbms").mkdir(parents=True, exist_ok=True)
    line = f"{USER}:SHA-256,{digest.hex().upper()},{salt.hex().upper()},{ITERATIONS}:\n"
    private_file(home / "data" / "dbms" / "auth.ini", line)


def private_file(path: Path, text: str) -> None:
    """Writes a file that only its owner reads."""
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


# Whether it answers


def speaks_bolt(connection: socket.socket) -> bool:
    """Whether the other end is a Neo4j that takes connections."""
    connection.sendall(HANDSHAKE)
    return connection.recv(4) == CHOSEN


def answers(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return speaks_bolt(connection)
    except OSError:
        return False


# For as long as a block lasts


@contextlib.contextmanager
def running(folder: Path) -> Iterator[str]:
    """The URI of an empty one that asks for no password; its data and its log are in `folder`."""
    neo4j = Neo4j(Path(folder, "neo4j"), free_port())
    with process.running("neo4j", "Neo4j", neo4j.configured(), folder) as server:
        server.wait_until(lambda: answers(neo4j.bolt))
        yield f"bolt://127.0.0.1:{neo4j.bolt}"


def archive_classes(java: str, classpath: str, archive: Path, patience: float = 180) -> None:
    """Runs it once on an empty database, so that Java notes the classes: later starts take half the time.

    Raises Failed if it does not start, which is good to know now.
    """
    with tempfile.TemporaryDirectory(prefix="groma-neo4j-") as folder:
        # With the HTTP server, which has further classes and starts after Bolt.
        neo4j = Neo4j(Path(folder), free_port(), http=free_port(), asks_for_password=True)
        (neo4j.home / "neo4j.conf").write_text(neo4j.configuration(), encoding="utf-8")
        options = ["-Xmx512m", "-XX:+UseSerialGC", f"-XX:ArchiveClassesAtExit={archive}"]
        started = command(java, classpath, neo4j.home, options)
        with process.running("neo4j", "Neo4j", started, neo4j.home, grace=patience) as server:
            server.wait_until(lambda: "Started." in server.log.read_text(encoding="utf-8"), patience)
        if not archive.exists():
            raise Failed(f"Java left no archive of Neo4j's classes: {process.last_words(server.log)}")
