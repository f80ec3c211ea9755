#!/usr/bin/env python3
"""How collection gets faster with more collectors: `just scale`.

    scale.py [--accounts 40] [--regions us-east-1,...] [--collectors 1,2,4,8] [--latency 50] [--groma PATH]

An organization of many accounts, each like one simulated account (`many_accounts.py`), whose answers come from memory
after a set latency. Broker, EC2 collectors and scheduler are processes of their own on one nats-server. Each collector
takes one account and region at a time, so that eight of them do not need more than a small machine has. The graph-writer
starts when all is collected, so that Neo4j's time is told apart from the collectors'.

Printed is, for each number of collectors, how long collecting took, what the machine and the AWS from memory were busy
with meanwhile, and how long the graph-writer took afterwards; the same goes into `docs/scaling.md`. Exit status 0 when
everything was measured.
"""

import argparse
import contextlib
import datetime
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "parity"))

import bench  # noqa: E402
import measure  # noqa: E402
import parity  # noqa: E402
import report  # noqa: E402
import roles  # noqa: E402
import servers  # noqa: E402
from seeding import accounts  # noqa: E402

REGIONS = "us-east-1,us-east-2,us-west-2,eu-west-1"
DONE = "work item done"


def main():
    arguments = parse_arguments()
    try:
        with parity.prepared(arguments.groma, "scale", "--release") as (groma, folder):
            return Scale(arguments, groma, folder).run()
    except (servers.Failed, measure.Failed, parity.provision.Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def parse_arguments():
    parser = argparse.ArgumentParser(description="Times collection with more and more collectors.")
    parser.add_argument("--accounts", type=int, default=40, help="how many")
    parser.add_argument("--regions", default=REGIONS, help="of each account, separated by commas")
    parser.add_argument("--collectors", default="1,2,4,8", help="how many at once, run by run")
    parser.add_argument("--latency", type=int, default=50, help="milliseconds that AWS takes for a call")
    parser.add_argument("--output", type=Path, default=servers.ROOT / "docs" / "scaling.md", help="the page to write")
    parser.add_argument("--groma", help="the program; without it, it is built with --release")
    return parser.parse_args()


class Roles(roles.Roles):
    """Broker and collectors, which stay; a writer that comes when all is collected."""

    PATIENCE = 600
    COLLECTOR = ["collector", "ec2", "--items", "1"]

    def __init__(self, groma, aws, folder, regions):
        # Every survey says whose account it is, which is STS's.
        super().__init__(groma, aws, folder, {"broker": ["broker", "--accounts", "profiles", "--lease-own-identity"], "collector-sts": ["collector", "sts"]})
        self.SCHEDULER = ["scheduler", "--services", "ec2", "--regions", regions]
        self.collectors = []

    def grow(self, collectors):
        for number in range(len(self.collectors), collectors):
            name = f"collector-{number}"
            self.roles[name] = self.COLLECTOR
            self.start(name)
            self.collectors.append(name)
        # Until all have joined the stream.
        time.sleep(3)

    def write(self):
        """Seconds that a graph-writer needs for what is in the stream."""
        began = time.monotonic()
        self.roles["graph-writer"] = ["graph-writer"]
        self.start("graph-writer")
        self.wait("the scheduler", lambda: self.running["scheduler"].poll() is not None)
        seconds = time.monotonic() - began
        writer = self.running.pop("graph-writer")
        writer.terminate()
        writer.wait()
        if status := self.running["scheduler"].returncode:
            raise servers.Failed(f"the survey ended with status {status}: {self.last_words()}")
        return seconds

    def done(self):
        """Work items that the collectors say they have done."""
        logs = (Path(self.folder, f"{name}.log") for name in self.collectors)
        return sum(log.read_text(encoding="utf-8").count(DONE) for log in logs)

    def cpu(self):
        return sum(measure.cpu_seconds(self.running[name].pid) for name in self.collectors)


class Scale:
    def __init__(self, arguments, groma, folder):
        self.arguments, self.groma, self.folder = arguments, groma, folder

    def run(self):
        with servers.aws(self.folder) as simulated:
            simulated.seed("small", self.folder / "organization")
            with many_accounts(simulated, self.folder, self.arguments.accounts) as aws:
                with Roles(self.groma, aws, self.folder, self.arguments.regions) as system:
                    self.warm_up(aws, system)
                    numbers = map(int, self.arguments.collectors.split(","))
                    rows = [self.survey(aws, system, number) for number in numbers]
        text = page(self.arguments, self.items, rows)
        self.arguments.output.write_text(text, encoding="utf-8")
        print(f"\n{table(rows)}\n\nwritten to {self.arguments.output}")
        return 0

    def warm_up(self, aws, system):
        """Fills memory, and has Neo4j plan its statements; how many work items there are is then known."""
        aws.reset(0)
        system.grow(1)
        system.start("scheduler")
        seconds = system.write()
        self.items = system.done()
        print(f"{self.arguments.accounts} accounts and their hub, {self.items} work items; warmed up in {seconds:.0f} s")

    def survey(self, aws, system, collectors):
        parity.run_with_driver(parity.HERE / "wipe.py", system.neo4j, "--nodes")
        system.grow(collectors)
        aws.reset(self.arguments.latency)
        before, cpu, busy, began = system.done(), system.cpu(), processors(), time.monotonic()
        system.start("scheduler")
        system.wait("a collector", lambda: system.done() >= before + self.items)
        seconds = time.monotonic() - began
        busy, cpu, counts = processors() - busy, system.cpu() - cpu, aws.counts()
        row = {"collectors": collectors, "seconds": seconds, "calls": counts["calls"], "cpu": cpu}
        row |= {"in_flight": counts["most_in_flight"], "machine": busy / seconds / os.cpu_count()}
        row |= {"aws": counts["cpu_seconds"] / seconds, "writing": system.write()}
        print(f"{collectors} collectors: {seconds:.1f} s, then {row['writing']:.1f} s of writing", flush=True)
        return row


CALLS = ("AWS calls", "per second", "in flight")
COLUMNS = ("collectors", "collecting", "speed-up", *CALLS, "their CPU", "machine", "replayed AWS", "writing")


def table(rows):
    return report.drawn([COLUMNS, *(cells(row, rows[0]["seconds"]) for row in rows)])


def cells(row, slowest):
    seconds, calls = row["seconds"], row["calls"]
    times = (f"{seconds:.1f} s", f"{slowest / seconds:.1f}×", f"{calls:,}", f"{calls / seconds:,.0f}")
    busy = (str(row["in_flight"]), f"{row['cpu']:.1f} s", f"{row['machine']:.0%}", f"{row['aws']:.0%}")
    return (str(row["collectors"]), *times, *busy, f"{row['writing']:.1f} s")


PAGE = """# Scaling

How much faster collecting gets with more collectors, measured on {date}. This command writes the page:

```sh
just scale
```

{table}

- **The organization** has {accounts} accounts and their hub, in {regions} regions each: {items} work items of EC2. All
  accounts are copies of one account of a simulated AWS, with their own ids, account names and regions
  (`tests/bench/many_accounts.py`). Answers are replayed from memory {latency} ms after each call.
- **Collectors** are processes of `groma collector ec2 --items 1`, each with one account and region at a time. A broker, a
  scheduler and nats-server run beside them. By default a collector has four accounts and regions at a time.
- **Limits.** The time for collecting falls in proportion to the number of collectors, as long as the machine, the replayed
  AWS and AWS's buckets have room. *Machine* is the share of the {cores} cores that was busy meanwhile. *Replayed AWS* is the
  share of its one core that it used. No API is called often enough in one account and region to empty its bucket.
- **Writing** is the time that one graph-writer with two connections took afterwards, into a Neo4j that had planned its
  statements. It begins after collecting only to measure the two separately. In normal use they overlap, and Neo4j is the
  limit if collecting takes less time than writing.
"""


def page(arguments, items, rows):
    return PAGE.format(
        date=datetime.date.today().isoformat(),
        table=table(rows),
        accounts=arguments.accounts,
        regions=len(arguments.regions.split(",")),
        items=items,
        latency=arguments.latency,
        cores=os.cpu_count(),
    )


def processors():
    """Seconds that all processors together have been busy."""
    user, nice, system, _, _, irq, softirq, *_ = map(int, Path("/proc/stat").read_text().split()[1:11])
    return (user + nice + system + irq + softirq) / measure.TICKS


@contextlib.contextmanager
def many_accounts(simulated, folder, count):
    """The AWS from memory, with a profile for each account."""
    role = "arn:aws:iam::{}:role/cartography-read-only"
    config = folder / "many.config"
    profile = "[profile a{0:02}]\nrole_arn = {1}\nsource_profile = hub\nregion = us-east-1\n"
    lines = [profile.format(number, role.format(500000000000 + number)) for number in range(count)]
    config.write_text(hub_profile(simulated) + "".join(lines), encoding="utf-8")
    options = ["--template", accounts.ALPHA, "--role-arn", role.format(accounts.ALPHA)]
    with bench.from_memory("many_accounts.py", simulated, folder, *options) as endpoint:
        yield bench.Recorded(endpoint, {**simulated.environment, "AWS_CONFIG_FILE": str(config)})


def hub_profile(simulated):
    """Of the simulated organization's own configuration, all but the spokes."""
    text = Path(simulated.environment["AWS_CONFIG_FILE"]).read_text(encoding="utf-8")
    parts = [f"[{part}" for part in text.split("[") if part.strip()]
    return "".join(part for part in parts if "role_arn" not in part)


if __name__ == "__main__":
    servers.end_on_sigterm()
    sys.exit(main())
