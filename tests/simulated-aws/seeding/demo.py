"""A company as one finds them: hub and three spokes in two regions, several thousand assets, and three things that a
security engineer should hear of today. One after the other, so that the ids are the same in every run.
"""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

from . import balancing, compute, findings, identities, network
from .accounts import ALPHA, BETA, GAMMA, HUB, OUTSIDER, REGIONS, Account, document, trust
from .aws import named, tags

if TYPE_CHECKING:
    from seeding.aws import Aws

SPOKES = [
    Account("production", ALPHA, "Workloads/Production"),
    Account("staging", BETA, "Workloads"),
    Account("data", GAMMA, "Workloads/Data", "survey-of-data"),
]
TEAMS = ("checkout", "search", "billing", "identity", "media", "platform")
USERS, ROLES = 12, 8
# Instances of each team in each region, per spoke.
FLEET = {ALPHA: 8, BETA: 4, GAMMA: 4}
FINDINGS = {ALPHA: 150, BETA: 60, GAMMA: 90}


def fill(aws: Aws) -> dict[str, Any]:
    identities.shared(aws, HUB)
    assets = sum(fill_spoke(aws, spoke) for spoke in SPOKES)
    exposed = reachable_and_exploitable(aws)
    outside_admin(aws)
    return {"accounts": len(SPOKES) + 1, "regions": len(REGIONS), "exposed": exposed, "assets": assets}


def fill_spoke(aws: Aws, spoke: Account) -> int:
    identities.shared(aws, spoke.id)
    made = people(aws, spoke) + services(aws, spoke)
    for region in REGIONS:
        made += fill_region(aws, spoke, region)
    return made


# People and roles


def people(aws: Aws, spoke: Account) -> int:
    """Users with keys, some of them old and never used."""
    iam = aws.client("iam", spoke.id)
    dates = {"account": spoke.id, "users": {}, "access_keys": {}}
    for team in TEAMS:
        iam.create_group(GroupName=f"{team}-engineers", Path="/teams/")
        iam.attach_group_policy(GroupName=f"{team}-engineers", PolicyArn=identities.READ_ONLY)
    for number in range(USERS):
        team = TEAMS[number % len(TEAMS)]
        name = f"{team}.{number:02}"
        iam.create_user(UserName=name, Path=f"/teams/{team}/", Tags=tags(team=team))
        iam.add_user_to_group(GroupName=f"{team}-engineers", UserName=name)
        key = iam.create_access_key(UserName=name)["AccessKey"]["AccessKeyId"]
        dates["users"][name] = {"create_date": f"2021-{1 + number % 12:02}-03T08:00:00Z"}
        dates["access_keys"][key] = key_dates(number)
    aws.control("/_groma/iam", dates)
    return 2 * USERS + len(TEAMS)


def key_dates(number: int) -> dict[str, Any]:
    """Every eighth key is years old and was never used; the others are young as of today."""
    if number % 8 == 0:
        return {"create_date": "2021-11-05T09:30:00Z"}
    used = {"date": days_ago(number % 20), "service": "s3", "region": REGIONS[number % 2]}
    return {"create_date": days_ago(30 + 5 * number), "last_used": used}


def days_ago(days: int) -> str:
    return (datetime.now(timezone.utc) - timedelta(days=days)).isoformat(timespec="seconds")


def services(aws: Aws, spoke: Account) -> int:
    """A role for each service of each team, with a policy of four statements."""
    iam = aws.client("iam", spoke.id)
    for number in range(ROLES):
        team = TEAMS[number % len(TEAMS)]
        name = f"{team}-service-{number:02}"
        principal = ("ecs-tasks.amazonaws.com", "lambda.amazonaws.com", "ec2.amazonaws.com")[number % 3]
        identities.role(iam, name, trust(Service=principal), path=f"/{team}/", inline={"access": access(team, name)})
    for team in TEAMS:
        iam.create_policy(PolicyName=f"{team}-boundary", Path="/teams/", PolicyDocument=access(team, "*"))
    return ROLES * 6 + len(TEAMS) * 5


def access(team: str, name: str) -> str:
    return document(
        {"Sid": "Objects", "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"],
         "Resource": f"arn:aws:s3:::{team}-data/{name}/*"},
        {"Sid": "Queues", "Effect": "Allow", "Action": "sqs:*", "Resource": f"arn:aws:sqs:*:*:{team}-*"},
        {"Sid": "Keys", "Effect": "Allow", "Action": ["kms:Decrypt"], "Resource": "*",
         "Condition": {"StringEquals": {"kms:ViaService": "s3.us-east-1.amazonaws.com"}}},
        {"Sid": "NoUsers", "Effect": "Deny", "Action": "iam:*User*", "Resource": "*"},
    )  # fmt: skip


# Machines


def fill_region(aws: Aws, spoke: Account, region: str) -> int:
    """A network for each pair of teams, a fleet for each team, and what Inspector thinks of them."""
    ec2 = aws.client("ec2", spoke.id, region)
    base = compute.image(ec2, "golden")
    compute.key_pair(ec2, "operator")
    fleet = []
    for number, team in enumerate(TEAMS):
        if number % 2 == 0:
            place = network.plain(aws, spoke.id, region, f"10.{number}.0.0/16", "abc")
        fleet += team_fleet(ec2, spoke, team, base, place)
    inspect(aws, spoke, region, fleet)
    if region == REGIONS[0]:
        balancing.application(aws, spoke.id, region, "front", place, fleet[-2:])
        balancing.reserve(aws, spoke.id, region)
    # An instance comes with a volume and an interface, a team with a group and its rules.
    return 3 * len(fleet) + FINDINGS[spoke.id] + 12 * len(TEAMS)


def team_fleet(ec2: Any, spoke: Account, team: str, base: str, place: Any) -> list[str]:
    """Behind the team's own group, on encrypted volumes; half of them still answer to the first version of IMDS."""
    rules = [network.tcp(port, "10.0.0.0/8") for port in (8080, 8443, 9090)]
    rules.append(network.from_group(place.open_group, 8080))
    inner = network.group(ec2, place.vpc, f"{team}-service", rules)
    half = FLEET[spoke.id] // 2
    common = {"BlockDeviceMappings": [compute.root_volume(40, True)], "KeyName": "operator"}
    common["TagSpecifications"] = named("instance", f"{team}-service", team=team, environment=spoke.name)
    old = compute.launch(ec2, base, place.subnets[0], [inner], half, **common)
    new = compute.launch(ec2, base, place.subnets[1], [inner], half, MetadataOptions=compute.IMDS_V2, **common)
    return old + new


def inspect(aws: Aws, spoke: Account, region: str, fleet: Any) -> None:
    """Everything but what the exposed instance has; a finding of each kind for some of the fleet."""
    quiet = [cve for cve in findings.CVES if cve is not findings.LOG4SHELL]
    found = []
    for number in range(FINDINGS[spoke.id]):
        cve, instance = quiet[number % len(quiet)], fleet[number % len(fleet)]
        finding = findings.vulnerability(spoke.id, region, instance, cve, packages=1 + number % 4)
        finding["findingArn"] += f"{number:04}"
        found.append(finding)
    findings.put(aws, spoke.id, region, found)


# What should be found


def reachable_and_exploitable(aws: Aws) -> Any:
    """Log4Shell on an instance that the internet reaches and whose profile is an administrator's; its id."""
    region = REGIONS[0]
    iam = aws.client("iam", ALPHA)
    identities.role(iam, "checkout-legacy", trust(Service="ec2.amazonaws.com"), managed=[identities.ADMIN])
    identities.profile(iam, "checkout-legacy", "checkout-legacy")
    place = network.plain(aws, ALPHA, region, "10.40.0.0/16", "a")
    exposed = compute.launch(
        aws.client("ec2", ALPHA, region),
        "ami-0c55b159cbfafe1f0",
        place.subnets[0],
        [place.open_group],
        KeyName="operator",
        IamInstanceProfile={"Name": "checkout-legacy"},
        TagSpecifications=named("instance", "checkout-legacy", team="checkout", environment="production"),
    )[0]
    found = [
        findings.vulnerability(ALPHA, region, exposed, findings.LOG4SHELL, packages=2),
        findings.reachability(ALPHA, region, exposed, 443, 443, network=[place.gateway, place.open_group, exposed]),
        findings.reachability(ALPHA, region, exposed, 22, 22, network=[place.gateway, place.open_group, exposed]),
    ]
    aws.control("/_groma/inspector2/add", {"account": ALPHA, "region": region, "findings": found})
    return exposed


def outside_admin(aws: Aws) -> None:
    """A partner's account, outside the organization, may become administrator of the data account."""
    iam = aws.client("iam", GAMMA)
    partner = trust(AWS=f"arn:aws:iam::{OUTSIDER}:root")
    identities.role(iam, "partner-analytics", partner, managed=[identities.ADMIN])
