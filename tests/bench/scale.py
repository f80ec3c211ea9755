#!/usr/bin/env python3
"""How surveys scale: `just scale`, or with many assets `just scale --assets 1000000`.

    scale.py [--parts collectors,assets,places] [--groma PATH] [--against PATH] [--output FILE]
             [--accounts 40] [--regions us-east-1,...] [--collectors 1,2,4,8] [--latency 50]   collectors
             [--assets 1000000] [--of 1,4,40]                                                  assets
             [--places 100]                                                                    places

    collectors  how collection gets faster with more collectors (`scale_collectors.py`)
    assets      how fast a graph-writer writes a sync of many assets, an unchanged one, one with few changes, and one with
                removals; in one account and in several (`scale_assets.py`)
    places      a survey of all services in 17 regions of many accounts, most of them nearly empty (`scale_places.py`)

`--assets` without `--parts` measures that part only. `--against` names an earlier program, which takes turns with this one. The
tables go to standard output and into `docs/scaling.md`; parts that were not measured keep theirs. Exit status 0 when everything
was measured, 2 when something was in the way.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("chaos", "dev", "parity", "simulated-aws", "suite")]

import lists
import many_places
import measure
import parity
import scale_assets
import scale_collectors
import scale_page
import scale_places
import servers

Json = dict[str, Any]

ASSETS, PLACES = 1_000_000, 100


def main() -> int:
    arguments = parse_arguments()
    try:
        with parity.prepared(arguments.groma, "scale", "--release") as (groma, folder):
            for part in arguments.parts:
                own = folder / part
                own.mkdir()
                table, values = PARTS[part](arguments, groma, own)
                scale_page.PAGE.write(arguments.output, part, table, **values)
                print(f"\n{table}\n", flush=True)
    except (servers.Failed, measure.Failed, parity.provision.Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(f"written to {arguments.output}")
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measures how surveys scale.")
    parser.add_argument("--parts", type=lists.names_in(PARTS), help=f"what to measure, of {','.join(PARTS)}")
    parser.add_argument("--accounts", type=int, default=40, help="accounts that collectors survey")
    parser.add_argument("--regions", default=many_places.REGIONS, help="of each account, separated by commas")
    parser.add_argument("--collectors", type=lists.numbers, default="1,2,4,8", help="how many at once, run by run")
    parser.add_argument("--latency", type=int, default=50, help="milliseconds that AWS takes for a call")
    parser.add_argument("--assets", type=int, help=f"assets of a large sync [default: {ASSETS}]")
    parser.add_argument(
        "--of", type=lists.numbers, default="1,4,40", help="accounts that the assets are in, run by run"
    )
    parser.add_argument("--places", type=int, default=PLACES, help="accounts with 17 regions each")
    parser.add_argument("--against", metavar="PATH", help="an earlier program to measure in turn")
    parser.add_argument("--output", type=Path, default=servers.ROOT / "docs" / "scaling.md", help="the page to write")
    parser.add_argument("--groma", help="the program; without it, it is built with --release")
    arguments = parser.parse_args()
    arguments.parts = arguments.parts or (["assets"] if arguments.assets else list(PARTS))
    arguments.assets = arguments.assets or ASSETS
    return arguments


def collectors(arguments: argparse.Namespace, groma: str, folder: Path) -> tuple[str, Json]:
    measured = scale_collectors.Collectors(arguments, groma, folder)
    rows = measured.measure()
    return scale_collectors.table(rows), {
        "accounts": arguments.accounts,
        "regions": len(arguments.regions.split(",")),
        "items": measured.items,
        "latency": arguments.latency,
        "cores": os.cpu_count(),
    }


def assets(arguments: argparse.Namespace, groma: str, folder: Path) -> tuple[str, Json]:
    programs = {"before": arguments.against} if arguments.against else {}
    measured = scale_assets.Assets(programs | {"now": groma}, arguments.of, arguments.assets, folder)
    rows = measured.measure()
    replayed = f"{measured.replayed():.0f}"
    values = {"assets": f"{arguments.assets:,}", "relationships": f"{arguments.assets * 3 // 2:,}"}
    return scale_assets.table(rows), values | {"replayed": replayed, "cores": os.cpu_count()}


def places(arguments: argparse.Namespace, groma: str, folder: Path) -> tuple[str, Json]:
    return scale_places.measure(arguments.places, groma, folder), {"latency": 0}


PARTS = {"collectors": collectors, "assets": assets, "places": places}


if __name__ == "__main__":
    servers.end_on_sigterm()
    sys.exit(main())
