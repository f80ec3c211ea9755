"""Managed nodes with patches, and parameters of each type and with each kind of key."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import keys
from .planted import PLANTED

if TYPE_CHECKING:
    from seeding.aws import Aws

Json = dict[str, Any]

# Seconds since the Unix epoch, with a fraction as AWS gives some.
SEEN, REGISTERED = 1709294400.123, 1700000000.0
NEVER = 0
# More than a page of nodes, of a node's patches and of parameters.
NODES, PATCHES, PARAMETERS = 55, 105, 55


def some(aws: Aws, account: str, region: str) -> None:
    """A node with patches, one without, and a hybrid one; a secret, a list and a text."""
    instances = running(aws, account, region)[:2]
    nodes = [node(instance) for instance in instances] + [hybrid(account, 0, Patches=[kernel()])]
    nodes[0]["Patches"] = [kernel(), patch("bash.x86_64:0:5.2.15", "bash.x86_64", "INSTALLED")]
    put(aws, account, region, nodes)
    ssm, key = aws.client("ssm", account, region), keys.key(aws.client("kms", account, region), "parameters")
    parameter(ssm, "/orders/password", "SecureString", KeyId=f"arn:aws:kms:{region}:{account}:key/{key}")
    parameter(ssm, "/orders/hosts", "StringList", Description="für orders")
    parameter(ssm, "url", "String")
    # Its key is that of an alias that AWS predefines; moto makes the key when it is first asked for.
    parameter(ssm, "/orders/token", "SecureString")
    aws.client("kms", account, region).describe_key(KeyId="alias/aws/ssm")


def awkward(aws: Aws, account: str, region: str) -> None:
    """Nodes without most fields and those that are gone; patches without a title; each way to name a key."""
    windows, bare, lost, *others = running(aws, account, region)[: NODES - 5]
    nodes = [
        node(windows, PlatformType="Windows", PlatformName="Windows Server 2022", Patches=of_windows()),
        {"InstanceId": bare, "PingStatus": "Online", "ResourceType": "EC2Instance"},
        node(lost, PingStatus="ConnectionLost", AssociationStatus="Failed", IsLatestVersion=False),
        *(node(instance) for instance in others),
        hybrid(account, 1, Patches=[kernel()]),
        hybrid(account, 2, IsGone=True),
        hybrid(account, 3, Name="sensor", SourceId="sensor", SourceType="AWS::IoT::Thing"),
        # No EC2 instance has this id any longer.
        node("i-0123456789abcdef0", Patches=[kernel()]),
        node("i-0123456789abcdef1"),
    ]
    put(aws, account, region, nodes)
    parameters(aws, account, region)


def parameters(aws: Aws, account: str, region: str) -> None:
    ssm, kms = aws.client("ssm", account, region), aws.client("kms", account, region)
    key = keys.key(kms, "more-parameters")
    alias = f"arn:aws:kms:{region}:{account}:alias/more-parameters"
    names = {"id": key, "alias": "alias/more-parameters", "alias-arn": alias, "no-alias": "alias/unknown"}
    for name, key_id in names.items():
        parameter(ssm, f"/keys/{name}", "SecureString", KeyId=key_id)
    expiration = {"Type": "Expiration", "Version": "1.0", "Attributes": {"Timestamp": "2030-01-01T00:00:00Z"}}
    parameter(ssm, "/expiring", "String", Description="für später", Tier="Advanced", Policies=json.dumps([expiration]))
    parameter(ssm, "/image", "String", DataType="aws:ec2:image", AllowedPattern="^planted.*$")
    parameter(ssm, "/image", "String", Overwrite=True)
    for number in range(PARAMETERS):
        parameter(ssm, f"/many/{number:02}", "String")


def running(aws: Aws, account: str, region: str) -> list[str]:
    """Ids of the running instances, in the order of their start."""
    running = [{"Name": "instance-state-name", "Values": ["running"]}]
    reservations = aws.client("ec2", account, region).describe_instances(Filters=running)["Reservations"]
    return [instance["InstanceId"] for reservation in reservations for instance in reservation["Instances"]]


def put(aws: Aws, account: str, region: str, nodes: list[Json]) -> None:
    aws.control("/_groma/ssm/nodes", {"account": account, "region": region, "nodes": nodes})


def node(instance: str, **more: object) -> Json:
    """A managed EC2 instance."""
    return {
        "InstanceId": instance,
        "PingStatus": "Online",
        "LastPingDateTime": SEEN,
        "AgentVersion": "3.2.1705.0",
        "IsLatestVersion": True,
        "PlatformType": "Linux",
        "PlatformName": "Amazon Linux",
        "PlatformVersion": "2023",
        "ResourceType": "EC2Instance",
        "IPAddress": "10.0.0.7",
        "ComputerName": f"{instance}.example.com",
        "AssociationStatus": "Success",
        "LastAssociationExecutionDate": SEEN,
        "LastSuccessfulAssociationExecutionDate": SEEN,
        "SourceId": instance,
        "SourceType": "AWS::EC2::Instance",
        **more,
    }


def hybrid(account: str, number: int, **more: object) -> Json:
    """A server that is no EC2 instance."""
    own = {
        "ActivationId": "12345678-1234-1234-1234-123456789012",
        "IamRole": "managed",
        "RegistrationDate": REGISTERED,
        "ResourceType": "ManagedInstance",
        "Name": "Büro",
        "SourceType": "AWS::SSM::ManagedInstance",
    }
    return {**node(f"mi-{account}{number:05}"), **own, **more}


def patch(title: str, kb_id: str, state: str, **more: object) -> Json:
    known = {"Title": title, "KBId": kb_id, "Classification": "Security", "Severity": "Important", "State": state}
    return {**known, "InstalledTime": SEEN, **more}


def kernel() -> Json:
    cves = "CVE-2024-1085,CVE-2024-1086"
    return patch("kernel.x86_64:0:6.1.77", "kernel.x86_64", "MISSING", CVEIds=cves, InstalledTime=NEVER)


def of_windows() -> list[Json]:
    """One that its baseline names, and many that it does not."""
    nameless = {"Classification": "", "Severity": "", "InstalledTime": NEVER}
    update = patch("2024-02 Cumulative Update (KB5034770)", "KB5034770", "INSTALLED_PENDING_REBOOT")
    return [update, *(patch("", f"KB{5_000_000 + it}", "NOT_APPLICABLE", **nameless) for it in range(PATCHES))]


def parameter(ssm: Any, name: str, kind: str, **more: object) -> None:
    ssm.put_parameter(Name=name, Type=kind, Value=f"{PLANTED}-in-{name}", **more)
