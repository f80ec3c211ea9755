"""SQS queues: with dead-letter queues, ordered, encrypted, for everyone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from .accounts import document

if TYPE_CHECKING:
    from seeding.aws import Aws


def some(aws: Aws, account: str, region: str) -> None:
    """A queue with its dead-letter queue."""
    sqs = aws.client("sqs", account, region)
    dead = queue(sqs, "orders-dead", MessageRetentionPeriod="1209600")
    queue(sqs, "orders", RedrivePolicy=redrive(dead, 5))


def awkward(aws: Aws, account: str, region: str) -> None:
    """An ordered queue with a key, one for everyone, one whose dead-letter queue is gone, and one that is its own."""
    sqs = aws.client("sqs", account, region)
    ordered = {"FifoQueue": "true", "DeduplicationScope": "messageGroup", "FifoThroughputLimit": "perMessageGroupId"}
    dead = queue(sqs, "ordered-dead.fifo", FifoQueue="true", ContentBasedDeduplication="true")
    key = {"KmsMasterKeyId": f"arn:aws:kms:{region}:{account}:key/1234abcd", "KmsDataKeyReusePeriodSeconds": "600"}
    queue(sqs, "ordered.fifo", RedrivePolicy=redrive(dead, "3"), **ordered, **key)
    everyone = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*", "Principal": "*"}
    own = queue(sqs, "own", DelaySeconds="10", ReceiveMessageWaitTimeSeconds="20")
    more = {"Policy": document(everyone), "RedrivePolicy": redrive(own, 1000)}
    sqs.set_queue_attributes(QueueUrl="own", Attributes=more)
    gone = queue(sqs, "gone")
    queue(sqs, "alone", RedrivePolicy=redrive(gone, 1), VisibilityTimeout="43200")
    sqs.delete_queue(QueueUrl="gone")


def queue(sqs: Any, name: str, **attributes: str) -> str:
    """A queue; its ARN."""
    url = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
    return sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]


def redrive(arn: str, receives: int | str) -> str:
    return json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": receives})
