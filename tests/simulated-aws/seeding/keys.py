"""KMS keys with aliases and grants: closed and open to everyone, enabled and not, for each use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .accounts import document

if TYPE_CHECKING:
    from seeding.aws import Aws


def some(aws: Aws, account: str, region: str) -> None:
    """A key of the account with an alias and a grant, and one that AWS manages."""
    kms = aws.client("kms", account, region)
    orders = key(kms, "orders")
    grant(kms, orders, account, "volumes", "Decrypt", "CreateGrant")
    # moto makes a predefined alias's key when it is first asked for.
    kms.describe_key(KeyId="alias/aws/s3")


def awkward(aws: Aws, account: str, region: str) -> None:
    """Policies for everyone and for all callers of one account; keys of each use and state."""
    kms = aws.client("kms", account, region)
    root = {"Effect": "Allow", "Action": "kms:*", "Resource": "*", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}}
    everyone = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": "*", "Principal": "*"}
    callers = {"StringEquals": {"kms:CallerAccount": account, "kms:ViaService": f"s3.{region}.amazonaws.com"}}
    shared = key(kms, "shared", Policy=document(root, everyone), Description="Für alle")
    for number in range(3):
        grant(kms, shared, account, f"job-{number}", "GenerateDataKey")
    kms.create_alias(AliasName="alias/shared/too", TargetKeyId=shared)
    key(kms, "via-s3", Policy=document(root, {**everyone, "Condition": callers}))
    key(kms, "signing", KeyUsage="SIGN_VERIFY", KeySpec="ECC_NIST_P256")
    key(kms, "mac", KeyUsage="GENERATE_VERIFY_MAC", KeySpec="HMAC_256")
    key(kms, "imported", Origin="EXTERNAL")
    kms.disable_key(KeyId=key(kms, "disabled"))
    kms.schedule_key_deletion(KeyId=key(kms, "leaving"), PendingWindowInDays=30)


def key(kms: Any, name: str, **more: Any) -> str:
    """A key that the alias of this name belongs to; its id."""
    made = kms.create_key(**{"Description": name, **more})["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=made)
    return made


def grant(kms: Any, key_id: str, account: str, name: str, *operations: str) -> None:
    principal = f"arn:aws:iam::{account}:role/app"
    kms.create_grant(KeyId=key_id, GranteePrincipal=principal, Name=name, Operations=list(operations))
