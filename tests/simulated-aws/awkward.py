#!/usr/bin/env python3
"""Makes a simulated organization awkward, in the ways in which real ones are.

    awkward.py --endpoint http://127.0.0.1:5000 --dir DIR

DIR is what `organization.py` wrote. Needs a Python environment with `boto3`. Afterwards

- the caller is a profile with a name in quotes, and its account, the hub, has no role;
- a member of the organization has no role either, and another one is suspended;
- a service control policy denies one of three regions to every service;
- Inspector is enabled in one of the other two;
- a load balancer is deleted as soon as a survey has listed it.

Prints the environment and the arguments of a `groma sync` of it as JSON.
"""

from __future__ import annotations

import argparse
import configparser
import json
from pathlib import Path
from typing import Any

from seeding.accounts import ALPHA, BETA, HUB, REGIONS, document, trust
from seeding.aws import Aws

PROFILE = "Team Hub"
WITHOUT_ROLE, SUSPENDED = "555555555555", "666666666666"
DENIED_REGION = "eu-central-1"
INSPECTED = REGIONS[0]
GOING = "going"
# How services word a denial, and how all others do.
DENIALS = {
    "ec2": "UnauthorizedOperation",
    "autoscaling": "AccessDenied",
    "elasticloadbalancing": "AccessDenied",
}
DENIAL = "AccessDeniedException"


def main() -> None:
    parser = argparse.ArgumentParser(description="Makes a simulated organization awkward.")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--dir", required=True, type=Path, help="where organization.py wrote its files")
    arguments = parser.parse_args()
    aws = Aws(arguments.endpoint)
    add_accounts(aws)
    add_balancer(aws)
    switch_inspector_off(aws)
    aws.control("/_groma/faults", faults())
    regions = [*REGIONS, DENIED_REGION]
    sync = ["--accounts", "organization", "--regions", ",".join(regions), *external_id(arguments.dir)]
    print(json.dumps({"env": environment(arguments.dir), "arguments": sync}))


def add_accounts(aws: Aws) -> None:
    organizations = aws.client("organizations", HUB)
    aws.control("/_groma/account-ids", [WITHOUT_ROLE, SUSPENDED])
    for name in ("without-role", "suspended"):
        organizations.create_account(Email=f"{name}@example.com", AccountName=name)
    organizations.close_account(AccountId=SUSPENDED)
    # A role that would let the caller in, of an account that is closed.
    role = document(json.loads(trust(AWS=f"arn:aws:iam::{HUB}:root"))["Statement"][0])
    aws.client("iam", SUSPENDED).create_role(RoleName="cartography-read-only", AssumeRolePolicyDocument=role)


def add_balancer(aws: Aws) -> None:
    """One that is there when a survey lists it, and gone when the survey asks for its listeners."""
    subnets = aws.client("ec2", ALPHA, REGIONS[0]).describe_subnets()["Subnets"]
    create = aws.client("elbv2", ALPHA, REGIONS[0]).create_load_balancer
    create(Name=GOING, Subnets=[subnets[0]["SubnetId"]], Scheme="internal", Type="network")
    aws.control("/_groma/deletions", [{"account": ALPHA, "region": REGIONS[0], "load_balancer": GOING}])


def switch_inspector_off(aws: Any) -> None:
    for account in (HUB, ALPHA, BETA):
        for region in REGIONS:
            if region != INSPECTED:
                aws.control("/_groma/inspector2/status", {"account": account, "region": region, "status": "DISABLED"})


def faults() -> list[dict[str, Any]]:
    denied = {"region": DENIED_REGION, "status": 403}
    denied["message"] = (
        "You are not authorized to perform this operation, with an explicit deny in a service control policy"
    )
    some = [{**denied, "service": service, "code": code} for service, code in DENIALS.items()]
    return [*some, {**denied, "code": DENIAL}]


def external_id(folder: Path) -> list[str]:
    config = configparser.ConfigParser()
    config.read(folder / "config")
    ids = [config[section]["external_id"] for section in config.sections() if "external_id" in config[section]]
    return ["--external-id", ids[0]] if ids else []


def environment(folder: Path) -> dict[str, str]:
    """That of the organization, with the hub's keys in a profile of another name."""
    given = json.loads((folder / "env.json").read_text(encoding="utf-8"))
    credentials = configparser.ConfigParser()
    credentials.read(folder / "credentials")
    keys = "".join(f"{name} = {value}\n" for name, value in credentials["hub"].items())
    config = folder / "awkward-config"
    config.touch(mode=0o600)
    config.write_text(f'[profile "{PROFILE}"]\nregion = {REGIONS[0]}\n{keys}', encoding="utf-8")
    nothing = folder / "no-credentials"
    nothing.touch()
    return {
        **given,
        "AWS_PROFILE": PROFILE,
        "AWS_CONFIG_FILE": str(config.resolve()),
        "AWS_SHARED_CREDENTIALS_FILE": str(nothing.resolve()),
    }


if __name__ == "__main__":
    main()
