#!/usr/bin/env python3
"""Runs Cartography over the AWS of the environment into a Neo4j: the modules that make the types which Groma knows.

    run_cartography.py --neo4j bolt://127.0.0.1:7687 [--syncs 2]

Cartography links only to nodes that are already there, so its first sync of an empty graph lacks what points to a type
that comes later: subnets to their VPCs, routes to their gateways, roles to roles of accounts that come later. What it means to
say is in the graph after the second.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import install_cartography

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "dev"))
import catalog

# Those of the services, and the analysis that Groma has too.
MODULES = [*catalog.cartography_modules(), "permission_relationships"]
FIRST_TAG = 1700000000
# S3 Control has the account in the host name, which an address cannot have. So its calls name a host that does not exist,
# and the simulated AWS is their proxy.
S3_CONTROL = "http://s3-control.simulated"
# One answer of status 500 alone holds it up for ten minutes.
PATIENCE = 1200


class Failed(Exception):
    """Cartography ended with an error; the message has the end of its log."""


def main() -> int:
    parser = argparse.ArgumentParser(description="Runs Cartography into a Neo4j that asks for no password.")
    parser.add_argument("--neo4j", required=True)
    parser.add_argument("--syncs", type=int, default=2)
    parser.add_argument("--log", default="cartography.log")
    arguments = parser.parse_args()
    try:
        install_cartography.install()
        for number in range(arguments.syncs):
            sync(arguments.neo4j, os.environ, arguments.log, number)
    except (Failed, install_cartography.Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def sync(neo4j: str, environment: Mapping[str, str], log: str | Path, number: int = 0) -> None:
    """One sync, with a new update tag, so that it cleans up the previous sync's remains."""
    command = [str(install_cartography.PYTHON), "-W", "ignore", "-m", "cartography"]
    command += ["--selected-modules", "create-indexes,aws", "--neo4j-uri", neo4j, "--aws-sync-all-profiles"]
    command += ["--aws-requested-syncs", ",".join(MODULES), "--update-tag", str(FIRST_TAG + number)]
    command += ["--permission-relationships-file", permission_relationships()]
    endpoint = environment.get("AWS_ENDPOINT_URL")
    proxy = {"HTTP_PROXY": endpoint, "AWS_ENDPOINT_URL_S3_CONTROL": S3_CONTROL} if endpoint else {}
    with open(log, "ab") as output:
        try:
            done = subprocess.run(
                command, stdout=output, stderr=output, env={**environment, **proxy}, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise Failed(f"Cartography was not done after {PATIENCE} s: {tail(log)}") from error
    if done.returncode:
        raise Failed(f"Cartography ended with status {done.returncode}: {tail(log)}")


def permission_relationships() -> str:
    """Its own rules; the default of the option is a path in its source tree."""
    (rules,) = install_cartography.HOME.glob(
        "lib/python3*/site-packages/cartography/data/permission_relationships.yaml"
    )
    return str(rules)


def tail(log: str | Path) -> str:
    return Path(log).read_text(encoding="utf-8", errors="replace").strip()[-1500:]


if __name__ == "__main__":
    sys.exit(main())
