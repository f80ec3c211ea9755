#!/usr/bin/env python3
"""Prints the version of a Neo4j and how many nodes and edges it holds, without what Groma keeps for itself.

Needs the `neo4j` driver.
"""

from __future__ import annotations

import json
import sys

import neo4j  # pyright: ignore[reportMissingImports]  Cartography's environment has it

NODES = "MATCH (n) WHERE none(label IN labels(n) WHERE label STARTS WITH 'Groma') RETURN count(n) AS count"
EDGES = "MATCH (n)-[r]->() WHERE none(label IN labels(n) WHERE label STARTS WITH 'Groma') RETURN count(r) AS count"
VERSION = "CALL dbms.components() YIELD versions RETURN versions[0] AS version"


def main(uri: str) -> None:
    with neo4j.GraphDatabase.driver(uri) as driver, driver.session() as session:
        nodes, edges = (session.run(query).single()["count"] for query in (NODES, EDGES))
        version = session.run(VERSION).single()["version"]
    print(json.dumps({"nodes": nodes, "edges": edges, "version": version}))


if __name__ == "__main__":
    main(sys.argv[1])
