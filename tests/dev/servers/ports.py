"""Free ports that stay free while a server is down, and that no other process of the tests takes meanwhile."""

from __future__ import annotations

import contextlib
import os
import random
import socket
import tempfile
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None

# Below what Linux (32768) and macOS (49152) give to outgoing connections, so that none of those takes the port of a server
# that was killed and will start again.
FIRST, LAST = 20_000, 31_999
TRIES = 200
# A file for each port, named after it. Whoever has it locked (flock) has the port; `crates/testkit` does the same. The
# system gives up a lock with the process that holds it, however that ends; the files stay.
FOLDER = "groma-ports"

# What this process has taken, by port: the file that it has locked, or nothing where none can be made.
taken: dict[int, int | None] = {}


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens. It is this process's until it ends."""
    # Other runs look in other places: not by the seed of a survey.
    draw = random.SystemRandom()
    for _ in range(TRIES):
        port = draw.randint(FIRST, LAST)
        if take(port):
            return port
    raise OSError(f"no free port of 127.0.0.1 between {FIRST} and {LAST}")


def take(port: int) -> bool:
    """Takes a port unless somebody has it or listens on it."""
    if port in taken:
        return False
    try:
        lock = locked(port)
    except BlockingIOError:
        return False
    except OSError:
        lock = None  # The folder is another user's: at least this process does not take it twice.
    # In this order: whoever had it before may still listen.
    if not can_listen(port):
        if lock is not None:
            os.close(lock)
        return False
    taken[port] = lock
    return True


def locked(port: int) -> int | None:
    """The open file of a port, locked. Raises BlockingIOError when another process has it locked."""
    if not fcntl:
        return None
    folder = Path(tempfile.gettempdir(), FOLDER)
    folder.mkdir(exist_ok=True)
    # Children do not inherit it, so that none of them keeps the lock.
    lock = os.open(folder / str(port), os.O_RDONLY | os.O_CREAT, 0o644)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise
    return lock


def can_listen(port: int, *, again: bool = False) -> bool:
    """Whether nothing listens on the port. For a server that listens `again`, connections that it had do not count."""
    with contextlib.suppress(OSError), socket.socket() as probe:
        if again:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", port))
        return True
    return False
