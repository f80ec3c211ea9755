#!/usr/bin/env python3
"""How much memory a survey takes as an account grows: `just memory`.

    memory.py [--pages 2,20,200] [--groma PATH]

`groma sync` of one account in one region, all roles in one process, with a private nats-server. The account is from memory
(`large_account.py`): so many full pages of volumes and of findings. Printed is the largest resident size of either
process, which goes into `docs/memory.md` too. Exit status 0 when everything was measured.
"""

import argparse
import datetime
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "parity"))

import bench  # noqa: E402
import large_account  # noqa: E402
import measure  # noqa: E402
import parity  # noqa: E402
import report  # noqa: E402
import servers  # noqa: E402
from seeding import accounts  # noqa: E402


def main():
    arguments = parse_arguments()
    try:
        with parity.prepared(arguments.groma, "memory", "--release") as (groma, folder):
            return run(arguments, groma, folder)
    except (servers.Failed, measure.Failed, parity.provision.Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def parse_arguments():
    parser = argparse.ArgumentParser(description="Measures a survey's memory as an account grows.")
    parser.add_argument("--pages", default="2,20,200", help="of volumes and of findings, run by run")
    parser.add_argument("--output", type=Path, default=servers.ROOT / "docs" / "memory.md", help="the page to write")
    parser.add_argument("--groma", help="the program; without it, it is built with --release")
    return parser.parse_args()


def run(arguments, groma, folder):
    measure.adopt_orphans()
    rows = []
    with servers.aws(folder) as simulated, servers.neo4j(folder) as neo4j:
        simulated.seed("small", folder / "organization")
        for pages in map(int, arguments.pages.split(",")):
            parity.run_with_driver(parity.HERE / "wipe.py", neo4j, "--nodes")
            rows.append(survey(groma, simulated, neo4j, folder / f"pages-{pages}", pages))
    arguments.output.write_text(page(rows), encoding="utf-8")
    print(f"\n{table(rows)}\n\nwritten to {arguments.output}")
    return 0


def survey(groma, simulated, neo4j, folder, pages):
    folder.mkdir()
    options = ["--account", accounts.ALPHA, "--pages", str(pages)]
    with bench.from_memory("large_account.py", simulated, folder, *options) as endpoint:
        environment = bench.Recorded(endpoint, simulated.environment).environment
        part = ["--account", accounts.ALPHA, "--regions", accounts.REGIONS[0], "--quota-percent", bench.RAISED]
        command, environment = bench.survey(groma, environment, neo4j, *part)
        taken = measure.run(command, environment, folder / "groma.log")
    resources = pages * (large_account.VOLUMES + large_account.FINDINGS)
    print(" ".join(cells(resources, taken)), flush=True)
    return resources, taken


COLUMNS = ("volumes and findings", "groma", "nats-server", "CPU", "survey")


def table(rows):
    return report.drawn([COLUMNS, *(cells(*row) for row in rows)])


def cells(resources, taken):
    own = taken.megabytes - taken.servers_megabytes
    memory = (f"{own:.0f} MB", f"{taken.servers_megabytes:.0f} MB")
    return (f"{resources:,}", *memory, f"{taken.cpu:.1f} s", f"{taken.seconds:.1f} s")


PAGE = """# Memory

How much memory a survey takes as an account grows, measured on {date}. This page is written by

```sh
just memory
```

{table}

- **The account** answers full pages of `DescribeVolumes` and `ListFindings`, each resource with an id of its own, from memory
  (`tests/bench/large_account.py`); of all other types it has a few.
- **groma** is the largest resident size of `groma sync`: broker, collectors, scheduler and graph-writer in one process.
  A listing becomes events page by page, a collector waits when a few of its events have not been acknowledged, and the
  writer takes in so many bytes of events at once. What there is at one time does not depend on the account; a larger one
  only makes sure that every buffer has once been full.
- **nats-server** is its private one. Streams are files, of which it keeps blocks in memory for as long as they are read.
- Neo4j is not counted.
"""


def page(rows):
    return PAGE.format(date=datetime.date.today().isoformat(), table=table(rows))


if __name__ == "__main__":
    sys.exit(main())
