#!/usr/bin/env python3
"""Looks into a Neo4j, or disturbs it: graph.py BOLT-URI transactions|writes|drop-indexes

    transactions   what runs at this moment, a line each
    writes         whether a node can be made and removed again
    drop-indexes   removes all indexes that belong to no constraint

Needs a Python environment with the `neo4j` driver. Exit status 0 when it was done.
"""

from __future__ import annotations

import sys
from typing import Any

import neo4j  # pyright: ignore[reportMissingImports]  Cartography's environment has it

RUNNING = "SHOW TRANSACTIONS YIELD transactionId, status, elapsedTime, currentQuery, statusDetails"
INDEXES = (
    "SHOW INDEXES YIELD name, type, owningConstraint WHERE type <> 'LOOKUP' AND owningConstraint IS NULL RETURN name"
)
SHOWN = 160


def transactions(session: Any) -> None:
    for row in session.run(RUNNING):
        said = " ".join((row["currentQuery"] or "nothing at this moment").split())[:SHOWN]
        if said.startswith("SHOW TRANSACTIONS"):
            continue
        print(f"{row['transactionId']} {row['status']} for {row['elapsedTime']}: {said}")


def writes(session: Any) -> None:
    session.run("CREATE (n:GromaChaosProbe) DELETE n").consume()


def drop_indexes(session: Any) -> None:
    for row in session.run(INDEXES).data():
        session.run(f"DROP INDEX `{row['name']}` IF EXISTS").consume()


def main(uri: str, what: str) -> None:
    acts = {"transactions": transactions, "writes": writes, "drop-indexes": drop_indexes}
    options = {"connection_timeout": 5, "connection_acquisition_timeout": 5, "max_transaction_retry_time": 1}
    with neo4j.GraphDatabase.driver(uri, **options) as driver, driver.session() as session:
        acts[what](session)


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except neo4j.exceptions.Neo4jError as error:
        sys.exit(str(error))
    except neo4j.exceptions.DriverError as error:
        sys.exit(str(error))
