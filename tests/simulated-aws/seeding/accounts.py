"""The organization: a hub, its spokes with the documented read-only role, and the AWS files of the hub's user."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from seeding.aws import Aws


REGIONS = ("us-east-1", "eu-west-1")
HUB = "111111111111"
ALPHA = "222222222222"
BETA = "333333333333"
GAMMA = "444444444444"
# Trusted by roles, but not a member of the organization.
OUTSIDER = "999999999999"
HUB_ROLE = "cartography-service"
SPOKE_ROLE = "cartography-read-only"


class Account(NamedTuple):
    name: str
    id: str
    unit: str
    external_id: str | None = None


class Organization(NamedTuple):
    hub: Account
    spokes: list[Account]
    access_key: dict[str, str]

    @property
    def accounts(self) -> list[Account]:
        return [self.hub, *self.spokes]


def create(aws: Aws, spokes: list[Account]) -> Organization:
    hub = Account("hub", HUB, "Root")
    create_units(aws, spokes)
    key = create_hub_identity(aws, spokes)
    for spoke in spokes:
        create_spoke_role(aws, spoke)
    return Organization(hub, spokes, key)


def create_units(aws: Aws, spokes: list[Account]) -> None:
    organizations = aws.client("organizations", HUB)
    organizations.create_organization(FeatureSet="ALL")
    root = organizations.list_roots()["Roots"][0]["Id"]
    units = {"Root": root}
    for path in sorted({spoke.unit for spoke in spokes}):
        parent = "Root"
        for name in path.split("/"):
            key = f"{parent}/{name}"
            if key not in units:
                made = organizations.create_organizational_unit(ParentId=units[parent], Name=name)
                units[key] = made["OrganizationalUnit"]["Id"]
            parent = key
    aws.control("/_groma/account-ids", [spoke.id for spoke in spokes])
    for spoke in spokes:
        organizations.create_account(Email=f"{spoke.name}@example.com", AccountName=spoke.name)
        organizations.move_account(
            AccountId=spoke.id, SourceParentId=root, DestinationParentId=units[f"Root/{spoke.unit}"]
        )


def create_hub_identity(aws: Aws, spokes: list[Account]) -> dict[str, str]:
    iam = aws.client("iam", HUB)
    targets = [role_arn(spoke) for spoke in spokes]
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": targets}
    iam.create_user(UserName="groma")
    iam.put_user_policy(UserName="groma", PolicyName="assume-read-only", PolicyDocument=document(assume))
    iam.attach_user_policy(UserName="groma", PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    iam.create_role(RoleName=HUB_ROLE, AssumeRolePolicyDocument=trust(Service="ec2.amazonaws.com"))
    iam.put_role_policy(RoleName=HUB_ROLE, PolicyName="assume-read-only", PolicyDocument=document(assume))
    iam.attach_role_policy(RoleName=HUB_ROLE, PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")
    return iam.create_access_key(UserName="groma")["AccessKey"]


def visit(aws: Aws, organization: Organization) -> None:
    """Makes moto's default networks now: it makes them at the first call to a region, with ids by the order of calls."""
    for account in organization.accounts:
        for region in REGIONS:
            aws.client("ec2", account.id, region).describe_vpcs()


def create_spoke_role(aws: Aws, spoke: Account) -> None:
    iam = aws.client("iam", spoke.id)
    condition = {"StringEquals": {"sts:ExternalId": spoke.external_id}} if spoke.external_id else None
    iam.create_role(
        RoleName=SPOKE_ROLE,
        AssumeRolePolicyDocument=trust(condition, AWS=f"arn:aws:iam::{HUB}:root"),
        Description="Read-only survey from the hub account",
        MaxSessionDuration=3600,
    )
    iam.attach_role_policy(RoleName=SPOKE_ROLE, PolicyArn="arn:aws:iam::aws:policy/SecurityAudit")


def role_arn(account: Account) -> str:
    return f"arn:aws:iam::{account.id}:role/{SPOKE_ROLE}"


def trust(condition: dict[str, Any] | None = None, **principal: Any) -> str:
    action = "sts:AssumeRole"
    if "Federated" in principal:
        saml = "saml-provider" in principal["Federated"]
        action = "sts:AssumeRoleWithSAML" if saml else "sts:AssumeRoleWithWebIdentity"
    statement = {"Effect": "Allow", "Principal": principal, "Action": action}
    if condition:
        statement["Condition"] = condition
    return document(statement)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)}, ensure_ascii=False)


def write_files(directory: str | Path, endpoint: str, organization: Organization) -> dict[str, str]:
    os.makedirs(directory, exist_ok=True)
    config = os.path.abspath(os.path.join(directory, "config"))
    credentials = os.path.abspath(os.path.join(directory, "credentials"))
    environment = {
        "AWS_CONFIG_FILE": config,
        "AWS_SHARED_CREDENTIALS_FILE": credentials,
        "AWS_PROFILE": "hub",
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_REGION": REGIONS[0],
        "AWS_DEFAULT_REGION": REGIONS[0],
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    sections = [f"[profile hub]\nregion = {REGIONS[0]}\noutput = json\n"]
    sections += [spoke_profile(spoke) for spoke in organization.spokes]
    write(config, "\n".join(sections))
    key = organization.access_key
    secret = f"aws_access_key_id = {key['AccessKeyId']}\naws_secret_access_key = {key['SecretAccessKey']}\n"
    write(credentials, f"[hub]\n{secret}")
    env_file = os.path.join(os.path.abspath(directory), "env.json")
    write(env_file, json.dumps(environment, indent=2) + "\n")
    return {"config": config, "credentials": credentials, "env": env_file}


def spoke_profile(spoke: Account) -> str:
    lines = [
        f"[profile {spoke.name}]",
        f"role_arn = {role_arn(spoke)}",
        "source_profile = hub",
        f"region = {REGIONS[0]}",
        "output = json",
    ]
    if spoke.external_id:
        lines.append(f"external_id = {spoke.external_id}")
    return "\n".join(lines) + "\n"


def write(path: str, text: str) -> None:
    with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(text)
