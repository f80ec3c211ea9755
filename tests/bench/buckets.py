"""The token buckets that AWS publishes, for an AWS that enforces them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

# Calls at once and calls a second, for each account and region. AWS: "Request throttling for the Amazon EC2 API",
# "Request throttling for the Elastic Load Balancing API", "IAM and AWS STS quotas".
EC2 = (100, 20)
EC2_WITHOUT_PAGES = (50, 10)
EC2_REFERENCES = (20, 5)
ELB = (40, 10)
STS = (600, 600)

REFERENCES = {b"DescribeStaleSecurityGroups", b"DescribeSecurityGroupReferences"}
# With a smaller bucket for calls that have neither a filter nor a page size.
PAGED = {
    b"DescribeInstances",
    b"DescribeInstanceStatus",
    b"DescribeNetworkInterfaces",
    b"DescribeSecurityGroups",
    b"DescribeSnapshots",
    b"DescribeSpotInstanceRequests",
    b"DescribeVolumes",
}

REFUSED_BY_EC2 = b"""<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>Request limit exceeded.</Message></Error></Errors>\
<RequestID>00000000-0000-0000-0000-000000000000</RequestID></Response>"""
REFUSED_BY_OTHERS = b"""<ErrorResponse><Error><Type>Sender</Type><Code>Throttling</Code><Message>Rate exceeded</Message></Error>\
<RequestId>00000000-0000-0000-0000-000000000000</RequestId></ErrorResponse>"""


@dataclass
class Bucket:
    tokens: float
    filled: float


class Buckets:
    """All buckets, full at first."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self.now = now
        self.buckets = {}

    def take(self, account: bytes, region: bytes, service: bytes, body: bytes) -> tuple[int, bytes] | None:
        """The status and the body with which AWS refuses the call; none when it lets it pass."""
        holder, size = bucket_of(service, body)
        if holder is None or size is None:
            return None
        most, rate = size
        now = self.now()
        bucket = self.buckets.setdefault((account, region, service, holder), Bucket(most, now))
        bucket.tokens = min(most, bucket.tokens + (now - bucket.filled) * rate)
        bucket.filled = now
        if bucket.tokens < 1:
            return (503, REFUSED_BY_EC2) if service == b"ec2" else (400, REFUSED_BY_OTHERS)
        bucket.tokens -= 1
        return None


def bucket_of(service: bytes, body: bytes) -> tuple[bytes | None, tuple[float, float] | None]:
    """Which calls share the bucket of this one, and its size; no bucket where AWS publishes none."""
    split = (field.partition(b"=") for field in body.split(b"&"))
    fields = {name: value for name, _, value in split}
    action = fields.get(b"Action")
    if action is None:
        return None, None
    if service == b"ec2":
        if action in REFERENCES:
            return action, EC2_REFERENCES
        is_paged = any(name == b"MaxResults" or name.startswith(b"Filter.") for name in fields)
        return action, EC2_WITHOUT_PAGES if action in PAGED and not is_paged else EC2
    if service == b"elasticloadbalancing":
        return fields.get(b"Version"), ELB
    if service == b"sts":
        return action, STS
    return None, None
