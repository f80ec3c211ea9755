#!/usr/bin/env python3
"""Compares two snapshots (`snapshot.py`) node by node and edge by edge.

    compare.py CARTOGRAPHY.json GROMA.json [--accepted accepted.json] [--types AWSVpc,AWSEC2Subnet]

Prints for each label and each kind of edge how many both graphs have, how many only one has, and how many differ; then
each difference, grouped. Exit status 0 when all is the same but for what the accepted list explains, 1 otherwise.

A difference has a subject and a verdict. The subject is a label (`AWSVpc`), a label's property (`AWSVpc.state`), a
further label (`AWSVpc:VirtualNetwork`), a kind of edge (`(AWSEC2Subnet)-[MEMBER_OF_AWS_VPC]->(AWSVpc)`) or its property.
The verdict is `only cartography`, `only groma` or `differs`. An entry of the accepted list names both, and why that is
right:

    {"subject": "AWSVpc.state", "verdict": "only groma", "reason": "...", "where": "AWSVpc vpc-1*", "size": "test"}

`subject` and the optional `where`, which narrows it to nodes or edges by name, are patterns with `*` and `?`. `size` says
in which organization it occurs, when not in all. An entry that explains nothing is an error: it would hide the next
thing.
"""

from __future__ import annotations

import argparse
import collections
import fnmatch
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Json = dict[str, Any]

LEFT, RIGHT, DIFFERS = "only cartography", "only groma", "differs"
# Edges that Cartography draws without caring which way.
UNDIRECTED = {"MATCHING_FINGERPRINT"}
SHOWN_NAMES = 3
SHOWN_WIDTH = 70

Difference = collections.namedtuple("Difference", "subject verdict name shown")


class Comparison:
    """What two graphs have in common, as counts by subject, and what not."""

    def __init__(self) -> None:
        self.shares = {"nodes": {}, "edges": {}}
        self.differences = []

    def count(self, kind: str, subject: str, verdict: str) -> None:
        self.shares[kind].setdefault(subject, collections.Counter())[verdict] += 1

    def differ(self, subject: str, verdict: str, name: str, shown: str = "") -> None:
        self.differences.append(Difference(subject, verdict, name, shown))


def main() -> int:
    arguments = parse_arguments()
    left, right = load(arguments.cartography), load(arguments.groma)
    if arguments.types:
        left, right = (restrict(graph, set(arguments.types.split(","))) for graph in (left, right))
    accepted = for_size(load(arguments.accepted), arguments.size) if arguments.accepted else []
    same = report(compare(left, right), accepted, restricted=bool(arguments.types))
    return 0 if same else 1


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Compares two snapshots node by node and edge by edge.")
    parser.add_argument("cartography")
    parser.add_argument("groma")
    parser.add_argument("--accepted", help="the reviewed list of differences")
    parser.add_argument("--size", help="of the organization, for entries that occur in one of them only")
    parser.add_argument("--types", help="only these labels, separated by commas, and the edges between them")
    return parser.parse_args()


def load(path: Path) -> Any:
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def for_size(accepted: list[Json], size: str) -> list[Json]:
    return [entry for entry in accepted if entry.get("size") in (None, size)]


def restrict(graph: Json, labels: set[str]) -> Json:
    edges = {name: value for name, value in graph["edges"].items() if set(ends(name)) <= labels}
    nodes = {name: value for name, value in graph["nodes"].items() if label_of(name) in labels}
    return {"nodes": nodes, "edges": edges, "faults": graph["faults"]}


# Comparing


def compare(left: Json, right: Json) -> Comparison:
    comparison = Comparison()
    for graph, verdict in ((left, LEFT), (right, RIGHT)):
        for fault in graph["faults"]:
            comparison.differ("graph", verdict, fault)
    compare_nodes(comparison, left["nodes"], right["nodes"])
    compare_edges(comparison, one_way(left["edges"]), one_way(right["edges"]))
    return comparison


def compare_nodes(comparison: Comparison, left: Json, right: Json) -> None:
    for name in sorted(set(left) | set(right)):
        label = label_of(name)
        verdict = where_it_is(name, left, right)
        if verdict is None:
            found = len(comparison.differences)
            compare_labels(comparison, name, left[name]["labels"], right[name]["labels"])
            compare_values(comparison, label, name, left[name]["properties"], right[name]["properties"])
            verdict = DIFFERS if len(comparison.differences) > found else "same"
        else:
            comparison.differ(label, verdict, name)
        comparison.count("nodes", label, verdict)


def compare_labels(comparison: Comparison, name: str, left: list[str], right: list[str]) -> None:
    for label in sorted(set(left) ^ set(right)):
        comparison.differ(f"{label_of(name)}:{label}", LEFT if label in left else RIGHT, name)


def compare_values(comparison: Comparison, subject: str, name: str, left: Json, right: Json) -> None:
    for key in sorted(set(left) | set(right)):
        verdict = where_it_is(key, left, right)
        if verdict is not None:
            shown = show(left[key] if key in left else right[key])
            comparison.differ(f"{subject}.{key}", verdict, name, shown)
        elif not same(left[key], right[key]):
            comparison.differ(f"{subject}.{key}", DIFFERS, name, show_both(left[key], right[key]))


def compare_edges(comparison: Comparison, left: Json, right: Json) -> None:
    for name in sorted(set(left) | set(right)):
        kind = kind_of(name)
        verdict = where_it_is(name, left, right)
        if verdict is None:
            found = len(comparison.differences)
            compare_parallel(comparison, kind, name, left[name], right[name])
            verdict = DIFFERS if len(comparison.differences) > found else "same"
        else:
            comparison.differ(kind, verdict, name)
        comparison.count("edges", kind, verdict)


def compare_parallel(comparison: Comparison, kind: str, name: str, left: list[Json], right: list[Json]) -> None:
    if len(left) != len(right):
        comparison.differ(kind, DIFFERS, name, f"{len(left)} parallel edges vs {len(right)}")
        return
    for one, other in zip(left, right):
        compare_values(comparison, kind, name, one, other)


def where_it_is(key: str, left: Json, right: Json) -> str | None:
    """The verdict for what only one of them has."""
    if key in left and key in right:
        return None
    return LEFT if key in left else RIGHT


def same(left: Any, right: Any) -> bool:
    """Equal and of one type: Python, unlike Neo4j, takes 1, 1.0 and True for the same."""
    if type(left) is not type(right):
        return False
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return left == right


# Names


def one_way(edges: Json) -> Json:
    """With undirected edges pointing from the lesser name to the greater."""
    return {one_way_name(name): value for name, value in edges.items()}


def one_way_name(name: str) -> str:
    start, _, rest = name.partition(" -[")
    kind, _, end = rest.partition("]-> ")
    return f"{end} -[{kind}]-> {start}" if kind in UNDIRECTED and end < start else name


def label_of(name: str) -> str:
    return name.split(" ", 1)[0]


def ends(edge: str) -> tuple[str, str]:
    start, _, rest = edge.partition(" -[")
    return label_of(start), label_of(rest.partition("]-> ")[2])


def kind_of(edge: str) -> str:
    start, end = ends(edge)
    kind = edge.partition(" -[")[2].partition("]-> ")[0]
    return f"({start})-[{kind}]->({end})"


# Reporting


def report(comparison: Comparison, accepted: list[Json], restricted: bool = False) -> bool:
    """Prints it all; true when nothing is left unexplained."""
    for kind, shares in comparison.shares.items():
        print_shares(kind, shares)
    explained = collections.Counter()
    open_differences = []
    for difference in comparison.differences:
        entry = next((number for number, entry in enumerate(accepted) if explains(entry, difference)), None)
        if entry is None:
            open_differences.append(difference)
        else:
            explained[entry] += 1
    print_accepted(accepted, explained)
    print_differences(open_differences)
    print_sum(comparison, open_differences)
    unused = [] if restricted else [entry for number, entry in enumerate(accepted) if not explained[number]]
    for entry in unused:
        print(f"accepted but not found: {entry['subject']} {entry['verdict']}", file=sys.stderr)
    return not open_differences and not unused


def explains(entry: Json, difference: Difference) -> bool:
    return (
        entry["verdict"] == difference.verdict
        and fnmatch.fnmatchcase(difference.subject, escape(entry["subject"]))
        and fnmatch.fnmatchcase(difference.name, escape(entry.get("where", "*")))
    )


def escape(pattern: str) -> str:
    """Brackets are part of the names of edges and no classes of characters."""
    return pattern.replace("[", "[[]")


def print_shares(kind: str, shares: Json) -> None:
    print(f"\n{kind:58}{'same':>7}{'differ':>8}{'only C.':>9}{'only G.':>9}")
    total = collections.Counter()
    for subject in sorted(shares):
        total.update(shares[subject])
        print_share(subject, shares[subject])
    print_share("all", total)


def print_share(subject: str, counts: Json) -> None:
    every = sum(counts.values()) or 1
    numbers = f"{counts['same']:7}{counts[DIFFERS]:8}{counts[LEFT]:9}{counts[RIGHT]:9}"
    print(f"  {subject:56}{numbers}  {100 * counts['same'] / every:6.2f}%")


def print_accepted(accepted: list[Json], explained: Mapping[int, int]) -> None:
    if explained:
        print("\naccepted differences")
    for number, entry in enumerate(accepted):
        if explained[number]:
            print(f"  {explained[number]:6}  {entry['subject']} {entry['verdict']}: {entry['reason']}")


def print_differences(differences: list[Difference]) -> None:
    print(f"\ndifferences: {len(differences)}" if differences else "\nno differences")
    groups = {}
    for difference in differences:
        groups.setdefault((difference.subject, difference.verdict), []).append(difference)
    for subject, verdict in sorted(groups):
        print_group(subject, verdict, groups[subject, verdict])


def print_sum(comparison: Comparison, open_differences: list[Difference]) -> None:
    counts = [counter for shares in comparison.shares.values() for counter in shares.values()]
    every, same_ones = sum(sum(counter.values()) for counter in counts), sum(counter["same"] for counter in counts)
    differing = {difference.name for difference in comparison.differences}
    unexplained = {difference.name for difference in open_differences}
    print(
        f"{every} nodes and edges: {same_ones} the same, {len(differing - unexplained)} differ as accepted, "
        f"{len(unexplained)} differ otherwise: {100 * (1 - len(unexplained) / (every or 1)):.2f}% parity"
    )


def print_group(subject: str, verdict: str, group: list[Difference]) -> None:
    by_value = collections.OrderedDict()
    for difference in group:
        by_value.setdefault(difference.shown, []).append(difference.name)
    print(f"{subject}: {len(group)} {verdict}")
    for shown, names in list(by_value.items())[:SHOWN_NAMES]:
        examples = ", ".join(names[:SHOWN_NAMES]) + (", …" if len(names) > SHOWN_NAMES else "")
        print(f"    {shown + ' on ' if shown else ''}{examples}")
    if len(by_value) > SHOWN_NAMES:
        print(f"    and {len(by_value) - SHOWN_NAMES} more values")


def show(value: Any) -> str:
    if isinstance(value, dict):
        ((kind, text),) = value.items()
        return f"{text} ({kind})"
    text = json.dumps(value, ensure_ascii=False)
    return f"{text if len(text) <= SHOWN_WIDTH else text[:SHOWN_WIDTH] + '…'} ({type(value).__name__})"


def show_both(left: Any, right: Any) -> str:
    return f"{show(left)} vs {show(right)}"


if __name__ == "__main__":
    sys.exit(main())
