"""What a system that hangs is doing: consumers, roles, links, Neo4j, and a guess at what hangs."""

from __future__ import annotations

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import install_cartography
import servers

if TYPE_CHECKING:
    from system import System

Json = dict[str, Any]

LINES = 8
WIDTH = 220
# Neo4j may be what hangs.
PATIENCE = 20
GRAPH = Path(__file__).resolve().parent / "graph.py"


def dump(system: System) -> list[str]:
    """Lines; the first ones say what seems to hang."""
    consumers, nats = of_nats(system)
    sections = {
        "consumers": nats,
        "processes": list(of_processes(system)),
        "links": system.links.state(),
        "clocks": system.clocks.state(),
        "gave up": system.gave_up,
        "transactions of Neo4j": of_neo4j(system),
        "faults of AWS": [str(rule) for rule in system.aws.control("faults")],
    }
    lines = ["hung: " + guess for guess in guesses(system, consumers)]
    for title, found in sections.items():
        lines += [f"{title}:", *(f"  {line}" for line in found or ["none"])]
    for name in system.running:
        lines += [
            f"the end of {name}.log:",
            *(f"  {line[:WIDTH]}" for line in system.log_of(name).splitlines()[-LINES:]),
        ]
    return lines


def guesses(system: System, consumers: list[tuple[str, Json]]) -> Iterator[str]:
    for name in sorted(system.frozen):
        yield f"{name} is frozen"
    for stream, consumer in consumers:
        name, pending, waiting = consumer["name"], consumer.get("num_pending", 0), consumer.get("num_waiting", 0)
        delivered = consumer.get("num_ack_pending", 0)
        counts = f"{pending} messages wait, {delivered} are delivered and not acknowledged"
        if (pending or delivered) and not waiting:
            yield f"nobody pulls from {stream} for {name}: {counts}"
        elif pending or delivered:
            yield f"{stream}, {name}: {counts}"


def of_nats(system: System) -> tuple[list[tuple[str, Json]], list[str]]:
    """Consumers as (stream, information), and lines for all servers."""
    consumers, lines = [], []
    for name in system.nats.names:
        page = system.nats.look(name, "jsz?streams=1&consumers=1")
        if page is None or "account_details" not in page:
            lines.append(f"{name} does not answer: {page}")
            continue
        streams = [stream for account in page["account_details"] for stream in account.get("stream_detail") or []]
        for stream in sorted(streams, key=lambda stream: stream["name"]):
            lines.append(f"{name} {stream['name']}: {stream['state']['messages']} messages")
            for consumer in stream.get("consumer_detail") or []:
                counts = ("num_pending", "num_ack_pending", "num_redelivered", "num_waiting")
                shown = ", ".join(f"{count[4:]} {consumer.get(count, 0)}" for count in counts)
                lines.append(f"{name} {stream['name']} > {consumer['name']}: {shown}")
                if leads(consumer, name):
                    consumers.append((stream["name"], consumer))
    return consumers, lines


def leads(consumer: Json, server: str) -> bool:
    """Whether this server's word on a consumer counts."""
    return consumer.get("cluster", {}).get("leader") in (None, "", server)


def of_processes(system: System) -> Iterator[str]:
    for name, process in system.running.items():
        status = process.poll()
        state = "runs" if status is None else f"ended with status {status}"
        state += ", is frozen" if name in system.frozen else ""
        state += ", comes back" if name in system.due else ", is to end" if name in system.ending else ""
        yield f"{name} ({process.pid}): {state}"


def of_neo4j(system: System) -> list[str]:
    command = [str(install_cartography.PYTHON), str(GRAPH), system.neo4j, "transactions"]
    with contextlib.suppress(subprocess.TimeoutExpired):
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=PATIENCE,
            check=False,
            env=servers.plain_environment(),
        )
        return done.stdout.splitlines()[-20:]
    return [f"it does not say within {PATIENCE} s"]
