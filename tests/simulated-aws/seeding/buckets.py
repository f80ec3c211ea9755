"""S3 buckets: closed and open by policy and by access control list, encrypted, versioned, logged, in several regions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from . import keys
from .accounts import document

if TYPE_CHECKING:
    from seeding.aws import Aws

PUBLIC = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
EVERYONE = "http://acs.amazonaws.com/groups/global/AllUsers"


def some(aws: Aws, account: str, region: str) -> None:
    """A bucket for logs, and one with every setting that sends its logs there."""
    s3 = aws.client("s3", account, region)
    logs = bucket(s3, f"logs-{account}", region, ACL="log-delivery-write", ObjectOwnership="BucketOwnerPreferred")
    key = keys.key(aws.client("kms", account, region), "buckets")
    orders = bucket(s3, f"orders-{account}", region, ObjectOwnership="BucketOwnerEnforced")
    encrypt(s3, orders, f"arn:aws:kms:{region}:{account}:key/{key}")
    s3.put_bucket_versioning(Bucket=orders, VersioningConfiguration={"Status": "Enabled"})
    s3.put_public_access_block(Bucket=orders, PublicAccessBlockConfiguration=dict.fromkeys(PUBLIC, True))
    s3.put_bucket_logging(
        Bucket=orders, BucketLoggingStatus={"LoggingEnabled": {"TargetBucket": logs, "TargetPrefix": "orders/"}}
    )
    notify(s3, orders, f"arn:aws:sns:{region}:{account}:orders")
    own = f"arn:aws:s3:::{orders}"
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    secure = {"Sid": "Secure", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": [own, f"{own}/*"]}
    app = {"AWS": f"arn:aws:iam::{account}:role/app"}
    read = {"Effect": "Allow", "Principal": app, "Action": ["s3:GetObject"], "Resource": f"{own}/*"}
    s3.put_bucket_policy(Bucket=orders, Policy=document({**secure, "Condition": insecure}, read))


def awkward(aws: Aws, account: str, region: str, other: str) -> None:
    """Open in each way, with policies of each form, encrypted in each way; in a further region; without any setting."""
    s3 = aws.client("s3", account, region)
    opened(s3, account, region)
    policies(s3, account, region, other)
    encrypt(s3, bucket(s3, f"by-alias-{account}", region), "alias/shared")
    encrypt(s3, bucket(s3, f"by-s3-{account}", region), None)
    suspended = bucket(s3, f"suspended.with.dots-{account}", region)
    for status in ("Enabled", "Suspended"):
        s3.put_bucket_versioning(Bucket=suspended, VersioningConfiguration={"Status": status})
    some_blocks = dict(zip(PUBLIC, (True, False, True, False)))
    s3.put_public_access_block(Bucket=suspended, PublicAccessBlockConfiguration=some_blocks)
    notify(s3, suspended, f"arn:aws:sns:{region}:{account}:empty", f"arn:aws:sns:{region}:{account}:shared")
    far = "ap-southeast-2"
    elsewhere = aws.client("s3", account, far)
    bucket(elsewhere, f"far-{account}", far)


def block_public_access(aws: Aws, account: str, *blocked: bool) -> None:
    """The account's own block, for all regions."""
    s3control = aws.client("s3control", account)
    blocks = dict(zip(PUBLIC, blocked))
    s3control.put_public_access_block(AccountId=account, PublicAccessBlockConfiguration=blocks)


def opened(s3: Any, account: str, region: str) -> None:
    """By policy, by each access control list, by both."""
    for name in ("site", "both"):
        made = bucket(s3, f"{name}-{account}", region)
        read = {"Sid": "Öffentlich", "Effect": "Allow", "Principal": "*", "Action": "s3:GetObject"}
        s3.put_bucket_policy(Bucket=made, Policy=document({**read, "Resource": f"arn:aws:s3:::{made}/*"}))
    for name in ("public-read", "public-read-write", "authenticated-read"):
        bucket(s3, f"{name}-{account}", region, ACL=name)
    full, groups = bucket(s3, f"full-control-{account}", region), {"Type": "Group", "URI": EVERYONE}
    for name, permission in ((full, "FULL_CONTROL"), (f"both-{account}", "READ_ACP")):
        grants = [{"Grantee": groups, "Permission": permission}, {"Grantee": user("0123abcd"), "Permission": "READ"}]
        s3.put_bucket_acl(Bucket=name, AccessControlPolicy={"Owner": {"ID": "4567cdef"}, "Grants": grants})


def policies(s3: Any, account: str, region: str, other: str) -> None:
    """Negations, several principals, conditions with text beyond ASCII, a policy with an id."""
    made = bucket(s3, f"policies-{account}", region)
    own = f"arn:aws:s3:::{made}"
    statements = [
        {"Sid": "1", "Effect": "Deny", "NotPrincipal": {"AWS": account}, "NotAction": "s3:List*", "Resource": own},
        {"Effect": "Allow", "Principal": {"AWS": [account, other]}, "Action": "s3:Get*", "NotResource": f"{own}/a"},
        {
            "Sid": "Narrow",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["s3:GetObject", "s3:PutObject"],
            "Resource": [f"{own}/*"],
            "Condition": {
                "IpAddress": {"aws:SourceIp": ["192.0.2.0/24"]},
                "StringLike": {"aws:Referer": "https://büro.example/*"},
            },
        },
    ]
    whole = {"Id": "policy-1", "Version": "2012-10-17", "Statement": statements}
    s3.put_bucket_policy(Bucket=made, Policy=json.dumps(whole, ensure_ascii=False))


def bucket(s3: Any, name: str, region: str, **more: str) -> str:
    """A bucket of this region; its name."""
    where = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
    s3.create_bucket(Bucket=name, **where, **more)
    return name


def encrypt(s3: Any, name: str, key: str | None) -> None:
    default = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key} if key else {"SSEAlgorithm": "AES256"}
    rule = {"ApplyServerSideEncryptionByDefault": default, "BucketKeyEnabled": bool(key)}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})


def notify(s3: Any, name: str, *topics: str) -> None:
    events = [{"Id": topic, "TopicArn": topic, "Events": ["s3:ObjectCreated:*"]} for topic in topics]
    s3.put_bucket_notification_configuration(
        Bucket=name, NotificationConfiguration={"TopicConfigurations": events}, SkipDestinationValidation=True
    )


def user(identity: str) -> dict[str, str]:
    return {"Type": "CanonicalUser", "ID": identity}
