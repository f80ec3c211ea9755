"""VPCs and what lies in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from .aws import named

if TYPE_CHECKING:
    from seeding.aws import Aws

Json = dict[str, Any]

ANYWHERE = "0.0.0.0/0"
ANYWHERE6 = "::/0"


class Network(NamedTuple):
    vpc: str
    subnets: list[str]
    gateway: str
    open_group: str
    inner_group: str


def plain(aws: Aws, account: str, region: str, cidr: str = "10.0.0.0/16", zones: str = "ab") -> Network:
    """A VPC with a public subnet for each zone, a gateway, and an open and an inner security group."""
    ec2 = aws.client("ec2", account, region)
    vpc = ec2.create_vpc(CidrBlock=cidr, TagSpecifications=named("vpc", "main"))["Vpc"]["VpcId"]
    prefix = cidr.rsplit(".", 2)[0]
    subnets = [
        ec2.create_subnet(
            VpcId=vpc,
            CidrBlock=f"{prefix}.{number}.0/24",
            AvailabilityZone=f"{region}{zone}",
            TagSpecifications=named("subnet", f"public-{zone}"),
        )["Subnet"]["SubnetId"]
        for number, zone in enumerate(zones)
    ]
    for subnet in subnets:
        ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})
    gateway = ec2.create_internet_gateway(TagSpecifications=named("internet-gateway", "main"))
    gateway = gateway["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    main = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["RouteTables"][0]["RouteTableId"]
    ec2.create_route(RouteTableId=main, DestinationCidrBlock=ANYWHERE, GatewayId=gateway)
    open_group = group(ec2, vpc, "web", [tcp(22, ANYWHERE), tcp(443, ANYWHERE)])
    inner_group = group(ec2, vpc, "inner", [from_group(open_group, 5432)])
    return Network(vpc, subnets, gateway, open_group, inner_group)


def group(ec2: Any, vpc: str, name: str, ingress: Sequence[Json] = (), egress: Sequence[Json] = ()) -> str:
    made = ec2.create_security_group(GroupName=name, Description=f"{name} of the survey", VpcId=vpc)["GroupId"]
    if ingress:
        ec2.authorize_security_group_ingress(GroupId=made, IpPermissions=list(ingress))
    if egress:
        ec2.authorize_security_group_egress(GroupId=made, IpPermissions=list(egress))
    return made


def tcp(port: int, *cidrs: str, to: int | None = None) -> Json:
    ranges = [{"CidrIp": cidr, "Description": "a range"} for cidr in cidrs if ":" not in cidr]
    ranges6 = [{"CidrIpv6": cidr} for cidr in cidrs if ":" in cidr]
    rule = {"IpProtocol": "tcp", "FromPort": port, "ToPort": to or port}
    if ranges:
        rule["IpRanges"] = ranges
    if ranges6:
        rule["Ipv6Ranges"] = ranges6
    return rule


def from_group(group_id: str, port: int, account: str | None = None) -> Json:
    pair = {"GroupId": group_id}
    if account:
        pair["UserId"] = account
    return {"IpProtocol": "tcp", "FromPort": port, "ToPort": port, "UserIdGroupPairs": [pair]}


def awkward(aws: Aws, account: str, region: str) -> Network:
    """Every attribute that a VPC and its parts can carry in moto."""
    ec2 = aws.client("ec2", account, region)
    vpc = ec2.create_vpc(
        CidrBlock="10.20.0.0/16",
        AmazonProvidedIpv6CidrBlock=True,
        InstanceTenancy="dedicated",
        TagSpecifications=named("vpc", "büro 日本", cost__center="42", empty=""),
    )["Vpc"]["VpcId"]
    ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.21.0.0/16")
    gone = ec2.associate_vpc_cidr_block(VpcId=vpc, CidrBlock="10.22.0.0/16")["CidrBlockAssociation"]["AssociationId"]
    ec2.disassociate_vpc_cidr_block(AssociationId=gone)
    ipv6 = ec2.describe_vpcs(VpcIds=[vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
    subnet = ec2.create_subnet(
        VpcId=vpc,
        CidrBlock="10.20.1.0/24",
        Ipv6CidrBlock=ipv6.replace("/56", "/64"),
        AvailabilityZone=f"{region}b",
        TagSpecifications=named("subnet", "dual"),
    )["Subnet"]["SubnetId"]
    ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
    private = ec2.create_subnet(VpcId=vpc, CidrBlock="10.21.1.0/24", AvailabilityZone=f"{region}a")
    private = private["Subnet"]["SubnetId"]
    ec2.create_internet_gateway(TagSpecifications=named("internet-gateway", "unattached"))
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    egress_only = ec2.create_egress_only_internet_gateway(VpcId=vpc)
    egress_only = egress_only["EgressOnlyInternetGateway"]["EgressOnlyInternetGatewayId"]
    groups(ec2, vpc)
    routes(ec2, vpc, subnet, private, gateway, egress_only)
    interfaces(ec2, subnet, private)
    access_lists(ec2, vpc, subnet)
    addresses(ec2, private)
    return Network(vpc, [subnet, private], gateway, "", "")


def groups(ec2: Any, vpc: str) -> None:
    """Rules without ports, for both address families, for other groups and for the group itself."""
    app = group(ec2, vpc, "app", [tcp(8080, "10.20.0.0/16", "10.21.0.0/16", ANYWHERE6, to=8090)])
    everything = {"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}], "Ipv6Ranges": [{"CidrIpv6": ANYWHERE6}]}
    ping = {"IpProtocol": "icmp", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "192.0.2.0/24"}]}
    udp = {"IpProtocol": "udp", "FromPort": 53, "ToPort": 53, "IpRanges": [{"CidrIp": "192.0.2.53/32"}]}
    esp = {"IpProtocol": "50", "FromPort": -1, "ToPort": -1, "IpRanges": [{"CidrIp": "198.51.100.7/32"}]}
    other = group(ec2, vpc, "other", [everything, ping, udp, esp, from_group(app, 443)], [tcp(443, "203.0.113.0/24")])
    ec2.authorize_security_group_ingress(GroupId=other, IpPermissions=[from_group(other, 9300), from_group(app, 9300)])
    ec2.authorize_security_group_ingress(
        GroupId=app,
        IpPermissions=[{"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": other}, {"GroupId": app}]}],
    )
    ec2.authorize_security_group_egress(GroupId=app, IpPermissions=[tcp(5432, "10.20.1.0/24"), from_group(other, 80)])
    lists = ec2.create_managed_prefix_list(
        PrefixListName="offices",
        MaxEntries=3,
        AddressFamily="IPv4",
        Entries=[{"Cidr": "198.51.100.0/24", "Description": "Büro"}],
    )["PrefixList"]["PrefixListId"]
    prefix_rule = {"IpProtocol": "tcp", "FromPort": 8443, "ToPort": 8443, "PrefixListIds": [{"PrefixListId": lists}]}
    ec2.authorize_security_group_ingress(GroupId=app, IpPermissions=[prefix_rule])
    empty = group(ec2, vpc, "no-rules")
    ec2.revoke_security_group_egress(
        GroupId=empty, IpPermissions=[{"IpProtocol": "-1", "IpRanges": [{"CidrIp": ANYWHERE}]}]
    )


def routes(ec2: Any, vpc: str, subnet: str, private: bool, gateway: str, egress_only: str | None) -> None:
    """A route to each kind of target, and tables for the VPC, a subnet, a gateway and nothing."""
    address = ec2.allocate_address(Domain="vpc")
    nat = ec2.create_nat_gateway(SubnetId=subnet, AllocationId=address["AllocationId"])["NatGateway"]["NatGatewayId"]
    public = ec2.create_route_table(VpcId=vpc, TagSpecifications=named("route-table", "public"))
    public = public["RouteTable"]["RouteTableId"]
    inner = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    edge = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=public, DestinationCidrBlock=ANYWHERE, GatewayId=gateway)
    ec2.create_route(RouteTableId=public, DestinationIpv6CidrBlock=ANYWHERE6, EgressOnlyInternetGatewayId=egress_only)
    ec2.create_route(RouteTableId=inner, DestinationCidrBlock=ANYWHERE, NatGatewayId=nat)
    ec2.associate_route_table(RouteTableId=public, SubnetId=subnet)
    ec2.associate_route_table(RouteTableId=inner, SubnetId=private)
    ec2.associate_route_table(RouteTableId=edge, GatewayId=gateway)
    target = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    ec2.create_route(RouteTableId=inner, DestinationCidrBlock="172.16.0.0/12", NetworkInterfaceId=target)
    region = ec2.meta.region_name
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Gateway",
        ServiceName=f"com.amazonaws.{region}.s3",
        RouteTableIds=[inner, public],
        PolicyDocument='{"Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}]}',
    )
    endpoint_group = group(ec2, vpc, "endpoints", [tcp(443, "10.20.0.0/16")])
    ec2.create_vpc_endpoint(
        VpcId=vpc,
        VpcEndpointType="Interface",
        ServiceName=f"com.amazonaws.{region}.ssm",
        SubnetIds=[subnet, private],
        SecurityGroupIds=[endpoint_group],
        PrivateDnsEnabled=True,
        TagSpecifications=named("vpc-endpoint", "ssm"),
    )


def interfaces(ec2: Any, subnet: str, private: bool) -> None:
    lone = named("network-interface", "lone")
    ec2.create_network_interface(SubnetId=subnet, Description="standalone", Ipv6AddressCount=2, TagSpecifications=lone)
    second = ec2.create_network_interface(
        SubnetId=private,
        PrivateIpAddresses=[
            {"PrivateIpAddress": "10.21.1.50", "Primary": True},
            {"PrivateIpAddress": "10.21.1.51", "Primary": False},
            {"PrivateIpAddress": "10.21.1.52", "Primary": False},
        ],
    )["NetworkInterface"]["NetworkInterfaceId"]
    ec2.modify_network_interface_attribute(NetworkInterfaceId=second, SourceDestCheck={"Value": False})


def access_lists(ec2: Any, vpc: str, subnet: str) -> None:
    acl = ec2.create_network_acl(VpcId=vpc, TagSpecifications=named("network-acl", "strict"))
    acl = acl["NetworkAcl"]["NetworkAclId"]
    entries = [
        {"RuleNumber": 100, "Protocol": "6", "RuleAction": "allow", "Egress": False, "CidrBlock": ANYWHERE,
         "PortRange": {"From": 443, "To": 443}},
        {"RuleNumber": 110, "Protocol": "-1", "RuleAction": "deny", "Egress": False, "CidrBlock": "192.0.2.0/24"},
        {"RuleNumber": 120, "Protocol": "6", "RuleAction": "allow", "Egress": False, "Ipv6CidrBlock": ANYWHERE6,
         "PortRange": {"From": 22, "To": 25}},
        {"RuleNumber": 130, "Protocol": "1", "RuleAction": "allow", "Egress": False, "CidrBlock": ANYWHERE,
         "IcmpTypeCode": {"Type": 8, "Code": 0}},
        {"RuleNumber": 100, "Protocol": "-1", "RuleAction": "allow", "Egress": True, "CidrBlock": ANYWHERE},
    ]  # fmt: skip
    for entry in entries:
        ec2.create_network_acl_entry(NetworkAclId=acl, **entry)
    every = ec2.describe_network_acls(Filters=[{"Name": "vpc-id", "Values": [vpc]}])["NetworkAcls"]
    held = [a for each in every for a in each["Associations"] if a["SubnetId"] == subnet]
    ec2.replace_network_acl_association(AssociationId=held[0]["NetworkAclAssociationId"], NetworkAclId=acl)


def addresses(ec2: Any, subnet: str) -> None:
    ec2.allocate_address(Domain="vpc", TagSpecifications=named("elastic-ip", "unused"))
    interface = ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]["NetworkInterfaceId"]
    held = ec2.allocate_address(Domain="vpc")["AllocationId"]
    ec2.associate_address(AllocationId=held, NetworkInterfaceId=interface)


def peer(aws: Aws, requester: Any, accepter: Any, region: str, accounts: Any, other_region: str, cidr: str) -> Any:
    """A peering across accounts or regions, accepted, with a route to `cidr` over it."""
    ec2 = aws.client("ec2", accounts[0], region)
    asked = ec2.create_vpc_peering_connection(
        VpcId=requester.vpc, PeerVpcId=accepter.vpc, PeerOwnerId=accounts[1], PeerRegion=other_region
    )["VpcPeeringConnection"]["VpcPeeringConnectionId"]
    aws.client("ec2", accounts[1], other_region).accept_vpc_peering_connection(VpcPeeringConnectionId=asked)
    tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": [requester.vpc]}])["RouteTables"]
    table = tables[0]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock=cidr, VpcPeeringConnectionId=asked)
    return asked


def empty_region(aws: Aws, account: str, region: str) -> None:
    """Takes away the default VPC that every region starts with."""
    ec2 = aws.client("ec2", account, region)
    for vpc in ec2.describe_vpcs()["Vpcs"]:
        where = [{"Name": "vpc-id", "Values": [vpc["VpcId"]]}]
        for subnet in ec2.describe_subnets(Filters=where)["Subnets"]:
            ec2.delete_subnet(SubnetId=subnet["SubnetId"])
        attached = [{"Name": "attachment.vpc-id", "Values": [vpc["VpcId"]]}]
        for gateway in ec2.describe_internet_gateways(Filters=attached)["InternetGateways"]:
            ec2.detach_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"], VpcId=vpc["VpcId"])
            ec2.delete_internet_gateway(InternetGatewayId=gateway["InternetGatewayId"])
        ec2.delete_vpc(VpcId=vpc["VpcId"])
