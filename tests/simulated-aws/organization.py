#!/usr/bin/env python3
"""Fills a simulated AWS (`moto_server.py`) with an organization and writes the AWS files that reach it.

    organization.py --endpoint http://127.0.0.1:5000 --dir DIR --size test

needs a Python environment with `boto3`. Afterwards DIR holds

    config        `[profile hub]` and one `[profile <spoke>]` with its role for each spoke
    credentials   the keys of the hub's user, under `[hub]`
    env.json      the environment that makes the AWS SDKs use both

The hub account 111111111111 is a profile like the spokes, so it is surveyed too. A summary goes to stdout as JSON.
"""

from __future__ import annotations

import argparse
import json
import time
from typing import Any, NamedTuple

from seeding import accounts, demo, small, test
from seeding.aws import Aws
from seeding.planted import PLANTED

SIZES = {"small": small, "test": test, "demo": demo}
# When everything in it was made, so that the same seed gives the same organization on any day.
START = "2024-03-01T12:00:00Z"


class Filled(NamedTuple):
    """What was made, and the clients that made it."""

    aws: Aws
    size: str
    organization: accounts.Organization
    counts: dict[str, int]
    seconds: float


def main() -> None:
    arguments = parse_arguments()
    filled = fill(arguments.endpoint, arguments.size, arguments.seed)
    print(json.dumps(describe(filled, arguments.dir, arguments.endpoint), indent=2))


def fill(endpoint: str, size: str, seed: int) -> Filled:
    """Makes an organization of this size."""
    started = time.monotonic()
    aws = Aws(endpoint)
    aws.seed_ids(seed)
    with aws.clock_at(START):
        organization = accounts.create(aws, SIZES[size].SPOKES)
        accounts.visit(aws, organization)
        counts = SIZES[size].fill(aws)
    return Filled(aws, size, organization, counts, round(time.monotonic() - started, 1))


def describe(filled: Filled, directory: str, endpoint: str) -> dict[str, Any]:
    """Writes the AWS files for an endpoint, and returns the summary."""
    return {
        "size": filled.size,
        "accounts": [{"name": account.name, "id": account.id} for account in filled.organization.accounts],
        "regions": list(accounts.REGIONS),
        "counts": filled.counts,
        "planted": PLANTED,
        "seconds": filled.seconds,
        **accounts.write_files(directory, endpoint, filled.organization),
    }


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fills a simulated AWS with an organization.")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--dir", required=True, help="for config, credentials and env.json")
    parser.add_argument("--size", choices=sorted(SIZES), default="test")
    parser.add_argument("--seed", type=int, default=1, help="the same seed gives the same ids (default: 1)")
    return parser.parse_args()


if __name__ == "__main__":
    main()
