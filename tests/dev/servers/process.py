"""Server processes that end with the program that started them."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

from servers.errors import Failed

# Seconds until a server must be ready.
PATIENCE = 120
# Seconds that a server has to end after SIGTERM.
GRACE = 20
# Characters of a log in an error.
LAST_WORDS = 500


@dataclasses.dataclass(frozen=True)
class Server:
    """A running server with its log."""

    title: str
    process: subprocess.Popen[bytes]
    log: Path

    def wait_until(self, ready: Callable[[], bool], patience: float = PATIENCE) -> None:
        """Raises Failed with the end of the log if the server ends, or is not ready within `patience` seconds."""
        deadline = time.monotonic() + patience
        while not ready():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise Failed(f"{self.title} did not start: {last_words(self.log)}")
            time.sleep(0.05)


@contextlib.contextmanager
def running(name: str, title: str, command: Sequence[str], folder: Path, grace: float = GRACE) -> Iterator[Server]:
    """Runs a server with its output in `folder/name.log`.

    Ends it with SIGTERM, and after `grace` seconds with SIGKILL. Its standard input closes when this program ends.
    """
    log = Path(folder, f"{name}.log")
    with open(log, "wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=output, stderr=output, env=plain_environment()
        )
        try:
            yield Server(title, process, log)
        finally:
            end(process, grace)


@contextlib.contextmanager
def announcing(name: str, title: str, command: Sequence[str], folder: Path) -> Iterator[str]:
    """Runs a server that writes its port into the file of `--port-file`, and yields its URL."""
    port_file = Path(folder, f"{name}.port")
    with running(name, title, [*command, "--port-file", str(port_file)], folder) as server:
        server.wait_until(port_file.exists)
        yield f"http://127.0.0.1:{port_file.read_text(encoding='utf-8').strip()}"


def end(process: subprocess.Popen[bytes], grace: float = GRACE) -> None:
    """SIGTERM, then SIGKILL."""
    process.terminate()
    try:
        process.wait(timeout=grace)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if process.stdin:
        process.stdin.close()


def last_words(log: Path) -> str:
    """The end of a log, on one line for an error."""
    return log.read_text(encoding="utf-8", errors="replace").strip()[-LAST_WORDS:]


def end_on_sigterm() -> None:
    """SIGTERM ends this program as an error does, so that it ends the servers and roles that it has started."""

    def exit_once(*_: object) -> NoReturn:
        # A second one would break off the ending.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, exit_once)


def without(*prefixes: str) -> dict[str, str]:
    """The caller's environment without the variables that begin so."""
    return {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}


def plain_environment() -> dict[str, str]:
    """The caller's environment without the way into the caller's AWS, NATS and Neo4j, and without a proxy in between."""
    kept = without("AWS_", "NATS_", "NEO4J_", "GROMA_")
    # The same order of sets in each run of moto, so that the same organization comes out.
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", "PYTHONHASHSEED": "0"}
