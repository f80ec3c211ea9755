"""Images, key pairs, instances, volumes and snapshots."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .aws import named, tags
from .network import group, tcp

if TYPE_CHECKING:
    from seeding.aws import Aws
    from seeding.network import Network

PUBLIC_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJqZ4W6tYJvmAxcUMlUe2BYpB7fGqXfVfJzKfPEzXb4d someone@example.com"
USER_DATA = "#!/bin/sh\necho 'hello from Büro'\n"
IMDS_V2 = {"HttpTokens": "required", "HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 2}


def key_pair(ec2: Any, name: str, **values: Any) -> None:
    ec2.import_key_pair(KeyName=name, PublicKeyMaterial=PUBLIC_KEY, TagSpecifications=named("key-pair", name, **values))


def image(ec2: Any, name: str, **settings: Any) -> str:
    settings = {"Architecture": "x86_64", "VirtualizationType": "hvm", "RootDeviceName": "/dev/xvda", **settings}
    return ec2.register_image(Name=name, Description=f"{name} of the survey", **settings)["ImageId"]


def launch(
    ec2: Any, image_id: str, subnet: str | None, groups: list[str] | None, count: int = 1, **settings: Any
) -> list[str]:
    """Instances of one reservation, by their ids."""
    if "NetworkInterfaces" not in settings:
        settings = {"SubnetId": subnet, "SecurityGroupIds": groups, **settings}
    settings = {"InstanceType": "t3.micro", **settings}
    made = ec2.run_instances(ImageId=image_id, MinCount=count, MaxCount=count, **settings)
    return [instance["InstanceId"] for instance in made["Instances"]]


def root_volume(size: int = 20, encrypted: bool = False, **settings: Any) -> dict[str, Any]:
    ebs = {"VolumeSize": size, "VolumeType": "gp3", "Encrypted": encrypted, "DeleteOnTermination": True, **settings}
    return {"DeviceName": "/dev/xvda", "Ebs": ebs}


def some(aws: Aws, account: str, region: str, network: Network, profile: str | None = None) -> list[str]:
    """A few of each kind in a plain network; the ids of the instances."""
    ec2 = aws.client("ec2", account, region)
    base = image(ec2, "base")
    key_pair(ec2, "operator")
    role: dict[str, Any] = {"IamInstanceProfile": {"Name": profile}} if profile else {}
    web = launch(ec2, base, network.subnets[0], [network.open_group], KeyName="operator",
                 TagSpecifications=named("instance", "web"), **role)  # fmt: skip
    inner = launch(ec2, base, network.subnets[-1], [network.inner_group], count=2, MetadataOptions=IMDS_V2,
                   BlockDeviceMappings=[root_volume(encrypted=True)],
                   TagSpecifications=named("instance", "inner"))  # fmt: skip
    volume = ec2.create_volume(AvailabilityZone=f"{region}a", Size=5, TagSpecifications=named("volume", "spare"))
    ec2.create_snapshot(VolumeId=volume["VolumeId"], Description="before the change")
    return web + inner


def awkward(aws: Aws, account: str, region: str, plain: Network, dual: Network) -> list[str]:
    """Every attribute of an instance and its parts that moto keeps, in a plain and in a dual-stack network."""
    ec2 = aws.client("ec2", account, region)
    for name in ("operator", "büro 日本", "unused"):
        key_pair(ec2, name, team="platform")
    base = image(ec2, "base", EnaSupport=True, SriovNetSupport="simple", BootMode="uefi")
    arm = image(ec2, "arm", Architecture="arm64")
    snapshot = volumes(ec2, region)
    image(ec2, "from-snapshot", BlockDeviceMappings=[root_volume(SnapshotId=snapshot)])
    instances = rich(ec2, account, base, plain, snapshot)
    instances += in_states(ec2, arm, plain)
    instances += on_interfaces(ec2, base, plain, dual)
    ec2.create_image(InstanceId=instances[0], Name="taken", Description="from a running instance", NoReboot=True)
    classic_start(ec2, base)
    return instances


def rich(ec2: Any, account: str, base: str, network: Network, snapshot: str) -> list[str]:
    """All attributes at once, and none of them."""
    everything = launch(
        ec2,
        base,
        network.subnets[0],
        [network.open_group, network.inner_group],
        InstanceType="m5.large",
        KeyName="büro 日本",
        EbsOptimized=True,
        HibernationOptions={"Configured": True},
        Monitoring={"Enabled": True},
        IamInstanceProfile={"Arn": f"arn:aws:iam::{account}:instance-profile/app"},
        MetadataOptions={**IMDS_V2, "HttpProtocolIpv6": "enabled", "InstanceMetadataTags": "enabled"},
        InstanceInitiatedShutdownBehavior="terminate",
        UserData=USER_DATA,
        ClientToken="once",
        PrivateIpAddress="10.0.0.77",
        BlockDeviceMappings=[
            root_volume(30, True),
            {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 8, "SnapshotId": snapshot, "DeleteOnTermination": False}},
        ],
        TagSpecifications=[
            {"ResourceType": "instance", "Tags": tags(Name="äll", team="data", empty="", aws__cost="7")},
            {"ResourceType": "volume", "Tags": tags(Name="data of äll")},
        ],
    )
    spot = launch(ec2, base, network.subnets[1], [network.inner_group], InstanceMarketOptions={"MarketType": "spot"})
    no_imds = launch(ec2, base, network.subnets[1], [], MetadataOptions={"HttpEndpoint": "disabled"})
    many = launch(ec2, base, network.subnets[1], [network.inner_group], count=3, KeyName="operator")
    profiled = launch(ec2, base, network.subnets[1], [network.inner_group], IamInstanceProfile={"Name": "app"})
    return everything + spot + no_imds + many + profiled


def in_states(ec2: Any, arm: str, network: Network) -> list[str]:
    stopped, rebooted, restarted, terminated = (
        launch(ec2, arm, network.subnets[0], [network.open_group], InstanceType="t4g.small", KeyName="operator")[0]
        for _ in range(4)
    )
    ec2.stop_instances(InstanceIds=[stopped, restarted])
    ec2.start_instances(InstanceIds=[restarted])
    ec2.reboot_instances(InstanceIds=[rebooted])
    ec2.terminate_instances(InstanceIds=[terminated])
    return [stopped, rebooted, restarted, terminated]


def on_interfaces(ec2: Any, base: str, network: Network, dual: Network) -> list[str]:
    """A second interface, an existing one, an elastic address, and IPv6."""
    vpc = dual.vpc
    guarded = group(ec2, vpc, "guarded", [tcp(22, "::/0")])
    six = launch(ec2, base, dual.subnets[0], [guarded], Ipv6AddressCount=2, TagSpecifications=named("instance", "six"))
    interface = ec2.create_network_interface(SubnetId=network.subnets[0], Groups=[network.open_group])
    interface = interface["NetworkInterface"]["NetworkInterfaceId"]
    existing = launch(ec2, base, None, None, NetworkInterfaces=[{"DeviceIndex": 0, "NetworkInterfaceId": interface}])
    second = launch(ec2, base, network.subnets[0], [network.open_group])
    extra = ec2.create_network_interface(SubnetId=network.subnets[1], Groups=[network.inner_group])
    extra = extra["NetworkInterface"]["NetworkInterfaceId"]
    ec2.attach_network_interface(InstanceId=second[0], NetworkInterfaceId=extra, DeviceIndex=1)
    address = ec2.allocate_address(Domain="vpc", TagSpecifications=named("elastic-ip", "front"))["AllocationId"]
    ec2.associate_address(AllocationId=address, InstanceId=second[0])
    return six + existing + second


def classic_start(ec2: Any, base: str) -> None:
    """An instance in the default network, where there is one."""
    if ec2.describe_vpcs(Filters=[{"Name": "is-default", "Values": ["true"]}])["Vpcs"]:
        ec2.run_instances(ImageId=base, MinCount=1, MaxCount=1)


def volumes(ec2: Any, region: str) -> str:
    """Volumes of several kinds, one from a snapshot; the snapshot."""
    plain = ec2.create_volume(AvailabilityZone=f"{region}a", Size=10)["VolumeId"]
    settings = {"VolumeType": "io1", "Iops": 300, "Encrypted": True, "MultiAttachEnabled": True}
    ec2.create_volume(AvailabilityZone=f"{region}b", Size=100, TagSpecifications=named("volume", "fast"), **settings)
    throughput = {"VolumeType": "gp3", "Throughput": 250, "KmsKeyId": "alias/aws/ebs", "Encrypted": True}
    ec2.create_volume(AvailabilityZone=f"{region}b", Size=50, **throughput)
    snapshot = ec2.create_snapshot(VolumeId=plain, Description="büro", TagSpecifications=named("snapshot", "weekly"))
    snapshot = snapshot["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=snapshot, Attribute="createVolumePermission", OperationType="add", UserIds=["999999999999"]
    )
    shared = ec2.create_snapshot(VolumeId=plain, Description="for everyone")["SnapshotId"]
    ec2.modify_snapshot_attribute(
        SnapshotId=shared, Attribute="createVolumePermission", OperationType="add", GroupNames=["all"]
    )
    ec2.create_volume(AvailabilityZone=f"{region}a", SnapshotId=snapshot)
    return snapshot


def many(aws: Aws, account: str, region: str, network: Network, reservations: int) -> list[str]:
    """Reservations of one instance, past what moto puts on a page."""
    ec2 = aws.client("ec2", account, region)
    base = image(ec2, "fleet")
    return [
        launch(ec2, base, network.subnets[number % len(network.subnets)], [network.inner_group])[0]
        for number in range(reservations)
    ]
