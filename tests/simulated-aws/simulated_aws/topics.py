"""Subscriptions of SNS as AWS lists them: some have no ARN until they are confirmed, and their topic counts them."""

from __future__ import annotations

from typing import Any

from moto.sns.models import SNSBackend

from . import patches

# Protocols whose endpoints confirm a subscription themselves.
CONFIRMED_LATER = ("email", "email-json", "http", "https")


def fill() -> None:
    subscribe = SNSBackend.subscribe

    def subscribe_and_count(backend: Any, *arguments: Any, **named: Any) -> Any:
        known = len(backend.subscriptions)
        subscription: Any = subscribe(backend, *arguments, **named)
        if len(backend.subscriptions) == known:
            return subscription
        if subscription.protocol in CONFIRMED_LATER:
            subscription.arn = "PendingConfirmation"
            subscription.topic.subscriptions_pending += 1
        else:
            subscription.topic.subscriptions_confimed += 1
        return subscription

    patches.replace(SNSBackend, "subscribe", subscribe_and_count)
