"""Managed nodes, their patches, and parameters as SSM lists them.

moto has no managed nodes. It lists ten parameters on each page, without their ARNs and with policies that have no type.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from moto.core.exceptions import JsonRESTError
from moto.core.utils import unix_time
from moto.ssm.responses import SimpleSystemManagerResponse
from moto.ssm.utils import parameter_arn

from . import patches

if TYPE_CHECKING:
    from simulated_aws.gaps import Extras

Json = dict[str, Any]

# Fields of a node that the seeding gives and DescribeInstanceInformation does not.
OWN = ("Patches", "IsGone")


class InvalidInstanceId(JsonRESTError):
    """Not in AWS's words: nothing may depend on them."""

    def __init__(self) -> None:
        super().__init__("InvalidInstanceId", "The node does not run.")


def fill(extras: Extras) -> None:
    def page(response: Any, name: str, items: list[Json], most: int) -> str:
        token, size = response._get_param("NextToken"), response._get_param("MaxResults")
        shown, more = extras.pages.part(items, token, size, most)
        return json.dumps({name: shown, "NextToken": more})

    def nodes_of(response: Any) -> list[Json]:
        return extras.managed_nodes.get((response.current_account, response.region), [])

    def describe_instance_information(response: Any) -> str:
        filters = response._get_param("Filters") or []
        wanted = [set(it["Values"]) for it in filters if it["Key"] == "InstanceIds"]
        shown = [
            {name: value for name, value in node.items() if name not in OWN}
            for node in nodes_of(response)
            if all(node["InstanceId"] in ids for ids in wanted)
        ]
        return page(response, "InstanceInformationList", shown, 50)

    def describe_instance_patches(response: Any) -> str:
        asked = response._get_param("InstanceId")
        node = next((node for node in nodes_of(response) if node["InstanceId"] == asked), {})
        if node.get("IsGone"):
            raise InvalidInstanceId()
        return page(response, "Patches", node.get("Patches", []), 100)

    def describe_parameters(response: Any) -> str:
        filters, wanted = response._get_param("Filters"), response._get_param("ParameterFilters")
        found = response.ssm_backend.describe_parameters(filters, wanted)
        shown = [described(parameter, response.current_account, response.region) for parameter in found]
        return page(response, "Parameters", shown, 50)

    patches.replace(SimpleSystemManagerResponse, "describe_instance_information", describe_instance_information)
    patches.replace(SimpleSystemManagerResponse, "describe_instance_patches", describe_instance_patches)
    patches.replace(SimpleSystemManagerResponse, "describe_parameters", describe_parameters)


def described(parameter: Any, account: str, region: str) -> Json:
    """Metadata of a parameter, without its value."""
    policies = json.loads(parameter.policies or "[]")
    metadata = {
        "Name": parameter.name,
        "ARN": parameter_arn(account, region, parameter.name),
        "Type": parameter.parameter_type,
        "KeyId": parameter.keyid,
        "LastModifiedDate": unix_time(parameter.last_modified_date),
        "LastModifiedUser": f"arn:aws:iam::{account}:user/operator",
        "Description": parameter.description,
        "AllowedPattern": parameter.allowed_pattern,
        "Version": parameter.version,
        "Tier": parameter.tier,
        "Policies": [
            {"PolicyText": json.dumps(policy), "PolicyType": policy["Type"], "PolicyStatus": "Pending"}
            for policy in policies
        ],
        "DataType": parameter.data_type,
    }
    return {name: value for name, value in metadata.items() if value is not None}
