"""Tests of the fields that overlay rules add to moto's answers."""

from __future__ import annotations

import unittest
from typing import Any

from simulated_aws.overlay import Overlay, written_into

EC2 = (
    b'<DescribeImagesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><imagesSet>'
    b"<item><imageId>ami-1</imageId><name>one</name></item><item><imageId>ami-2</imageId><name>two</name></item>"
    b"</imagesSet></DescribeImagesResponse>"
)
QUERY = b'<R xmlns="http://autoscaling.amazonaws.com/doc/2011-01-01/"><member><Name>web</Name></member></R>'


class Rules(unittest.TestCase):
    def written(self, where: dict[str, Any], fields: dict[str, Any], data: bytes = EC2) -> str:
        return written_into(data, [{"where": where, "set": fields}]).decode()

    def test_a_field_is_added_where_the_rule_holds(self) -> None:
        answer = self.written({"imageId": "ami-1"}, {"architecture": "arm64"})
        self.assertIn("<imageId>ami-1</imageId><name>one</name><architecture>arm64</architecture></item>", answer)
        self.assertEqual(answer.count("arm64"), 1)

    def test_a_field_that_is_there_is_replaced(self) -> None:
        answer = self.written({"imageId": "*"}, {"name": "other"})
        self.assertEqual((answer.count("<name>other</name>"), answer.count("<name>")), (2, 2))

    def test_objects_and_lists(self) -> None:
        answer = self.written({"imageId": "ami-2"}, {"tagSet": [{"key": "a", "value": "ä"}]})
        self.assertIn("<tagSet><item><key>a</key><value>ä</value></item></tagSet>", answer)
        answer = self.written({"Name": "web"}, {"Groups": ["sg-1", "sg-2"]}, QUERY)
        self.assertIn("<Groups><member>sg-1</member><member>sg-2</member></Groups>", answer)

    def test_the_namespace_stays_the_default_one(self) -> None:
        answer = self.written({"imageId": "ami-1"}, {"architecture": "arm64"})
        self.assertIn('xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"', answer)
        self.assertNotIn("ns0", answer)

    def test_an_unknown_rule_is_refused(self) -> None:
        for rule in ({"service": "ec2"}, {"service": "ec2", "action": "A", "where": {}, "set": {}, "wher": {}}):
            with self.assertRaises(ValueError):
                Overlay().add([rule])


if __name__ == "__main__":
    unittest.main()
