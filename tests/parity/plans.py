#!/usr/bin/env python3
"""Looks for statements that would scan for ever: whose plan stays once it is made, and scans when it is made on an empty graph.
One that is said once in a sync may look at a whole label or type, but not again for each row; one that is said for each
batch or page may look at none, and seeks each id that it is given.

    plans.py --neo4j bolt://127.0.0.1:7687 LOG...

LOG is what `groma sync` wrote with `GROMA_LOG=graph=trace`. The graph has no nodes, but its indexes. Needs a Python
environment with the `neo4j` driver. Prints each such statement with what it scans; exit status 3 when there is one, 2 when
the logs have no statement at all.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

STATEMENT = re.compile(r'statement=("(?:[^"\\]|\\.)*")')
# Neo4j makes no other plan for these as the graph grows.
STAYS = "CYPHER replan=skip "
# Parameters of statements that are said for each batch, page or account.
OFTEN = re.compile(r"\$p\.(rows|ids|after|account|ready)\b")
# An id that Neo4j compares although it could seek it: it reads everything that is connected with something else.
COMPARED = re.compile(r"\bid\(\w+\) = ")
# Operators that scan it.
WHOLE_GRAPH = ("AllNodes", "DirectedAllRelationships", "UndirectedAllRelationships")
LIMIT = "Limit"
# Their right side is run for each row of their left.
FOR_EACH_ROW = ("Apply", "CartesianProduct", "NestedLoop", "Foreach")


def main() -> int:
    parser = argparse.ArgumentParser(description="Looks for statements that scan when planned on an empty graph.")
    parser.add_argument("--neo4j", required=True, metavar="URI")
    parser.add_argument("logs", nargs="+", type=Path)
    arguments = parser.parse_args()
    statements = sorted(set().union(*map(statements_of, arguments.logs)))
    if not statements:
        print("no statement is in the logs", file=sys.stderr)
        return 2
    scanning = scans(arguments.neo4j, statements)
    for statement, operators in scanning.items():
        print(f"{', '.join(operators)}\n  {statement}")
    print(f"{len(statements)} statements whose plans stay, {len(scanning)} of which scan on an empty graph")
    return 3 if scanning else 0


def statements_of(log: Path) -> set[str]:
    found = STATEMENT.findall(log.read_text(encoding="utf-8"))
    return {text.removeprefix(STAYS) for text in map(json.loads, found) if text.startswith(STAYS)}


def scans(uri: str, statements: list[str]) -> dict[str, list[str]]:
    import neo4j  # noqa: PLC0415  # pyright: ignore[reportMissingImports]  Cartography's environment alone has it

    with neo4j.GraphDatabase.driver(uri) as driver, driver.session() as session:
        plans = {text: session.run(f"EXPLAIN {text}").consume().plan for text in statements}
    operators = {text: list(scanning(plan, bool(OFTEN.search(text)))) for text, plan in plans.items()}
    return {text: found for text, found in operators.items() if found}


def scanning(plan: dict[str, Any], often: bool, limited: bool = False) -> Iterator[str]:
    """The operators of a plan that are run often and look at all of a label or type, or that look at the whole graph.

    `limited`: the next operator takes a fixed number of rows and no more.
    """
    kind = plan["operatorType"].partition("@")[0]
    details = plan["args"].get("Details", "")
    scans = kind.endswith("Scan") and (often or (kind.startswith(WHOLE_GRAPH) and not limited))
    if scans or (kind == "Filter" and often and COMPARED.search(details)):
        yield f"{kind} {details}"
    for place, child in enumerate(plan.get("children", ())):
        yield from scanning(child, often or (place > 0 and kind.endswith(FOR_EACH_ROW)), kind == LIMIT)


if __name__ == "__main__":
    sys.exit(main())
