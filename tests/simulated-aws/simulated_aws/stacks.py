"""CloudFormation as AWS has it where moto falls short: items of a list that are AWS::NoValue go, and a role gets its managed
policies.
"""

from __future__ import annotations

from typing import Any

from moto.cloudformation import parsing
from moto.iam.models import Role, iam_backends

from . import patches


def fill() -> None:
    clean, create = parsing.clean_json, Role.create_from_cloudformation_json.__func__

    def clean_json(resource: dict[str, Any], resources: Any) -> Any:
        cleaned = clean(resource, resources)
        return [item for item in cleaned if item is not None] if isinstance(cleaned, list) else cleaned

    def create_role(
        cls: type[Role],
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **more: Any,
    ) -> Role:
        role = create(cls, resource_name, cloudformation_json, account_id, region_name, **more)
        for arn in cloudformation_json["Properties"].get("ManagedPolicyArns", []):
            iam_backends[account_id][arn.split(":")[1]].attach_role_policy(arn, role.name)
        return role

    patches.replace(parsing, "clean_json", clean_json)
    patches.replace(Role, "create_from_cloudformation_json", classmethod(create_role))
