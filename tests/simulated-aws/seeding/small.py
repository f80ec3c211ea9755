"""Hub and two spokes with a few of each kind: seconds to make, for tests of one behaviour."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import (
    balancing,
    buckets,
    compute,
    findings,
    functions,
    identities,
    keys,
    network,
    queues,
    secrets_manager,
    systems_manager,
    topics,
)
from .accounts import ALPHA, BETA, HUB, REGIONS, Account

if TYPE_CHECKING:
    from seeding.aws import Aws

SPOKES = [Account("alpha", ALPHA, "Workloads"), Account("beta", BETA, "Workloads/Data", "survey-of-beta")]


def fill(aws: Aws) -> dict[str, int]:
    instances = 0
    for account in (HUB, ALPHA, BETA):
        identities.shared(aws, account)
    identities.permissions(aws, ALPHA)
    for account in (ALPHA, BETA):
        for region in REGIONS:
            instances += len(region_of(aws, account, region))
    for account in (ALPHA, BETA):
        for kind in (keys, topics, queues, secrets_manager, functions, systems_manager, buckets):
            kind.some(aws, account, REGIONS[0])
    buckets.block_public_access(aws, ALPHA, True, True, False, False)
    return {"accounts": 3, "regions": len(REGIONS), "instances": instances}


def region_of(aws: Aws, account: str, region: str) -> list[Any]:
    """The instances of a region in which there is one of everything."""
    plain = network.plain(aws, account, region)
    instances = compute.some(aws, account, region, plain, "app")
    found = [findings.vulnerability(account, region, instances[0], cve, packages=2) for cve in findings.CVES[:3]]
    findings.put(aws, account, region, [*found, findings.reachability(account, region, instances[0], 22, 22)])
    if region == REGIONS[0]:
        balancing.application(aws, account, region, "front", plain, instances[:1])
        balancing.classic(aws, account, region, "old-front", plain, instances[:1])
        balancing.reserve(aws, account, region)
    return instances
