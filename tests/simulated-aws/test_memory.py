import unittest
from typing import Any

from moto.core.serialize import EC2Serializer, ResponseSerializer, XFormedAttributePicker
from moto.core.utils import get_service_model
from simulated_aws import memory


class Vpc:
    """As moto has them: a short name for `VpcId`, and names with underscores."""

    id = "vpc-1"
    cidr_block = "10.0.0.0/16"
    tags = []


class KnownNames(unittest.TestCase):
    OBJECTS = (Vpc(), {"VpcId": "vpc-2", "Tags": [{"Key": "a"}], "State": "available"}, {"vpc_id": "vpc-3"}, Vpc())

    def setUp(self) -> None:
        operation: Any = get_service_model("ec2").operation_model("DescribeVpcs")
        changed = {"Vpcs.Vpc.Tags": lambda value: value or None, "Elsewhere.State": lambda _: "changed"}
        picker = XFormedAttributePicker(response_transformers=changed)
        self.serializer = EC2Serializer(operation_model=operation, value_picker=picker)
        self.serializer.path += ["Vpcs", "Vpc"]
        vpc = operation.output_shape.members["Vpcs"].member
        for shape in vpc.members.values():
            shape.parent = vpc
        self.members = vpc.members

    def test_a_value_is_found_where_moto_finds_it(self) -> None:
        search = ResponseSerializer.get_value
        known = memory.by_known_names(search)
        for obj in self.OBJECTS:
            for key, shape in self.members.items():
                expected = search(self.serializer, obj, key, shape)
                self.assertEqual(known(self.serializer, obj, key, shape), expected, (obj, key))

    def test_names_differ_by_the_kind_of_object(self) -> None:
        known = memory.by_known_names(ResponseSerializer.get_value)
        ids = [known(self.serializer, obj, "VpcId", self.members["VpcId"]) for obj in self.OBJECTS]
        self.assertEqual(ids, ["vpc-1", "vpc-2", "vpc-3", "vpc-1"])
        tags = [known(self.serializer, obj, "Tags", self.members["Tags"]) for obj in self.OBJECTS[:2]]
        self.assertEqual(tags, [None, [{"Key": "a"}]])


if __name__ == "__main__":
    unittest.main()
