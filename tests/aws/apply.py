#!/usr/bin/env python3
"""Makes an organization in a simulated AWS whose roles come from deploy/aws, and prints how a broker gets in.

    apply.py --endpoint URL --with cloudformation|terraform|stackset --dir DIR [--external-id ID]

The hub's role is that of a Kubernetes service account (web identity), as the chart in deploy/helm runs the broker. Answers on
standard output: {"env": {…}, "accounts": [{"name", "id"}, …]}.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests" / "simulated-aws"))

import hcl
from seeding.aws import Aws

Json = dict[str, Any]

DEPLOY = ROOT / "deploy" / "aws"
HUB = "111111111111"
SPOKES = {"alpha": "222222222222", "beta": "333333333333"}
REGION = "us-east-1"
ISSUER = "oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF"
PROVIDER = f"arn:aws:iam::{HUB}:oidc-provider/{ISSUER}"


def main() -> None:
    arguments = parse_arguments()
    aws = Aws(arguments.endpoint)
    aws.client("iam", HUB).create_open_id_connect_provider(
        Url=f"https://{ISSUER}", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["0" * 40]
    )
    hub_role = {"cloudformation": hub_stack, "stackset": hub_stack, "terraform": hub_module}[arguments.tool](aws)
    if arguments.tool == "cloudformation":
        for account in SPOKES.values():
            stack(aws, account, "spoke.yaml", HubRoleArn=hub_role, ExternalId=arguments.external_id)
    elif arguments.tool == "stackset":
        spoke_stackset(aws, hub_role, arguments.external_id)
    else:
        for account in SPOKES.values():
            spoke_module(aws, account, hub_role, arguments.external_id)
    environment = write_files(Path(arguments.dir), arguments.endpoint, hub_role, arguments.external_id)
    accounts = [{"name": name, "id": account} for name, account in SPOKES.items()]
    print(json.dumps({"env": environment, "accounts": accounts}))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Applies deploy/aws to a simulated AWS.")
    parser.add_argument("--endpoint", required=True)
    parser.add_argument("--with", dest="tool", required=True, choices=["cloudformation", "stackset", "terraform"])
    parser.add_argument("--dir", required=True, help="where AWS files and the token go")
    parser.add_argument("--external-id", default="")
    return parser.parse_args()


# CloudFormation


def hub_stack(aws: Aws) -> str:
    return stack(aws, HUB, "hub.yaml", TrustedBy="WebIdentity", OidcProviderHost=ISSUER)


def stack(aws: Aws, account: str, template: str, **parameters: str) -> str:
    cloudformation = aws.client("cloudformation", account, REGION)
    name = template.partition(".")[0]
    cloudformation.create_stack(
        StackName=name,
        TemplateBody=(DEPLOY / "cloudformation" / template).read_text(encoding="utf-8"),
        Parameters=listed(parameters),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    made = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    return {output["OutputKey"]: output["OutputValue"] for output in made["Outputs"]}["RoleArn"]


def spoke_stackset(aws: Aws, hub_role: str, external_id: str) -> None:
    """moto has no service-managed instances (by unit), so the accounts are named."""
    cloudformation = aws.client("cloudformation", HUB, REGION)
    cloudformation.create_stack_set(
        StackSetName="groma-spokes",
        TemplateBody=(DEPLOY / "cloudformation" / "spoke.yaml").read_text(encoding="utf-8"),
        Parameters=listed({"HubRoleArn": hub_role, "ExternalId": external_id}),
        Capabilities=["CAPABILITY_NAMED_IAM"],
    )
    cloudformation.create_stack_instances(StackSetName="groma-spokes", Accounts=list(SPOKES.values()), Regions=[REGION])


def listed(parameters: Mapping[str, str]) -> list[Json]:
    return [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()]


# Terraform


def hub_module(aws: Aws) -> str:
    variables = {"oidc_provider_arn": PROVIDER, "oidc_provider_host": ISSUER}
    return module(aws, HUB, "hub", variables, "hub", ["trust", "permissions"])


def spoke_module(aws: Aws, account: str, hub_role: str, external_id: str) -> str:
    variables = {"hub_role_arn": hub_role, "external_id": external_id}
    return module(aws, account, "spoke", variables, "spoke", ["trust", "managed_policies"])


def module(aws: Aws, account: str, folder: str, variables: Json, role: str, policies: list[str]) -> str:
    known = {"data.aws_partition.current.partition": "aws"}
    rendered = hcl.Module(DEPLOY / "terraform" / folder, variables, known)
    compare(rendered, hcl.terraform(rendered.folder, variables, "aws", policies))
    iam = aws.client("iam", account)
    made = {}
    for kind, name, attributes in rendered.resources():
        made[kind] = CREATE[kind](iam, attributes)
        if kind == "aws_iam_role":
            arn, id_ = made[kind]["Role"]["Arn"], attributes["name"]
            known |= {f"{kind}.{name}.arn": arn, f"{kind}.{name}.id": id_, f"{kind}.{name}.name": id_}
    return known[f"aws_iam_role.{role}.arn"]


def compare(rendered: Any, terraform: Json | None) -> None:
    """Holds our evaluation against terraform's own, where there is one."""
    if terraform is None:
        print("no terraform is installed: its modules were evaluated by tests/aws/hcl.py alone", file=sys.stderr)
        return
    for name, value in terraform.items():
        ours = rendered.local(name)
        if plain(ours) != plain(value):
            raise SystemExit(f"{rendered.folder.name}: local.{name} is {ours!r}, and terraform has {value!r}")


def plain(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) and value.startswith("{") else value


def create_role(iam: Any, it: Json) -> Any:
    return iam.create_role(
        RoleName=it["name"],
        Description=it["description"],
        AssumeRolePolicyDocument=it["assume_role_policy"],
        MaxSessionDuration=it.get("max_session_duration", 3600),
        Tags=[{"Key": key, "Value": value} for key, value in it["tags"].items()],
    )


CREATE = {
    "aws_iam_role": create_role,
    "aws_iam_role_policy": lambda iam, it: iam.put_role_policy(
        RoleName=it["role"], PolicyName=it["name"], PolicyDocument=it["policy"]
    ),
    "aws_iam_role_policy_attachment": lambda iam, it: iam.attach_role_policy(
        RoleName=it["role"], PolicyArn=it["policy_arn"]
    ),
}


# The way in


def write_files(folder: Path, endpoint: str, hub_role: str, external_id: str) -> dict[str, str]:
    folder.mkdir(parents=True, exist_ok=True)
    token = folder / "token"
    token.write_text("a.service.account's.token", encoding="utf-8")
    lines = ["[default]", f"region = {REGION}", f"role_arn = {hub_role}", f"web_identity_token_file = {token}"]
    for name, account in SPOKES.items():
        lines += [f"[profile {name}]", f"role_arn = arn:aws:iam::{account}:role/cartography-read-only"]
        lines += ["source_profile = default", f"region = {REGION}"]
        lines += [f"external_id = {external_id}"] if external_id else []
    (folder / "config").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        "AWS_CONFIG_FILE": str(folder / "config"),
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


if __name__ == "__main__":
    main()
