#!/usr/bin/env python3
"""Empties a Neo4j: nodes, constraints and indexes; with --nodes only the nodes, for when writers are connected who know
which indexes there are. Needs a Python environment with the `neo4j` driver.
"""

from __future__ import annotations

import sys

import neo4j  # pyright: ignore[reportMissingImports]  Cartography's environment has it

SOME_NODES = "MATCH (n) WITH n LIMIT 10000 DETACH DELETE n RETURN count(*) AS gone"
INDEXES = "SHOW INDEXES YIELD name, type WHERE type <> 'LOOKUP' RETURN name"


def main(uri: str, only: str | None = None) -> None:
    with neo4j.GraphDatabase.driver(uri) as driver, driver.session() as session:
        while session.run(SOME_NODES).single()["gone"]:
            pass
        if only == "--nodes":
            return
        for row in session.run("SHOW CONSTRAINTS YIELD name").data():
            session.run(f"DROP CONSTRAINT `{row['name']}` IF EXISTS").consume()
        for row in session.run(INDEXES).data():
            session.run(f"DROP INDEX `{row['name']}` IF EXISTS").consume()


if __name__ == "__main__":
    main(*sys.argv[1:])
