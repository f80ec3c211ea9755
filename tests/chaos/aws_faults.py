"""An AWS that fails, throttles, resets, hangs and denies."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from system import System


SERVICES = ("ec2", "iam", "inspector2")
# The answers of AWS that say: slower.
THROTTLED = {
    "ec2": (503, "RequestLimitExceeded"),
    "iam": (400, "Throttling"),
    "inspector2": (429, "ThrottlingException"),
}
# More calls than a survey makes.
ALL = 10_000
REGIONS = ("us-east-1", "eu-west-1")


def server_errors(system: System, draw: random.Random) -> None:
    fault(system, draw, {"status": draw.choice((500, 502, 503)), "code": "InternalError"}, draw.randint(1, 12))


def throttling(system: System, draw: random.Random) -> None:
    service = draw.choice(SERVICES)
    status, code = THROTTLED[service]
    fault(system, draw, {"status": status, "code": code}, draw.randint(5, 30), service)


def resets(system: System, draw: random.Random) -> None:
    fault(system, draw, {"reset": True}, draw.randint(1, 8))


def a_hung_call(system: System, draw: random.Random) -> None:
    fault(system, draw, {"delay_seconds": draw.choice((5, 120))}, 1)


def a_denied_service(system: System, draw: random.Random) -> None:
    """For as long as this survey takes: it must end with something unseen."""
    fault(
        system, draw, {"status": 403, "code": "UnauthorizedOperation" if draw.random() < 0.5 else "AccessDenied"}, ALL
    )


def a_denied_region(system: System, draw: random.Random) -> None:
    denied = {"region": draw.choice(REGIONS), "service": "ec2", "status": 403, "code": "UnauthorizedOperation"}
    system.aws.control("faults", [{**denied, "times": ALL}], method="POST")


def a_hung_region(system: System, draw: random.Random) -> None:
    """Its endpoint of EC2 accepts calls and does not answer."""
    hung = {"region": draw.choice(REGIONS), "service": "ec2", "delay_seconds": 120, "times": ALL}
    system.aws.control("faults", [hung], method="POST")


def fault(system: System, draw: random.Random, answer: dict[str, Any], times: int, service: str | None = None) -> None:
    rule = {"service": service or draw.choice(SERVICES), "skip": draw.randint(0, 5), "times": times, **answer}
    system.aws.control("faults", [rule], method="POST")
