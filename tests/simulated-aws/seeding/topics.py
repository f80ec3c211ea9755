"""SNS topics with subscriptions: confirmed and not, of other accounts, ordered, encrypted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .accounts import document

if TYPE_CHECKING:
    from seeding.aws import Aws


def some(aws: Aws, account: str, region: str) -> None:
    """A topic with a subscription that is confirmed and two that are not."""
    sns = aws.client("sns", account, region)
    orders = topic(sns, "orders", DisplayName="Bestellungen für alle")
    subscribe(sns, orders, "sqs", f"arn:aws:sqs:{region}:{account}:orders")
    subscribe(sns, orders, "email", "operator@example.com")
    subscribe(sns, orders, "https", "https://example.com/orders?from=sns")


def awkward(aws: Aws, account: str, region: str, other: str) -> None:
    """A topic without subscriptions, one for everyone, one with an order and a key; another account subscribes to it."""
    sns = aws.client("sns", account, region)
    topic(sns, "empty")
    everyone = {"Effect": "Allow", "Action": "sns:Publish", "Resource": "*", "Principal": "*"}
    shared = topic(sns, "shared", Policy=document(everyone), KmsMasterKeyId="alias/aws/sns")
    retries = '{"http":{"defaultHealthyRetryPolicy":{"minDelayTarget":5,"maxDelayTarget":20,"numRetries":3}}}'
    sns.set_topic_attributes(TopicArn=shared, AttributeName="DeliveryPolicy", AttributeValue=retries)
    ordered = topic(
        sns, "ordered.fifo", FifoTopic="true", KmsMasterKeyId=f"arn:aws:kms:{region}:{account}:key/1234abcd"
    )
    theirs = aws.client("sns", other, region)
    for arn in (shared, ordered):
        subscribe(theirs, arn, "sqs", f"arn:aws:sqs:{region}:{other}:theirs{'.fifo' if arn == ordered else ''}")
    subscribe(theirs, shared, "email", "operator@example.com")
    # Its topic is gone; the subscription of the other account stays for a while.
    gone = topic(sns, "gone")
    subscribe(theirs, gone, "lambda", f"arn:aws:lambda:{region}:{other}:function:late")
    sns.delete_topic(TopicArn=gone)


def topic(sns: Any, name: str, **attributes: str) -> str:
    return sns.create_topic(Name=name, Attributes=attributes)["TopicArn"]


def subscribe(sns: Any, arn: str, protocol: str, endpoint: str) -> None:
    sns.subscribe(TopicArn=arn, Protocol=protocol, Endpoint=endpoint)
