"""Tests of `compare.py` and of the names in `snapshot.py`: python3 -m unittest discover tests/parity"""

from __future__ import annotations

import contextlib
import copy
import io
import unittest
from typing import Any

import compare
import snapshot

VPC = "AWSVpc vpc-1"
SUBNET = "AWSEC2Subnet subnet-1"
EDGE = f"{SUBNET} -[MEMBER_OF_AWS_VPC]-> {VPC}"
KIND = "(AWSEC2Subnet)-[MEMBER_OF_AWS_VPC]->(AWSVpc)"
GRAPH = {
    "nodes": {
        VPC: {
            "labels": ["AWSVpc", "VirtualNetwork"],
            "properties": {"id": "vpc-1", "size": 1, "tags": ["a", "b"], "made": {"datetime": "2024-01-01T00:00:00Z"}},
        },
        SUBNET: {"labels": ["AWSEC2Subnet"], "properties": {"id": "subnet-1"}},
    },
    "edges": {EDGE: [{"port": 80}]},
    "faults": [],
}


class Differences(unittest.TestCase):
    def setUp(self) -> None:
        self.other = copy.deepcopy(GRAPH)

    def found(self) -> list[tuple[Any, Any, Any]]:
        found = compare.compare(GRAPH, self.other).differences
        return [(difference.subject, difference.verdict, difference.shown) for difference in found]

    def properties(self) -> Any:
        return self.other["nodes"][VPC]["properties"]

    def test_the_same_graph_has_none(self) -> None:
        self.assertEqual(self.found(), [])

    def test_a_missing_node(self) -> None:
        del self.other["nodes"][VPC]
        self.assertEqual(self.found(), [("AWSVpc", "only cartography", "")])

    def test_a_node_too_many(self) -> None:
        self.other["nodes"]["AWSVpc vpc-2"] = {"labels": ["AWSVpc"], "properties": {"id": "vpc-2"}}
        self.assertEqual(self.found(), [("AWSVpc", "only groma", "")])

    def test_a_missing_label_and_one_too_many(self) -> None:
        self.other["nodes"][VPC]["labels"] = ["AWSVpc", "Network"]
        wanted = [("AWSVpc:Network", "only groma", ""), ("AWSVpc:VirtualNetwork", "only cartography", "")]
        self.assertEqual(self.found(), wanted)

    def test_a_missing_property_and_one_too_many(self) -> None:
        del self.properties()["size"]
        self.properties()["state"] = "available"
        wanted = [("AWSVpc.size", "only cartography", "1 (int)"), ("AWSVpc.state", "only groma", '"available" (str)')]
        self.assertEqual(self.found(), wanted)

    def test_each_type_differs_from_each(self) -> None:
        for value, shown in ((1.0, "1.0 (float)"), (True, "true (bool)"), ("1", '"1" (str)'), ([1], "[1] (list)")):
            self.properties()["size"] = value
            self.assertEqual(self.found(), [("AWSVpc.size", "differs", f"1 (int) vs {shown}")])

    def test_a_time_is_not_its_text(self) -> None:
        self.properties()["made"] = "2024-01-01T00:00:00Z"
        shown = '2024-01-01T00:00:00Z (datetime) vs "2024-01-01T00:00:00Z" (str)'
        self.assertEqual(self.found(), [("AWSVpc.made", "differs", shown)])

    def test_lists_have_an_order_and_types(self) -> None:
        self.properties()["tags"] = ["b", "a"]
        self.assertEqual(len(self.found()), 1)
        self.assertFalse(compare.same([1], [1.0]))

    def test_an_edge_that_points_the_other_way(self) -> None:
        self.other["edges"] = {f"{VPC} -[MEMBER_OF_AWS_VPC]-> {SUBNET}": [{"port": 80}]}
        reverse = "(AWSVpc)-[MEMBER_OF_AWS_VPC]->(AWSEC2Subnet)"
        self.assertEqual(self.found(), [(KIND, "only cartography", ""), (reverse, "only groma", "")])

    def test_some_edges_have_no_direction(self) -> None:
        ends = ("AWSEC2KeyPair a", "AWSEC2KeyPair b")
        names = [f"{start} -[MATCHING_FINGERPRINT]-> {end}" for start, end in (ends, ends[::-1])]
        self.assertEqual([compare.one_way_name(name) for name in names], [names[0]] * 2)

    def test_an_edge_with_another_property(self) -> None:
        self.other["edges"][EDGE] = [{"port": "80"}]
        self.assertEqual(self.found(), [(f"{KIND}.port", "differs", '80 (int) vs "80" (str)')])

    def test_parallel_edges_are_counted(self) -> None:
        self.other["edges"][EDGE] = [{"port": 80}, {"port": 81}]
        self.assertEqual(self.found(), [(KIND, "differs", "1 parallel edges vs 2")])

    def test_faults_of_a_graph(self) -> None:
        self.other["faults"] = ["two nodes are AWSVpc vpc-1"]
        self.assertEqual(self.found(), [("graph", "only groma", "")])

    def test_only_some_types(self) -> None:
        some = compare.restrict(GRAPH, {"AWSVpc"})
        self.assertEqual((list(some["nodes"]), some["edges"]), ([VPC], {}))
        self.assertEqual(compare.restrict(GRAPH, {"AWSVpc", "AWSEC2Subnet"}), GRAPH)


class AcceptedList(unittest.TestCase):
    def setUp(self) -> None:
        self.other = copy.deepcopy(GRAPH)
        del self.other["nodes"][VPC]["properties"]["size"]
        del self.other["edges"][EDGE]

    def verdict(self, *accepted: dict[str, Any]) -> bool:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            return compare.report(compare.compare(GRAPH, self.other), [{**entry, "reason": "-"} for entry in accepted])

    def test_every_difference_has_to_be_on_it(self) -> None:
        size = {"subject": "AWSVpc.size", "verdict": "only cartography"}
        edge = {"subject": "(AWSEC2Subnet)-[MEMBER_OF_*]->(*)", "verdict": "only cartography"}
        self.assertFalse(self.verdict())
        self.assertFalse(self.verdict(size))
        self.assertTrue(self.verdict(size, edge))

    def test_an_entry_is_for_one_verdict_and_may_be_for_some_nodes(self) -> None:
        edge = {"subject": KIND, "verdict": "only cartography"}
        self.assertFalse(self.verdict(edge, {"subject": "AWSVpc.size", "verdict": "only groma"}))
        size = {"subject": "AWSVpc.size", "verdict": "only cartography"}
        self.assertTrue(self.verdict(edge, {**size, "where": "AWSVpc vpc-?"}))
        self.assertFalse(self.verdict(edge, {**size, "where": "AWSVpc vpc-2"}))

    def test_an_entry_that_explains_nothing_is_an_error(self) -> None:
        everything = {"subject": "*", "verdict": "only cartography"}
        self.assertTrue(self.verdict(everything))
        self.assertFalse(self.verdict(everything, {"subject": "AWSVpc.gone", "verdict": "differs"}))


class Names(unittest.TestCase):
    def test_the_label_that_names_a_node(self) -> None:
        cases = {
            ("AWSAccount", "Tenant"): "AWSAccount",
            ("AWSPrincipal", "AWSRole", "PermissionRole"): "AWSRole",
            ("AWSPrincipal",): "AWSPrincipal",
            ("AWSIpPermissionInbound", "AWSIpRule", "IpPermissionInbound", "IpRule"): "AWSIpPermissionInbound",
            ("AWSIpRule", "IpRule"): "AWSIpRule",
            ("AWSCidrBlock", "AWSIpv4CidrBlock"): "AWSCidrBlock",
            ("ModuleSyncMetadata", "SyncMetadata"): "ModuleSyncMetadata",
        }
        for labels, primary in cases.items():
            self.assertEqual(snapshot.name_of(list(labels), {"id": "x"}), f"{primary} x")

    def test_a_node_without_id_has_no_name(self) -> None:
        self.assertIsNone(snapshot.name_of(["AWSVpc"], {}))

    def test_what_is_bookkeeping(self) -> None:
        for key in ("firstseen", "lastupdated", "_module_name", "_sub_resource_id"):
            self.assertTrue(snapshot.is_bookkeeping(key))
        for key in ("_ont_name", "id", "firstobservedat"):
            self.assertFalse(snapshot.is_bookkeeping(key))

    def test_temporal_values_are_marked(self) -> None:
        row = {
            "properties": {"made": object(), "size": 1, "lastupdated": 5},
            "temporal": [["made", "ZONED DATETIME NOT NULL", "2024-01-01T00:00:00Z"]],
        }
        self.assertEqual(snapshot.typed(row), {"made": {"datetime": "2024-01-01T00:00:00Z"}, "size": 1})


if __name__ == "__main__":
    unittest.main()
