"""Load balancers with names in the DNS that are as unique as AWS makes them.

moto gives the balancers of one name in two accounts the same DNS name, and classic ones that of us-east-1 everywhere; they
would be one node in a graph that knows them by it. And it calls each source security group `default`, where AWS has the
balancer's own.
"""

import types
import zlib
from datetime import timedelta, timezone

import moto.autoscaling.models
import moto.elb.models
import moto.elbv2.models
from moto.ec2.models import ec2_backends
from moto.elb.models import ELBBackend, LoadBalancer
from moto.elbv2.models import ELBv2Backend

from . import clock


def fill():
    for backend in (ELBBackend, ELBv2Backend):
        backend.create_load_balancer = with_unique_dns_name(backend.create_load_balancer)
    LoadBalancer.source_security_group = property(source_security_group)
    moto.elb.models.datetime = types.SimpleNamespace(datetime=clock.Clock, timedelta=timedelta, timezone=timezone)
    moto.autoscaling.models.datetime = clock.Clock


def source_security_group(balancer):
    """The first of its own."""
    for backend in ec2_backends[balancer.account_id].values():
        group = backend.get_security_group_from_id(balancer.security_groups[0])
        if group:
            return {"OwnerAlias": balancer.account_id, "GroupName": group.name}
    return None


def with_unique_dns_name(create):
    def create_load_balancer(backend, name, *positional, **named):
        balancer = create(backend, name, *positional, **named)
        number = zlib.crc32(f"{backend.account_id} {type(backend).__name__} {name}".encode())
        inside = "internal-" if balancer.scheme == "internal" else ""
        balancer.dns_name = f"{inside}{name}-{number}.{backend.region_name}.elb.amazonaws.com"
        return balancer

    return create_load_balancer
