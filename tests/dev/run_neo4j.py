#!/usr/bin/env python3
"""Becomes a Neo4j for a test: writes its configuration and runs it in the place of this process.

    run_neo4j.py --home DIR --bolt PORT --password PASSWORD [--setting NAME=VALUE ...]

`crates/testkit` starts its Neo4j by this, so that its command line and configuration stand in `servers/neo4j.py` alone. The
process id, the output and the signals are those of Neo4j.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from servers import neo4j
from servers.errors import Failed


def main() -> None:
    arguments = parse_arguments()
    if not neo4j.has_database(arguments.home):
        neo4j.set_password(arguments.home, arguments.password)
    settings = {**neo4j.THROWAWAY, **dict(line.split("=", 1) for line in arguments.setting)}
    server = neo4j.Neo4j(arguments.home, arguments.bolt, asks_for_password=True, size=neo4j.QUICK, settings=settings)
    try:
        command = server.configured()
    except Failed as error:
        sys.exit(f"error: {error}")
    os.execv(command[0], command)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Runs a Neo4j for a test in the place of this process.")
    parser.add_argument("--home", type=Path, required=True, help="its data, configuration and certificates")
    parser.add_argument("--bolt", type=int, required=True, metavar="PORT", help="of 127.0.0.1")
    parser.add_argument("--password", required=True, help=f"of the user {neo4j.USER}, set before the first start")
    parser.add_argument("--setting", action="append", default=[], metavar="NAME=VALUE", help="a line of neo4j.conf")
    return parser.parse_args()


if __name__ == "__main__":
    main()
