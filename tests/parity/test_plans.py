"""Which plans are called scanning."""

from __future__ import annotations

import unittest
from typing import Any

from plans import scanning

Json = dict[str, Any]


def plan(kind: str, *children: Json, details: str = "n:A") -> Json:
    return {"operatorType": f"{kind}@neo4j", "args": {"Details": details}, "children": children}


class Scanning(unittest.TestCase):
    def check(self, tree: Json, often: bool, expected: list[str]) -> None:
        self.assertEqual(list(scanning(tree, often)), expected)

    def test_a_label_may_be_looked_at_once_in_a_sync(self) -> None:
        once = plan("ProduceResults", plan("Apply", plan("NodeByLabelScan"), plan("NodeIndexSeek")))
        self.check(once, False, [])
        self.check(once, True, ["NodeByLabelScan n:A"])

    def test_but_not_again_for_each_row(self) -> None:
        each = plan("ProduceResults", plan("SemiApply", plan("Argument"), plan("Filter", plan("NodeByLabelScan"))))
        self.check(each, False, ["NodeByLabelScan n:A"])

    def test_and_the_whole_graph_never(self) -> None:
        self.check(plan("ProduceResults", plan("AllNodesScan")), False, ["AllNodesScan n:A"])

    def test_except_for_a_number_of_elements(self) -> None:
        self.check(plan("Aggregation", plan("Limit", plan("AllNodesScan"))), False, [])
        self.check(plan("Limit", plan("Filter", plan("AllNodesScan"))), False, ["AllNodesScan n:A"])
        self.check(plan("Limit", plan("AllNodesScan")), True, ["AllNodesScan n:A"])

    def test_an_id_is_sought_and_not_compared(self) -> None:
        compared = plan("Filter", plan("Expand(All)"), details="id(t) = row[$autoint_1]")
        self.check(compared, True, ["Filter id(t) = row[$autoint_1]"])
        self.check(plan("NodeByIdSeek", details="t WHERE id(t) = row[$autoint_1]"), True, [])
        self.check(plan("Filter", details="n.id = $p.id"), True, [])


if __name__ == "__main__":
    unittest.main()
