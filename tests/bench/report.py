"""Numbers to tables: on standard output and as the page `docs/benchmarks.md`."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
from collections.abc import Sequence
from typing import Any

import install_cartography
import warm_up

Json = dict[str, Any]

BASE, PROGRAMS = "cartography", ("groma", "groma-raised")
# Programs that are measured with an AWS that refuses what exceeds its quotas.
ENFORCED = (BASE, "groma")
FIRST, SECOND = 1, 2


def line(run: Json) -> str:
    which = (
        f"{run['program']:12} {run['latency']:3} ms{', quotas enforced' if run['enforced'] else ''}, sync {run['sync']}"
    )
    own = f"{run['seconds']:6.1f} s, CPU {run['cpu']:5.1f} s, {run['megabytes']:4.0f} MB"
    aws = f"{run['calls']} calls, {run['most_in_flight']} in flight, {run['refused']} refused"
    return f"{which}: {own}, {aws}, Neo4j {run['neo4j_cpu']:.1f} s"


def median(runs: list[Json], name: str, **which: Any) -> float | None:
    values = [run[name] for run in runs if all(run[key] == value for key, value in which.items())]
    return statistics.median(values) if values else None


# Tables


def tables(facts: Json, runs: list[Json]) -> str:
    free = [run for run in runs if not run["enforced"]]
    parts = [f"### AWS answers after {latency} ms\n\n{table(free, latency)}" for latency in facts["latencies"]]
    enforced = [run for run in runs if run["enforced"]]
    if enforced:
        latency = max(facts["latencies"])
        title = f"### AWS answers after {latency} ms and enforces the quotas that it publishes"
        parts.append(f"{title}\n\n{table(enforced, latency, ENFORCED[1:], ROWS + REFUSALS)}")
    return "\n\n".join(parts)


def table(runs: list[Json], latency: int, programs: Sequence[str] = PROGRAMS, shown_rows: Any = None) -> str:
    rows = [("", "Cartography", *(cell for program in programs for cell in (NAMES[program], "ratio")))]
    for title, name, sync, shown in shown_rows or ROWS:
        base, *values = (value_of(runs, name, program, latency, sync) for program in (BASE, *programs))
        if name == "most_in_flight" and latency == 0:
            continue  # an answer that takes no time is never in flight
        compared = [(shown(value), ratio(base, value) if name in COMPARED else "") for value in values]
        rows.append((title, shown(base), *(cell for cells in compared for cell in cells)))
    return drawn(rows)


def value_of(runs: list[Json], name: str, program: str, latency: int, sync: int | None) -> float | None:
    if name == "neo4j_share":
        wall = value_of(runs, "seconds", program, latency, sync)
        busy = value_of(runs, "neo4j_cpu", program, latency, sync)
        return busy / wall if busy is not None and wall else None
    if name == "megabytes":
        found = (median(runs, name, program=program, latency=latency, sync=one) for one in (FIRST, SECOND))
        values = [value for value in found if value is not None]
        return max(values) if len(values) == 2 else None
    return median(runs, name, program=program, latency=latency, sync=sync)


def seconds(value: Any) -> str:
    return "" if value is None else f"{value:.1f} s" if value >= 0.95 else f"{value:.2f} s"


def count(value: Any) -> str:
    return "" if value is None else f"{value:,.0f}"


def megabytes(value: Any) -> str:
    return "" if value is None else f"{value:.0f} MB"


def percent(value: Any) -> str:
    return "" if value is None else f"{100 * value:.0f}%"


def ratio(cartography: float | None, groma: float | None) -> str:
    if not cartography or not groma:
        return ""
    factor = cartography / groma
    return f"{factor:.0f}×" if factor >= 9.5 else f"{factor:.1f}×"


ROWS = (
    ("first sync", "seconds", FIRST, seconds),
    ("second sync", "seconds", SECOND, seconds),
    ("CPU, first sync", "cpu", FIRST, seconds),
    ("CPU, second sync", "cpu", SECOND, seconds),
    ("- nats-server's share, first sync", "servers_cpu", FIRST, seconds),
    ("- nats-server's share, second sync", "servers_cpu", SECOND, seconds),
    ("largest memory", "megabytes", None, megabytes),
    ("AWS calls, first sync", "calls", FIRST, count),
    ("AWS calls, second sync", "calls", SECOND, count),
    ("most AWS calls in flight", "most_in_flight", FIRST, count),
    ("Neo4j's CPU, first sync", "neo4j_cpu", FIRST, seconds),
    ("Neo4j's CPU, second sync", "neo4j_cpu", SECOND, seconds),
    ("Neo4j's CPU load, first sync", "neo4j_share", FIRST, percent),
    ("Neo4j's CPU load, second sync", "neo4j_share", SECOND, percent),
    ("CPU of the replayed AWS, first sync", "aws_cpu", FIRST, seconds),
)
REFUSALS = (
    ("calls refused, first sync", "refused", FIRST, count),
    ("calls refused, second sync", "refused", SECOND, count),
)
NAMES = {"groma": "Groma", "groma-raised": "quotas raised"}
COMPARED = {"seconds", "cpu", "megabytes", "calls", "neo4j_cpu"}


def drawn(rows: list[Any]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    head, *body = [row_of(row, widths) for row in rows]
    rule = [":" + "-" * (widths[0] + 1), *("-" * (width + 1) + ":" for width in widths[1:])]
    return "\n".join([head, f"|{'|'.join(rule)}|", *body])


def row_of(cells: Any, widths: Any) -> str:
    padded = [cells[0].ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(cells[1:], widths[1:]))]
    return f"| {' | '.join(padded)} |"


# The page

PAGE = """# Benchmarks

Cartography {cartography} and Groma {groma} sync the same simulated AWS organization into the same Neo4j, in one run
on {date}. This command writes the page:

```sh
just bench{size_option}
```

It took {minutes:.0f} minutes. A ratio is Cartography's value divided by Groma's.

{tables}

## Method

- **The organization** is `{size}` of `tests/simulated-aws/seeding`: {organization}. {graphs}
- **AWS** is simulated once. Its answers are recorded and replayed from memory, each after the latency in the title of
  the table. Calls do not delay one another in any other way. On this machine the replayed AWS answers {ceiling} calls a
  second, so it limits neither program. A call that was not recorded ends the run.
- **Neo4j** is {neo4j} with a heap of {heap}. All programs use the same process and configuration. Unmeasured syncs
  of a program warm it up before that program is measured, until a pair of them saves less than a twentieth
  {warm_ups} Before each first sync all nodes are removed; indexes and plans
  stay.
- **Cartography** runs the modules for the types that Groma collects (`tests/parity/run_cartography.py`), once for each
  latency. **Groma** is `groma sync --accounts profiles`, built by `cargo build --release`, with all defaults. The tables show
  the median of {repeats} runs for each latency.
- **Quotas.** The replayed AWS refuses no call, and Cartography never waits for a quota. Groma keeps to the rates that AWS
  publishes, and begins with a low rate where AWS publishes none (`crates/throttle/src/quota.rs`). In this organization the
  most loaded buckets alone take several seconds. **Quotas raised** is Groma with `--quota-percent 10000`, as in accounts
  whose quotas AWS has raised. The remaining time is the program's own and Neo4j's.
- **Enforced quotas.** In the last table the replayed AWS refuses calls beyond the buckets that AWS publishes for EC2, Elastic
  Load Balancing and STS (`tests/bench/buckets.py`). Each program's SDK repeats a refused call, which counts as another call.
- **CPU** is user and system time of the program and its children. It includes the start of the interpreter and Groma's
  private nats-server. **Memory** is the largest resident size in the larger sync; for Groma it is the sum of both
  processes.
- **Neo4j's CPU load** is its CPU time divided by the duration of the sync (more than 100% on several cores). If it is
  near the capacity of the machine, Neo4j is the limit and not the program.

## The machine

{cores} cores, {memory} GB of memory, {system}. The programs, Neo4j, NATS and AWS share it. Times differ on other
machines, and on a machine with other work; read them as ratios.
"""
ORGANIZATIONS = {
    "test": "a hub and three spokes in two regions with every awkward case, as in `just parity`",
    "demo": "a hub and three spokes in two regions, as in `just demo`",
    "small": "a hub and two spokes in two regions with one of everything",
}


def page(facts: Json, runs: list[Json]) -> str:
    return PAGE.format(
        cartography=version_of_cartography(),
        groma=facts["groma"],
        date=datetime.date.today().isoformat(),
        size_option="" if facts["size"] == "test" else f" --size {facts['size']}",
        minutes=facts["minutes"],
        tables=tables(facts, runs),
        size=facts["size"],
        organization=ORGANIZATIONS[facts["size"]],
        graphs=graphs(facts),
        ceiling=f"{facts['ceiling']:,.0f}",
        neo4j=next(iter(facts["graphs"].values()))["version"],
        heap=facts["heap"],
        warm_ups=warm_up.sentence(facts["warm_ups"]),
        repeats=max(sum(run["program"] == "groma" for run in runs) // (2 * len(facts["latencies"])), 1),
        cores=os.cpu_count(),
        memory=round(memory_bytes() / 1e9),
        system=f"{platform.system()} {platform.machine()}",
    )


def graphs(facts: Json) -> str:
    said = [
        f"{program.capitalize()} creates {count(graph['nodes'])} nodes and {count(graph['edges'])} edges"
        for program, graph in facts["graphs"].items()
        if program in (BASE, PROGRAMS[0])
    ]
    return f"{', '.join(said)}."


def version_of_cartography() -> str:
    pinned = install_cartography.PACKAGES.read_text(encoding="utf-8").splitlines()
    return next(line.partition("==")[2] for line in pinned if line.startswith("cartography=="))


def memory_bytes() -> int:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
