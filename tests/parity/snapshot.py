#!/usr/bin/env python3
"""Writes a Neo4j graph as canonical, sorted JSON, so that two programs' graphs can be compared.

    snapshot.py --neo4j bolt://127.0.0.1:7687 --output FILE

needs a Python environment with the `neo4j` driver. FILE holds

    nodes   {"AWSEC2Instance i-1": {"labels": [...], "properties": {...}}, ...}, named by primary label and id
    edges   {"<node> -[TYPE]-> <node>": [{properties}, ...]}, more than one when there are parallel edges
    faults  what has no such name: nodes without an id, and names that several nodes bear

JSON keeps apart what Neo4j keeps apart: integers, floats, strings, booleans and lists are themselves, and a temporal value
is {"datetime": "2024-01-01T00:00:00Z"} as Neo4j prints it. Left out is what differs by nature between two programs or
two runs: when and by what a value was written, properties that begin with `_module_` or `_groma_`, nodes and labels that
begin with `Groma`, and relationships whose type begins with `_module_`.
"""

from __future__ import annotations

import argparse
import json
from typing import Any

Json = dict[str, Any]

BOOKKEEPING = {"firstseen", "lastupdated"}
BOOKKEEPING_PREFIXES = ("_module_", "_groma_", "_sub_resource_")
OWN_LABEL = "Groma"
# Labels that nodes of several primary labels share; one names a node only when no other does.
SHARED_LABELS = {"AWSPrincipal", "AWSPolicy", "AWSIpRule", "AWSIpv4CidrBlock", "AWSIpv6CidrBlock"}

NODES = """
MATCH (n)
RETURN elementId(n) AS element, labels(n) AS labels, properties(n) AS properties,
       [key IN keys(n) WHERE valueType(n[key]) CONTAINS 'DATE' OR valueType(n[key]) CONTAINS 'TIME'
        | [key, valueType(n[key]), toString(n[key])]] AS temporal
"""
EDGES = """
MATCH (a)-[r]->(b)
RETURN elementId(a) AS start, type(r) AS type, elementId(b) AS end, properties(r) AS properties,
       [key IN keys(r) WHERE valueType(r[key]) CONTAINS 'DATE' OR valueType(r[key]) CONTAINS 'TIME'
        | [key, valueType(r[key]), toString(r[key])]] AS temporal
"""
TEMPORAL = {
    "ZONED DATETIME": "datetime",
    "LOCAL DATETIME": "local datetime",
    "DATE": "date",
    "ZONED TIME": "time",
    "LOCAL TIME": "local time",
}


def main() -> None:
    parser = argparse.ArgumentParser(description="Writes a Neo4j graph as canonical, sorted JSON.")
    parser.add_argument("--neo4j", required=True, help="such as bolt://127.0.0.1:7687, without authentication")
    parser.add_argument("--output", required=True)
    arguments = parser.parse_args()
    import neo4j  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  Cartography's environment alone has it

    with neo4j.GraphDatabase.driver(arguments.neo4j) as driver, driver.session() as session:
        graph = snapshot(session)
    with open(arguments.output, "w", encoding="utf-8") as file:
        json.dump(graph, file, indent=1, sort_keys=True, ensure_ascii=False)


def snapshot(session: Any) -> Json:
    names, nodes, faults = {}, {}, []
    for row in session.run(NODES):
        labels = sorted(label for label in row["labels"] if not label.startswith(OWN_LABEL))
        if not labels:
            continue
        name, properties = name_of(labels, row["properties"]), typed(row)
        if name is None:
            faults.append(f"a node without id: {':'.join(labels)} {json.dumps(properties, sort_keys=True)}")
            continue
        if name in nodes:
            faults.append(f"two nodes are {name}")
        names[row["element"]] = name
        nodes[name] = {"labels": labels, "properties": properties}
    return {"nodes": nodes, "edges": edges(session, names), "faults": sorted(faults)}


def edges(session: Any, names: dict[str, str]) -> Json:
    found = {}
    for row in session.run(EDGES):
        if row["start"] in names and row["end"] in names and not is_bookkeeping(row["type"]):
            name = f"{names[row['start']]} -[{row['type']}]-> {names[row['end']]}"
            found.setdefault(name, []).append(typed(row))
    return {name: sorted(parallel, key=canonical) for name, parallel in found.items()}


def name_of(labels: list[str], properties: Json) -> str | None:
    if "id" not in properties:
        return None
    own = [label for label in labels if label.startswith("AWS") and label not in SHARED_LABELS]
    own = own or [label for label in labels if label in SHARED_LABELS] or labels
    return f"{own[0]} {properties['id']}"


def typed(row: Json) -> Json:
    values = {key: value for key, value in row["properties"].items() if not is_bookkeeping(key)}
    for key, kind, text in row["temporal"]:
        if key in values:
            values[key] = {TEMPORAL[kind.replace(" NOT NULL", "")]: text}
    return values


def is_bookkeeping(key: str) -> bool:
    return key in BOOKKEEPING or key.startswith(BOOKKEEPING_PREFIXES)


def canonical(value: Any) -> str:
    return json.dumps(value, sort_keys=True)


if __name__ == "__main__":
    main()
