"""Load balancers, auto scaling, launch templates, transit gateways and reserved instances."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import details
from .aws import named, tags

if TYPE_CHECKING:
    from seeding.aws import Aws
    from seeding.network import Network


def launch_template(ec2: Any, name: str, image_id: str, network: Network, **more: Any) -> Any:
    """A template with two versions, the second the default."""
    data = {
        "ImageId": image_id,
        "InstanceType": "t3.small",
        "KeyName": "operator",
        "EbsOptimized": True,
        "Monitoring": {"Enabled": True},
        "DisableApiTermination": True,
        "InstanceInitiatedShutdownBehavior": "terminate",
        "SecurityGroupIds": [network.open_group],
        **more,
    }
    made = ec2.create_launch_template(
        LaunchTemplateName=name,
        LaunchTemplateData=data,
        VersionDescription="first",
        TagSpecifications=named("launch-template", name),
    )["LaunchTemplate"]["LaunchTemplateId"]
    second = {"ImageId": image_id, "InstanceType": "t3.large"}
    ec2.create_launch_template_version(LaunchTemplateId=made, LaunchTemplateData=second, VersionDescription="zweite")
    ec2.modify_launch_template(LaunchTemplateId=made, DefaultVersion="2")
    return made


def scaling_group(
    aws: Aws,
    account: str,
    region: str,
    name: str,
    network: Network,
    template: str | None = None,
    configuration: str | None = None,
    size: int = 2,
    **more: Any,
) -> None:
    source = {"LaunchTemplate": {"LaunchTemplateId": template, "Version": "$Latest"}} if template else {}
    if configuration:
        source = {"LaunchConfigurationName": configuration}
    aws.client("autoscaling", account, region).create_auto_scaling_group(
        AutoScalingGroupName=name,
        MinSize=0,
        MaxSize=max(size, 1),
        DesiredCapacity=size,
        VPCZoneIdentifier=",".join(network.subnets),
        Tags=[{"Key": "team", "Value": "web", "PropagateAtLaunch": True}],
        **source,
        **more,
    )


def launch_configuration(aws: Aws, account: str, region: str, name: str, image_id: str, network: Network) -> None:
    aws.client("autoscaling", account, region).create_launch_configuration(
        LaunchConfigurationName=name,
        ImageId=image_id,
        InstanceType="t2.micro",
        KeyName="operator",
        SecurityGroups=[network.inner_group],
        InstanceMonitoring={"Enabled": True},
        AssociatePublicIpAddress=True,
        SpotPrice="0.05",
        EbsOptimized=False,
    )


def classic(
    aws: Aws, account: str, region: str, name: str, network: Network, instances: list[str], **more: Any
) -> None:
    elb = aws.client("elb", account, region)
    elb.create_load_balancer(
        LoadBalancerName=name,
        Listeners=[
            {"Protocol": "HTTP", "LoadBalancerPort": 80, "InstanceProtocol": "HTTP", "InstancePort": 8080},
            {"Protocol": "TCP", "LoadBalancerPort": 443, "InstanceProtocol": "TCP", "InstancePort": 9001},
        ],
        Subnets=network.subnets[:1],
        SecurityGroups=[network.open_group],
        **more,
    )
    if instances:
        wanted = [{"InstanceId": instance} for instance in instances]
        elb.register_instances_with_load_balancer(LoadBalancerName=name, Instances=wanted)


def application(
    aws: Aws,
    account: str,
    region: str,
    name: str,
    network: Network,
    instances: list[str],
    scheme: str = "internet-facing",
) -> str:
    """An application load balancer with two listeners on one target group."""
    elb = aws.client("elbv2", account, region)
    balancer = elb.create_load_balancer(
        Name=name, Subnets=network.subnets[:2], SecurityGroups=[network.open_group], Scheme=scheme, Type="application",
        Tags=tags(team="web"),
    )["LoadBalancers"][0]["LoadBalancerArn"]  # fmt: skip
    group = target_group(elb, name, network, "HTTP", instances)
    for port in (443, 8080):
        elb.create_listener(
            LoadBalancerArn=balancer,
            Protocol="HTTP",
            Port=port,
            DefaultActions=[{"Type": "forward", "TargetGroupArn": group}],
        )
    return balancer


def network_balancer(aws: Aws, account: str, region: str, name: str, network: Network, instances: list[str]) -> None:
    elb = aws.client("elbv2", account, region)
    balancer = elb.create_load_balancer(Name=name, Subnets=network.subnets[:1], Scheme="internal", Type="network")
    balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    group = target_group(elb, name, network, "TCP", instances)
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=443, DefaultActions=forward)


def balancer_behind(aws: Aws, account: str, region: str, name: str, network: Network, behind: Any) -> None:
    """A network load balancer whose target is the application load balancer `behind`."""
    elb = aws.client("elbv2", account, region)
    balancer = elb.create_load_balancer(Name=name, Subnets=network.subnets[:1], Scheme="internal", Type="network")
    balancer = balancer["LoadBalancers"][0]["LoadBalancerArn"]
    group = elb.create_target_group(
        Name=f"{name}-targets", Protocol="TCP", Port=443, VpcId=network.vpc, TargetType="alb"
    )
    group = group["TargetGroups"][0]["TargetGroupArn"]
    elb.register_targets(TargetGroupArn=group, Targets=[{"Id": behind, "Port": 443}])
    forward = [{"Type": "forward", "TargetGroupArn": group}]
    elb.create_listener(LoadBalancerArn=balancer, Protocol="TCP", Port=443, DefaultActions=forward)


def target_group(elb: Any, name: str, network: Network, protocol: str, instances: list[str], port: int = 8080) -> str:
    made = elb.create_target_group(
        Name=f"{name}-targets", Protocol=protocol, Port=port, VpcId=network.vpc, TargetType="instance"
    )["TargetGroups"][0]["TargetGroupArn"]
    if instances:
        elb.register_targets(TargetGroupArn=made, Targets=[{"Id": instance} for instance in instances])
    return made


def transit_gateway(
    aws: Aws, account: str, region: str, network: Network, other: tuple[str, str, str] | None = None
) -> str:
    """A gateway with a VPC attachment, a route table with a static route and a blackhole, and a peering to `other`."""
    ec2 = aws.client("ec2", account, region)
    gateway = ec2.create_transit_gateway(
        Description="hub and spoke", TagSpecifications=named("transit-gateway", "core")
    )["TransitGateway"]["TransitGatewayId"]
    attachment = ec2.create_transit_gateway_vpc_attachment(
        TransitGatewayId=gateway, VpcId=network.vpc, SubnetIds=network.subnets[:1]
    )["TransitGatewayVpcAttachment"]["TransitGatewayAttachmentId"]
    table = ec2.create_transit_gateway_route_table(TransitGatewayId=gateway)
    table = table["TransitGatewayRouteTable"]["TransitGatewayRouteTableId"]
    ec2.associate_transit_gateway_route_table(TransitGatewayRouteTableId=table, TransitGatewayAttachmentId=attachment)
    ec2.enable_transit_gateway_route_table_propagation(
        TransitGatewayRouteTableId=table, TransitGatewayAttachmentId=attachment
    )
    ec2.create_transit_gateway_route(
        DestinationCidrBlock="10.50.0.0/16", TransitGatewayRouteTableId=table, TransitGatewayAttachmentId=attachment
    )
    ec2.create_transit_gateway_route(
        DestinationCidrBlock="10.66.0.0/16", TransitGatewayRouteTableId=table, Blackhole=True
    )
    details.route_to_attachment(aws, account, region, "10.50.0.0/16", attachment, network.vpc)
    if other:
        peer_account, peer_region, peer_gateway = other
        ec2.create_transit_gateway_peering_attachment(
            TransitGatewayId=gateway,
            PeerTransitGatewayId=peer_gateway,
            PeerAccountId=peer_account,
            PeerRegion=peer_region,
        )
    return gateway


def reserve(aws: Aws, account: str, region: str) -> None:
    """Reserved instances, zonal and regional."""
    common = {
        "InstanceType": "m5.large",
        "ProductDescription": "Linux/UNIX",
        "InstanceTenancy": "default",
        "CurrencyCode": "USD",
        "OfferingClass": "standard",
        "Start": "2023-06-01T00:00:00Z",
        "End": "2026-05-31T23:59:59Z",
        "Duration": 94608000,
    }
    instances = [
        {**common, "ReservedInstancesId": f"{region}-zonal-{account}", "AvailabilityZone": f"{region}a", "Scope":
            "Availability Zone", "InstanceCount": 2, "State": "active", "OfferingType": "All Upfront",
            "FixedPrice": 1234.5, "UsagePrice": 0.0},
        {**common, "ReservedInstancesId": f"{region}-regional-{account}", "Scope": "Region", "InstanceCount": 1,
            "State": "retired", "OfferingType": "No Upfront", "FixedPrice": 0.0, "UsagePrice": 0.12},
    ]  # fmt: skip
    body = {"account": account, "region": region, "reserved_instances": instances}
    aws.control("/_groma/reserved-instances", body)
