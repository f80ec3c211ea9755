#!/usr/bin/env python3
"""NATS and Neo4j for use on this machine: `stack.py up`, `down`, `status` and `env`.

    stack.py up       starts those that are down, and waits until they answer
    stack.py down     ends both; streams and graph stay in `.tools/state`
    stack.py status   exit status 0 when both answer, 3 otherwise
    stack.py env      shell lines: eval "$(python3 tests/dev/stack.py env)"

They listen on 127.0.0.1 only, on their usual ports where these are free. The programs come from `.tools/`
(`provision.py`). A server that you already have is used instead when NATS_URL, or NEO4J_URI with NEO4J_USER and
NEO4J_PASSWORD, points to it; it is never stopped from here.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import provision
from provision import Missing
from servers import nats, neo4j
from servers.errors import Failed
from servers.ports import can_listen, free_port
from servers.tools import TOOLS

Json = dict[str, Any]
# State of each server by name: process id, start time, ports, and whether Neo4j has the demo's size.
Stack = dict[str, Any]

STATE = TOOLS / "state"
STACK = STATE / "stack.json"
PASSWORD_FILE = STATE / "neo4j-password"
PORTS = {"nats": 4222, "bolt": 7687, "http": 7474}
PATIENCE = 120
NAMES = ("nats", "neo4j")


def main() -> int:
    parser = argparse.ArgumentParser(description="NATS and Neo4j for use on this machine.")
    parser.add_argument("command", choices=("up", "down", "status", "env"))
    try:
        return {"up": up, "down": down, "status": status, "env": env}[parser.parse_args().command]()
    except (Failed, Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


# The four commands


def up(for_demo: bool = False) -> int:
    with one_at_a_time():
        stack = read_stack()
        if not all(external(name, stack) for name in NAMES):
            provision.provision(provision.wanted())
        for name in NAMES:
            if external(name, stack):
                use_external(name, stack)
            elif is_up(name, stack) and fits(stack[name], for_demo):
                print(f"{name} is running already")
            else:
                stop(name, stack)
                started = time.monotonic()
                stack[name] = START[name](stack.get(name, {}), for_demo)
                write_stack(stack)
                wait_until_it_answers(name, stack)
                print(f"{name} is up after {time.monotonic() - started:.1f} s")
        tell(stack)
    return 0


def fits(held: Json, for_demo: bool) -> bool:
    """Whether a running server has the right options; the demo takes any."""
    return for_demo or not held.get("for_demo")


def down() -> int:
    with one_at_a_time():
        stack = read_stack()
        for name in NAMES:
            print(f"{name} is stopped" if stop(name, stack) else f"{name} was not running")
    return 0


def status() -> int:
    stack = read_stack()
    states = {name: answers(name, stack) for name in NAMES}
    for name, state in states.items():
        process = stack.get(name, {}).get("pid")
        whose = external(name, stack) or (f"process {process}, {address(name, stack)}" if state else "not running")
        print(f"{name:6} {'up  ' if state else 'down'}  {whose}")
    return 0 if all(states.values()) else 3


def env() -> int:
    stack = read_stack()
    if not all(answers(name, stack) for name in NAMES):
        raise Failed("NATS and Neo4j are not both up: run `just up`")
    for name, value in environment(stack).items():
        print(f"export {name}={shlex.quote(value)}")
    return 0


def environment(stack: Stack) -> dict[str, str]:
    """What Groma reads, whether the servers are ours or the user's."""
    found = {"NATS_URL": address("nats", stack), "NEO4J_URI": address("neo4j", stack)}
    if external("neo4j", stack):
        names = ("NEO4J_USER", "NEO4J_PASSWORD")
        return found | {name: os.environ[name] for name in names if name in os.environ}
    return found | {"NEO4J_USER": neo4j.USER, "NEO4J_PASSWORD": PASSWORD_FILE.read_text(encoding="utf-8").strip()}


def tell(stack: Stack) -> None:
    print(f"NATS   {address('nats', stack)}")
    print(f"Neo4j  {address('neo4j', stack)}")
    if not external("neo4j", stack):
        print(
            f"       browser http://127.0.0.1:{stack['neo4j']['http']}, user {neo4j.USER}, password in {PASSWORD_FILE}"
        )


# Whose server it is, and whether it answers


def external(name: str, stack: Stack) -> str | None:
    """Returns the address of the user's own server, if set. One from `stack.py env` is ours and does not count."""
    pointed_to = os.environ.get({"nats": "NATS_URL", "neo4j": "NEO4J_URI"}[name])
    return pointed_to if pointed_to and pointed_to != own_address(name, stack) else None


def use_external(name: str, stack: Stack) -> None:
    if not answers(name, stack):
        raise Failed(f"your {name} at {external(name, stack)} does not answer")
    print(f"{name} is your own at {external(name, stack)}")


def address(name: str, stack: Stack) -> str:
    return external(name, stack) or own_address(name, stack)


def own_address(name: str, stack: Stack) -> str:
    held = stack.get(name, {})
    return f"nats://127.0.0.1:{held.get('port')}" if name == "nats" else f"bolt://127.0.0.1:{held.get('bolt')}"


def is_up(name: str, stack: Stack) -> bool:
    return is_ours(stack.get(name)) and answers(name, stack)


def answers(name: str, stack: Stack) -> bool:
    if not external(name, stack) and not is_ours(stack.get(name)):
        return False
    where = urlsplit(address(name, stack))
    port = where.port or PORTS["nats" if name == "nats" else "bolt"]
    try:
        with socket.create_connection((where.hostname, port), timeout=2) as connection:
            connection.settimeout(2)
            return ANSWERS[name](connection)
    except (OSError, ValueError):
        return False


ANSWERS = {"nats": nats.greets, "neo4j": neo4j.speaks_bolt}


def wait_until_it_answers(name: str, stack: Stack) -> None:
    deadline = time.monotonic() + PATIENCE
    while not answers(name, stack):
        if not is_ours(stack[name]):
            raise Failed(f"{name} ended during its start: {last_line(name)}")
        if time.monotonic() > deadline:
            raise Failed(f"{name} does not answer after {PATIENCE} s; see {log_of(name)}")
        time.sleep(0.1)


# Starting


def start_nats(held: Json, _for_demo: bool) -> Json:
    port = usable_port(held.get("port"), PORTS["nats"])
    home = STATE / "nats"
    home.mkdir(exist_ok=True)
    configuration = home / "nats.conf"
    configuration.write_text(nats.configuration(port, home, flushes=True), encoding="utf-8")
    return {**identity(launch("nats", nats.command(configuration))), "port": port}


def start_neo4j(held: Json, for_demo: bool) -> Json:
    bolt, http = usable_port(held.get("bolt"), PORTS["bolt"]), usable_port(held.get("http"), PORTS["http"])
    home = STATE / "neo4j"
    set_password(home)
    size = neo4j.DEMO if for_demo else neo4j.LAPTOP
    server = neo4j.Neo4j(home, bolt, http, asks_for_password=True, size=size, settings={})
    return {**identity(launch("neo4j", server.configured())), "bolt": bolt, "http": http, "for_demo": for_demo}


def set_password(home: Path) -> None:
    """Sets a random password for a database that has none."""
    if neo4j.has_database(home):
        if not PASSWORD_FILE.exists():
            raise Failed(
                f"{PASSWORD_FILE} is gone, so the graph's password is lost. Restore the file, or remove {home} and the "
                "graph with it"
            )
        return
    password = secrets.token_urlsafe(18)
    neo4j.private_file(PASSWORD_FILE, password + "\n")
    neo4j.set_password(home, password)


def launch(name: str, command: list[str]) -> int:
    """Starts it in a separate session, so that neither this terminal's end nor its Ctrl-C reaches it."""
    with open(log_of(name), "ab") as log:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=STATE, start_new_session=True
        )
    return process.pid


def usable_port(*wanted: int | None) -> int:
    """The port it had, else the usual one, else any."""
    for port in filter(None, wanted):
        if can_listen(port, again=True):
            return port
    return free_port()


START = {"nats": start_nats, "neo4j": start_neo4j}


# Stopping


def stop(name: str, stack: Stack) -> bool:
    """Stops a process that we started: SIGTERM, then SIGKILL. Returns whether it was running."""
    held = stack.get(name)
    if not held or not is_ours(held):
        return False
    for number, patience in ((signal.SIGTERM, 20), (signal.SIGKILL, 5)):
        if not is_ours(held):
            break
        with contextlib.suppress(ProcessLookupError):
            os.kill(held["pid"], number)
        deadline = time.monotonic() + patience
        while is_ours(held) and time.monotonic() < deadline:
            time.sleep(0.05)
    if is_ours(held):
        raise Failed(f"{name} (process {held['pid']}) does not end")
    return True


def identity(pid: int) -> Json:
    return {"pid": pid, "started": start_time(pid)}


def is_ours(held: Json | None) -> bool:
    """Compares the start time too, because process ids are reused."""
    if not held or held.get("started") is None:
        return False
    return start_time(held["pid"]) == held["started"]


def start_time(pid: int) -> str | None:
    """None when there is no such process or it is a zombie."""
    if os.path.exists("/proc/self/stat"):
        return start_time_of_linux(pid)
    answer = subprocess.run(["ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False)
    state, _, started = answer.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def start_time_of_linux(pid: int) -> str | None:
    """State and start time are the 3rd and the 22nd field; the 2nd is a name in parentheses that may hold anything."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


# What is kept


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    STATE.mkdir(parents=True, exist_ok=True)
    with open(STATE / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def read_stack() -> Stack:
    try:
        return json.loads(STACK.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def write_stack(stack: Stack) -> None:
    half = STACK.with_suffix(".new")
    half.write_text(json.dumps(stack, indent=2) + "\n", encoding="utf-8")
    half.rename(STACK)


def log_of(name: str) -> Path:
    return STATE / f"{name}.log"


def last_line(name: str) -> str:
    lines = log_of(name).read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "its log is empty"


if __name__ == "__main__":
    sys.exit(main())
