"""Hub and three spokes in two regions with everything awkward at once; the order is fixed, so the ids are too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import (
    balancing,
    buckets,
    compute,
    details,
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
from .accounts import ALPHA, BETA, GAMMA, HUB, REGIONS, Account

# An account and a region.
Place = tuple[str, str]

if TYPE_CHECKING:
    from seeding.aws import Aws
    from seeding.network import Network

SPOKES = [
    Account("alpha", ALPHA, "Workloads/Production"),
    Account("beta", BETA, "Workloads", "survey of beta / büro"),
    Account("gamma", GAMMA, "Sandbox"),
]
EAST, WEST = REGIONS
# What moto puts on a page: 100 reservations, 50 load balancers of a kind, 50 scaling groups, 20 units.
RESERVATIONS = 105
BALANCERS = 52
UNITS = 23


def fill(aws: Aws) -> dict[str, Any]:
    for account in (HUB, ALPHA, BETA, GAMMA):
        identities.shared(aws, account)
    identities.awkward(aws)
    units(aws)
    plain = {
        (ALPHA, EAST): network.plain(aws, ALPHA, EAST),
        (ALPHA, WEST): network.plain(aws, ALPHA, WEST, "10.1.0.0/16"),
        # The same addresses as alpha's, which is common and must not be taken for the same network.
        (BETA, EAST): network.plain(aws, BETA, EAST),
        (HUB, EAST): network.plain(aws, HUB, EAST, "10.99.0.0/16", "a"),
    }
    dual = network.awkward(aws, ALPHA, EAST)
    network.empty_region(aws, GAMMA, WEST)
    network.peer(aws, plain[ALPHA, EAST], plain[HUB, EAST], EAST, (ALPHA, HUB), EAST, "10.99.0.0/16")
    network.peer(aws, plain[ALPHA, EAST], plain[ALPHA, WEST], EAST, (ALPHA, ALPHA), WEST, "10.1.0.0/16")
    instances = {(ALPHA, EAST): compute.awkward(aws, ALPHA, EAST, plain[ALPHA, EAST], dual)}
    instances[ALPHA, EAST] += compute.many(aws, ALPHA, EAST, plain[ALPHA, EAST], RESERVATIONS)
    for place in ((ALPHA, WEST), (BETA, EAST), (HUB, EAST)):
        instances[place] = compute.some(aws, *place, plain[place], "app")
    inspect(aws, instances)
    balance(aws, plain, instances)
    details.add(aws)
    for place in ((ALPHA, EAST), (BETA, EAST), (HUB, WEST)):
        for kind in (keys, topics, queues, secrets_manager, functions, systems_manager, buckets):
            kind.some(aws, *place)
    keys.awkward(aws, ALPHA, WEST)
    topics.awkward(aws, ALPHA, WEST, BETA)
    queues.awkward(aws, ALPHA, WEST)
    secrets_manager.awkward(aws, ALPHA, WEST, EAST)
    functions.awkward(aws, ALPHA, WEST, BETA)
    systems_manager.awkward(aws, ALPHA, EAST)
    buckets.awkward(aws, ALPHA, WEST, BETA)
    # The other accounts block nothing.
    buckets.block_public_access(aws, ALPHA, True, False, True, False)
    buckets.block_public_access(aws, HUB, True, True, True, True)
    counted = {" ".join(place): len(found) for place, found in instances.items()}
    return {"accounts": 4, "regions": len(REGIONS), "instances": counted}


def units(aws: Aws) -> None:
    """More units below one parent than a page of ListOrganizationalUnitsForParent."""
    organizations = aws.client("organizations", HUB)
    root = organizations.list_roots()["Roots"][0]["Id"]
    for number in range(UNITS):
        organizations.create_organizational_unit(ParentId=root, Name=f"unit-{number:02}")


def inspect(aws: Aws, instances: dict[Place, list[str]]) -> None:
    """The hub is the delegated administrator for alpha in the east; elsewhere each account sees its own."""
    east = findings.awkward(ALPHA, EAST, instances[ALPHA, EAST])
    findings.put(aws, ALPHA, EAST, east)
    own = [findings.vulnerability(HUB, EAST, instances[HUB, EAST][0], findings.CVES[1])]
    findings.delegate(aws, HUB, EAST, own, {ALPHA: east})
    beta = instances[BETA, EAST]
    findings.put(aws, BETA, EAST, [findings.vulnerability(BETA, EAST, beta[0], cve) for cve in findings.CVES])


def balance(aws: Aws, plain: dict[Place, Network], instances: dict[Place, list[str]]) -> None:
    east, targets = plain[ALPHA, EAST], instances[ALPHA, EAST][:2]
    ec2 = aws.client("ec2", ALPHA, EAST)
    image = compute.image(ec2, "for-scaling")
    template = balancing.launch_template(ec2, "web", image, east, UserData="aGVsbG8=")
    balancing.launch_configuration(aws, ALPHA, EAST, "web-classic", image, east)
    balancing.scaling_group(aws, ALPHA, EAST, "web", east, template=template, CapacityRebalance=True)
    balancing.scaling_group(aws, ALPHA, EAST, "web-classic", east, configuration="web-classic", size=1)
    front = balancing.application(aws, ALPHA, EAST, "front", east, targets)
    balancing.balancer_behind(aws, ALPHA, EAST, "outer", east, front)
    balancing.application(aws, ALPHA, EAST, "inside", east, [], scheme="internal")
    balancing.network_balancer(aws, ALPHA, EAST, "passage", east, targets)
    balancing.classic(aws, ALPHA, EAST, "old-front", east, targets)
    balancing.classic(aws, ALPHA, EAST, "old-inside", east, [], Scheme="internal")
    past_a_page(aws, plain[BETA, EAST])
    core = balancing.transit_gateway(aws, HUB, EAST, plain[HUB, EAST])
    balancing.transit_gateway(aws, ALPHA, EAST, east, (HUB, EAST, core))
    details.share_transit_gateway(aws, HUB, EAST, core, BETA)
    for account in (ALPHA, BETA):
        balancing.reserve(aws, account, EAST)


def past_a_page(aws: Aws, beta: Network) -> None:
    image = compute.image(aws.client("ec2", BETA, EAST), "for-scaling")
    # Alpha has one of that name too.
    balancing.launch_configuration(aws, BETA, EAST, "web-classic", image, beta)
    for number in range(BALANCERS):
        balancing.classic(aws, BETA, EAST, f"classic-{number:02}", beta, [])
        balancing.network_balancer(aws, BETA, EAST, f"network-{number:02}", beta, [])
        launch = f"launch-{number:02}"
        balancing.launch_configuration(aws, BETA, EAST, launch, image, beta)
        balancing.scaling_group(aws, BETA, EAST, f"group-{number:02}", beta, configuration=launch, size=0)
