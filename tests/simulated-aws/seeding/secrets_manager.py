"""Secrets with versions: encrypted with keys, rotated, replicated, scheduled for deletion, owned by a service."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from . import keys
from .aws import tags
from .planted import PLANTED

if TYPE_CHECKING:
    from seeding.aws import Aws


def some(aws: Aws, account: str, region: str) -> None:
    """A secret with a key of the account and two versions, and one with the key that AWS manages."""
    manager = aws.client("secretsmanager", account, region)
    key = keys.key(aws.client("kms", account, region), "secrets")
    secret(manager, "orders/password", KmsKeyId=f"arn:aws:kms:{region}:{account}:key/{key}", Description="für orders")
    version(manager, "orders/password", 2)
    secret(manager, "plain")


def awkward(aws: Aws, account: str, region: str, other: str) -> None:
    """Rotation, a replica in another region, versions of each stage, a key by its alias, a secret without a value."""
    manager = aws.client("secretsmanager", account, region)
    rotation = f"arn:aws:lambda:{region}:{account}:function:rotate"
    secret(manager, "rotated")
    manager.rotate_secret(
        SecretId="rotated",
        ClientRequestToken=token("rotated", 2),
        RotationLambdaARN=rotation,
        RotationRules={"AutomaticallyAfterDays": 30},
    )
    secret(manager, "replicated", AddReplicaRegions=[{"Region": other}])
    secret(manager, "staged", KmsKeyId="alias/shared")
    for number, stages in enumerate((["AWSCURRENT"], ["AWSPENDING"], ["AWSCURRENT", "mine"], ["AWSCURRENT"]), 2):
        version(manager, "staged", number, VersionStages=stages)
    secret(manager, "rds!cluster", Tags=tags(aws__secretsmanager__owningService="rds"))
    manager.create_secret(Name="without-a-value", ClientRequestToken=token("without-a-value", 1))
    secret(manager, "leaving")
    manager.delete_secret(SecretId="leaving", RecoveryWindowInDays=30)


def secret(manager: Any, name: str, **more: Any) -> None:
    manager.create_secret(Name=name, SecretString=f"{PLANTED}-in-{name}", ClientRequestToken=token(name, 1), **more)


def version(manager: Any, name: str, number: int, **more: Any) -> None:
    value = f"{PLANTED}-{number}-in-{name}"
    manager.put_secret_value(SecretId=name, SecretString=value, ClientRequestToken=token(name, number), **more)


def token(name: str, number: int) -> str:
    """Id of a version. Without it, the SDK would draw one that differs in every run."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{name}/{number}"))
