#!/usr/bin/env python3
"""How much memory each role takes as accounts grow and as there are more of them: `just memory`.

    memory.py [--parts assets,accounts,closing,regions] [--pages 2,20,200] [--accounts 10,50,200] [--groma PATH]

Every role is a separate process. Prints the largest resident size of each.

    assets    one account in one region with ever more pages of volumes and of findings (`large_account.py`)
    accounts  ever more accounts in four regions, all like one simulated account (`many_accounts.py`)
    closing   a sync of 1,000 accounts with 17 regions and 25 listings: the graph-writer at its end, and the scheduler,
              each in a cgroup of 256 MiB
    regions   not memory but time: a survey while a region is denied, and while a region hangs

What was measured goes into `docs/memory.md` too; the parts that were not keep what the page says of them. Exit status 0 when
everything was measured, 1 when a role in `closing` takes more than it may, 2 when something could not be measured.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("chaos", "dev", "parity", "simulated-aws", "suite")]

import ending
import lists
import measure
import memory_page
import memory_parts
import parity
import servers


def main() -> int:
    arguments = parse_arguments()
    options = () if arguments.debug else ("--release",)
    try:
        with parity.prepared(arguments.groma, "memory", *options) as (groma, folder):
            return run(arguments, groma, folder)
    except (servers.Failed, measure.Failed, parity.provision.Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures the memory of each role.")
    parser.add_argument(
        "--parts", default=",".join(memory_parts.PARTS), type=lists.names_in(memory_parts.PARTS), help="what to measure"
    )
    parser.add_argument(
        "--pages", default="2,20,200", type=lists.numbers, help="of volumes and of findings, run by run"
    )
    parser.add_argument("--accounts", default="10,50,200", type=lists.numbers, help="how many, run by run")
    parser.add_argument(
        "--closing", default="1000,17,25", type=lists.numbers, help="accounts, regions and listings to close"
    )
    parser.add_argument("--output", type=Path, default=servers.ROOT / "docs" / "memory.md", help="the page to write")
    parser.add_argument("--debug", action="store_true", help="the program is built, or was built, without --release")
    parser.add_argument("--groma", help="the program; without it, it is built with --release")
    return parser.parse_args()


def run(arguments: argparse.Namespace, groma: str, folder: Path) -> int:
    fits = True
    for name in arguments.parts:
        (folder / name).mkdir()
        found = memory_parts.PARTS[name](arguments, groma, folder / name)
        fits = fits and found.fits
        memory_page.PAGE.write(
            arguments.output, name, found.table, "a debug build" if arguments.debug else "a release build"
        )
        print(f"\n{found.table}\n", flush=True)
    print(f"written to {arguments.output}")
    return 0 if fits else 1


if __name__ == "__main__":
    with ending.all_that_was_started():
        sys.exit(main())
