"""What moto does not tell of the things it has: fields of AWS's answers, added to those of moto by overlay rules.

With them every property that Groma reads is there somewhere in the organization. Names are those of the answers.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .accounts import ALPHA, BETA

if TYPE_CHECKING:
    from seeding.aws import Aws

Json = dict[str, Any]

KEY = f"arn:aws:kms:us-east-1:{ALPHA}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OUTPOST = f"arn:aws:outposts:us-east-1:{ALPHA}:outpost/op-1234567890abcdef0"
PROFILE = f"arn:aws:iam::{ALPHA}:instance-profile/app"


def add(aws: Aws) -> None:
    aws.control("/_groma/overlay", [*compute(), *network(), *balancing()])


def ec2(action: str, where: Json, fields: Json, account: str = ALPHA) -> Json:
    return {"service": "ec2", "account": account, "action": action, "where": where, "set": fields}


def compute() -> list[Json]:
    image = {
        "architecture": "arm64",
        "imageLocation": f"{ALPHA}/arm",
        "platform": "windows",
        "platformDetails": "Windows with SQL Server Standard",
        "usageOperation": "RunInstances:0006",
        "enaSupport": "true",
        "hypervisor": "xen",
        "kernelId": "aki-1234567890abcdef0",
        "ramdiskId": "ari-1234567890abcdef0",
        "sriovNetSupport": "simple",
        "virtualizationType": "hvm",
        "imageOwnerAlias": "amazon",
    }
    instance = {
        "architecture": "x86_64",
        "bootMode": "uefi",
        "platform": "windows",
        "hibernationOptions": {"configured": "true"},
        "placement": {
            "availabilityZone": "us-east-1a",
            "tenancy": "host",
            "hostResourceGroupArn": f"arn:aws:resource-groups:us-east-1:{ALPHA}:group/hosts",
        },
        "tagSet": [{"key": "eks:cluster-name", "value": "payments"}, {"key": "Name", "value": "äll"}],
    }
    template = {
        "kernelId": "aki-1234567890abcdef0",
        "ramDiskId": "ari-1234567890abcdef0",
        "iamInstanceProfile": {"arn": PROFILE, "name": "app"},
        "monitoring": {"enabled": "true"},
        "instanceInitiatedShutdownBehavior": "terminate",
        "securityGroupSet": ["default", "web"],
    }
    snapshot = {
        "statusMessage": "done",
        "encrypted": "true",
        "dataEncryptionKeyId": "1234abcd",
        "kmsKeyId": KEY,
        "outpostArn": OUTPOST,
    }
    return [
        ec2("DescribeImages", {"name": "arm"}, image),
        ec2("DescribeInstances", {"privateIpAddress": "10.0.0.77", "imageId": "*"}, instance),
        ec2("DescribeInstances", {"reservationId": "*"}, {"requesterId": "940372691376"}, BETA),
        ec2("DescribeLaunchTemplateVersions", {"imageId": "*", "keyName": "operator"}, template),
        ec2("DescribeVolumes", {"size": "100"}, {"outpostArn": OUTPOST, "fastRestored": "true"}),
        ec2("DescribeSnapshots", {"description": "for everyone"}, snapshot),
    ]


def network() -> list[Json]:
    route = {
        "carrierGatewayId": "cagw-1234567890abcdef0",
        "coreNetworkArn": f"arn:aws:networkmanager::{ALPHA}:core-network/core-network-1234567890abcdef0",
        "instanceId": "i-1234567890abcdef0",
        "instanceOwnerId": ALPHA,
        "localGatewayId": "lgw-1234567890abcdef0",
        "transitGatewayId": "tgw-1234567890abcdef0",
    }
    address = {
        "carrierIp": "155.146.10.111",
        "customerOwnedIp": "192.0.2.7",
        "customerOwnedIpv4Pool": "ipv4pool-coip-1234567890abcdef0",
        "networkBorderGroup": "us-east-1-wl1-bos-wlz-1",
        "publicIpv4Pool": "amazon",
    }
    public = {"association": {"ipOwnerId": "amazon", "publicIp": "203.0.113.9"}}
    fine = {"state": "associated", "statusMessage": "für gut befunden"}
    endpoint = {"ipAddressType": "dualstack", "requesterManaged": "true", "serviceRegion": "us-east-1"}
    peered = [
        ec2("DescribeVpcPeeringConnections", {"vpcId": "*", "cidrBlock": cidr}, {"cidrBlockSet": [{"cidrBlock": cidr}]})
        for cidr in ("10.0.0.0/16", "10.1.0.0/16", "10.99.0.0/16")
    ]
    return [
        *peered,
        *({**rule, "account": None} for rule in peered),
        ec2("DescribeNetworkAcls", {"ruleNumber": "120"}, {"portRange": {"from": "22", "to": "25"}}),
        ec2("DescribeNetworkInterfaces", {"privateIpAddress": "10.21.1.51", "primary": "*"}, public),
        ec2("DescribeRouteTables", {"destinationCidrBlock": "172.16.0.0/12"}, route),
        ec2("DescribeRouteTables", {"routeTableAssociationId": "*", "gatewayId": "*"}, {"associationState": fine}),
        ec2("DescribeSubnets", {"cidrBlock": "10.20.1.0/24"}, {"mapCustomerOwnedIpOnLaunch": "true"}),
        ec2("DescribeVpcs", {"cidrBlock": "10.21.0.0/16"}, {"cidrBlockState": fine}),
        ec2("DescribeAddresses", {"associationId": "*"}, address),
        ec2("DescribeVpcEndpoints", {"vpcEndpointType": "Interface"}, endpoint),
    ]


def balancing() -> list[Json]:
    group = {"MaxInstanceLifetime": "604800", "Status": "Delete in progress"}
    configuration = {
        "IamInstanceProfile": "app",
        "InstanceMonitoring": {"Enabled": "true"},
        "KernelId": "aki-1234567890abcdef0",
        "RamdiskId": "ari-1234567890abcdef0",
        "PlacementTenancy": "dedicated",
    }
    mutual = {
        "Mode": "verify",
        "TrustStoreArn": f"arn:aws:elasticloadbalancing:us-east-1:{ALPHA}:truststore/store/1234567890abcdef",
        "IgnoreClientCertificateExpiry": "true",
        "TrustStoreAssociationStatus": "active",
        "AdvertiseTrustStoreCaNames": "on",
    }
    zone = {"CanonicalHostedZoneNameID": "Z35SXDOTRQ7X7K"}
    return [
        scaling("DescribeAutoScalingGroups", {"AutoScalingGroupName": "web"}, group),
        scaling("DescribeLaunchConfigurations", {"LaunchConfigurationName": "web-classic"}, configuration),
        balancer("DescribeListeners", {"ListenerArn": "*", "Port": "8080"}, {"MutualAuthentication": mutual}),
        balancer("DescribeLoadBalancers", {"LoadBalancerName": "old-front"}, zone),
        balancer("DescribeLoadBalancers", {"Listener": "*"}, {"PolicyNames": ["sticky", "tls-1-2"]}),
    ]


def scaling(action: str, where: Json, fields: Json) -> Json:
    return {"service": "autoscaling", "account": ALPHA, "action": action, "where": where, "set": fields}


def balancer(action: str, where: Json, fields: Json) -> Json:
    return {"service": "elasticloadbalancing", "account": ALPHA, "action": action, "where": where, "set": fields}


def share_transit_gateway(aws: Aws, owner: str, region: str, gateway: str, account: str) -> None:
    """As the resource access manager would: another account sees the gateway, but not as its own."""
    shared = aws.client("ec2", owner, region).describe_transit_gateways(TransitGatewayIds=[gateway])["TransitGateways"][
        0
    ]
    seen = {
        "transitGatewayId": gateway,
        "transitGatewayArn": shared["TransitGatewayArn"],
        "state": "available",
        "ownerId": owner,
        "description": shared["Description"],
    }
    rule = ec2("DescribeTransitGateways", {"requestId": "*"}, {"transitGatewaySet": [seen]}, account)
    aws.control("/_groma/overlay", [{**rule, "region": region}])


def route_to_attachment(aws: Aws, account: str, region: str, cidr: str, attachment: str, vpc: str) -> None:
    """Where a route of a transit gateway leads."""
    leads_to = {"transitGatewayAttachmentId": attachment, "resourceId": vpc, "resourceType": "vpc"}
    fields = {"transitGatewayAttachments": [leads_to], "type": "static"}
    rule = ec2("SearchTransitGatewayRoutes", {"destinationCidrBlock": cidr}, fields, account)
    aws.control("/_groma/overlay", [{**rule, "region": region}])
