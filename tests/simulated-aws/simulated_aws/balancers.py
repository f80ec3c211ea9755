"""Load balancers with names in the DNS that are as unique as AWS makes them.

moto gives the balancers of one name in two accounts the same DNS name, and classic ones that of us-east-1 everywhere; they
would be one node in a graph that knows them by it. And it calls each source security group `default`, where AWS has the
balancer's own.
"""

from __future__ import annotations

import types
import zlib
from collections.abc import Callable
from datetime import timedelta, timezone
from typing import Any

import moto.autoscaling.models
import moto.elb.models
import moto.elbv2.models
from moto.ec2.models import ec2_backends
from moto.elb.models import ELBBackend, LoadBalancer
from moto.elbv2.models import ELBv2Backend

from . import clock, patches


def fill() -> None:
    for backend in (ELBBackend, ELBv2Backend):
        patches.replace(backend, "create_load_balancer", with_unique_dns_name(backend.create_load_balancer))
    patches.replace(LoadBalancer, "source_security_group", property(source_security_group))
    own = types.SimpleNamespace(datetime=clock.Clock, timedelta=timedelta, timezone=timezone)
    patches.replace(moto.elb.models, "datetime", own)
    patches.replace(moto.autoscaling.models, "datetime", clock.Clock)


def source_security_group(balancer: Any) -> dict[str, Any] | None:
    """The balancer's first security group."""
    for backend in ec2_backends[balancer.account_id].values():
        group = backend.get_security_group_from_id(balancer.security_groups[0])
        if group:
            return {"OwnerAlias": balancer.account_id, "GroupName": group.name}
    return None


def with_unique_dns_name(create: Callable[..., Any]) -> Callable[..., Any]:
    def create_load_balancer(backend: Any, name: str, *positional: Any, **named: Any) -> Any:
        balancer = create(backend, name, *positional, **named)
        number = zlib.crc32(f"{backend.account_id} {type(backend).__name__} {name}".encode())
        inside = "internal-" if balancer.scheme == "internal" else ""
        balancer.dns_name = f"{inside}{name}-{number}.{backend.region_name}.elb.amazonaws.com"
        return balancer

    return create_load_balancer
