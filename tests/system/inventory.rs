//! Compares the resources of the simulated AWS, read with boto3, with the graph.

mod nested;

use crate::world::World;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// Nodes by label and id with some properties; edges by shape as pairs of ids.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Inventory {
    pub(crate) nodes: BTreeMap<&'static str, BTreeMap<String, Map<String, Value>>>,
    pub(crate) edges: BTreeMap<&'static str, BTreeSet<(String, String)>>,
}

/// A kind of resource: the call that lists it and how its nodes read.
struct Kind {
    label: &'static str,
    service: &'static str,
    operation: &'static str,
    parameters: &'static str,
    /// Path of the items in the answer; `[]` goes into a list.
    items: &'static str,
    /// The node's id, with `{Member}`, `{region}` and `{account}` filled in.
    id: &'static str,
    /// Property of the node and path in the item; a path that is absent means no property.
    properties: &'static [(&'static str, &'static str)],
    /// Edge `(:Label)-[:TYPE]->(:Label)` and templates of its two ends' ids; `[]` in a path makes one edge for each.
    edges: &'static [(&'static str, &'static str, &'static str)],
}

const ALL: &str = "{}";
/// Principals with their policies. Without a filter, AWS's own policies come too.
const PRINCIPALS: &str = r#"{"Filter": ["User", "Group", "Role"]}"#;
const HELD: &str = "{AttachedManagedPolicies[].PolicyArn}";
const OPEN: &str = r#"{"filterCriteria": {"findingStatus": [{"comparison": "NOT_EQUALS", "value": "CLOSED"}]}}"#;

const KINDS: &[Kind] = &[
    Kind {
        label: "AWSVpc",
        service: "ec2",
        operation: "describe_vpcs",
        parameters: ALL,
        items: "Vpcs[]",
        id: "{VpcId}",
        properties: &[
            ("vpcid", "VpcId"),
            ("primary_cidr_block", "CidrBlock"),
            ("instance_tenancy", "InstanceTenancy"),
            ("state", "State"),
            ("is_default", "IsDefault"),
        ],
        edges: &[("(:AWSAccount)-[:RESOURCE]->(:AWSVpc)", "{account}", "{VpcId}")],
    },
    Kind {
        label: "AWSEC2Subnet",
        service: "ec2",
        operation: "describe_subnets",
        parameters: ALL,
        items: "Subnets[]",
        id: "{SubnetId}",
        properties: &[
            ("subnet_arn", "SubnetArn"),
            ("cidr_block", "CidrBlock"),
            ("availability_zone", "AvailabilityZone"),
            ("available_ip_address_count", "AvailableIpAddressCount"),
            ("map_public_ip_on_launch", "MapPublicIpOnLaunch"),
            ("vpc_id", "VpcId"),
        ],
        edges: &[("(:AWSEC2Subnet)-[:MEMBER_OF_AWS_VPC]->(:AWSVpc)", "{SubnetId}", "{VpcId}")],
    },
    Kind {
        label: "AWSEC2SecurityGroup",
        service: "ec2",
        operation: "describe_security_groups",
        parameters: ALL,
        items: "SecurityGroups[]",
        id: "{GroupId}",
        properties: &[("name", "GroupName"), ("description", "Description"), ("groupid", "GroupId")],
        edges: &[
            ("(:AWSVpc)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup)", "{VpcId}", "{GroupId}"),
            (
                "(:AWSEC2SecurityGroup)-[:ALLOWS_TRAFFIC_FROM]->(:AWSEC2SecurityGroup)",
                "{GroupId}",
                "{IpPermissions[].UserIdGroupPairs[].GroupId}",
            ),
        ],
    },
    Kind {
        label: "AWSEC2Instance",
        service: "ec2",
        operation: "describe_instances",
        parameters: ALL,
        items: "Reservations[].Instances[]",
        id: "{InstanceId}",
        properties: &[
            ("instancetype", "InstanceType"),
            ("imageid", "ImageId"),
            ("state", "State.Name"),
            ("privateipaddress", "PrivateIpAddress"),
            ("publicipaddress", "PublicIpAddress"),
            ("availabilityzone", "Placement.AvailabilityZone"),
            ("tenancy", "Placement.Tenancy"),
        ],
        edges: &[
            (
                "(:AWSEC2Instance)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup)",
                "{InstanceId}",
                "{NetworkInterfaces[].Groups[].GroupId}",
            ),
            ("(:AWSEC2Instance)-[:PART_OF_SUBNET]->(:AWSEC2Subnet)", "{InstanceId}", "{NetworkInterfaces[].SubnetId}"),
        ],
    },
    Kind {
        label: "AWSEC2Reservation",
        service: "ec2",
        operation: "describe_instances",
        parameters: ALL,
        items: "Reservations[]",
        id: "{ReservationId}",
        properties: &[("ownerid", "OwnerId")],
        edges: &[(
            "(:AWSEC2Instance)-[:MEMBER_OF_EC2_RESERVATION]->(:AWSEC2Reservation)",
            "{Instances[].InstanceId}",
            "{ReservationId}",
        )],
    },
    Kind {
        label: "AWSNetworkInterface",
        service: "ec2",
        operation: "describe_network_interfaces",
        parameters: ALL,
        items: "NetworkInterfaces[]",
        id: "{NetworkInterfaceId}",
        properties: &[
            ("mac_address", "MacAddress"),
            ("private_ip_address", "PrivateIpAddress"),
            ("interface_type", "InterfaceType"),
            ("source_dest_check", "SourceDestCheck"),
            ("subnet_id", "SubnetId"),
        ],
        edges: &[("(:AWSNetworkInterface)-[:PART_OF_SUBNET]->(:AWSEC2Subnet)", "{NetworkInterfaceId}", "{SubnetId}")],
    },
    Kind {
        label: "AWSEBSVolume",
        service: "ec2",
        operation: "describe_volumes",
        parameters: ALL,
        items: "Volumes[]",
        id: "{VolumeId}",
        properties: &[
            ("size", "Size"),
            ("state", "State"),
            ("type", "VolumeType"),
            ("encrypted", "Encrypted"),
            ("availabilityzone", "AvailabilityZone"),
        ],
        edges: &[("(:AWSEBSVolume)-[:ATTACHED_TO]->(:AWSEC2Instance)", "{VolumeId}", "{Attachments[].InstanceId}")],
    },
    Kind {
        label: "AWSEC2KeyPair",
        service: "ec2",
        operation: "describe_key_pairs",
        parameters: ALL,
        items: "KeyPairs[]",
        id: "arn:aws:ec2:{region}:{account}:key-pair/{KeyName}",
        properties: &[("keyname", "KeyName"), ("keyfingerprint", "KeyFingerprint")],
        edges: &[],
    },
    Kind {
        label: "AWSInternetGateway",
        service: "ec2",
        operation: "describe_internet_gateways",
        parameters: ALL,
        items: "InternetGateways[]",
        id: "{InternetGatewayId}",
        properties: &[("ownerid", "OwnerId")],
        edges: &[("(:AWSInternetGateway)-[:ATTACHED_TO]->(:AWSVpc)", "{InternetGatewayId}", "{Attachments[].VpcId}")],
    },
    Kind {
        label: "AWSEC2RouteTable",
        service: "ec2",
        operation: "describe_route_tables",
        parameters: ALL,
        items: "RouteTables[]",
        id: "{RouteTableId}",
        properties: &[("vpc_id", "VpcId"), ("owner_id", "OwnerId")],
        edges: &[("(:AWSEC2RouteTable)-[:MEMBER_OF_AWS_VPC]->(:AWSVpc)", "{RouteTableId}", "{VpcId}")],
    },
    Kind {
        label: "AWSUser",
        service: "iam",
        operation: "list_users",
        parameters: ALL,
        items: "Users[]",
        id: "{Arn}",
        properties: &[("name", "UserName"), ("path", "Path"), ("userid", "UserId")],
        edges: &[("(:AWSAccount)-[:RESOURCE]->(:AWSUser)", "{account}", "{Arn}")],
    },
    Kind {
        label: "AWSGroup",
        service: "iam",
        operation: "list_groups",
        parameters: ALL,
        items: "Groups[]",
        id: "{Arn}",
        properties: &[("name", "GroupName"), ("path", "Path"), ("groupid", "GroupId")],
        edges: &[],
    },
    Kind {
        label: "AWSRole",
        service: "iam",
        operation: "list_roles",
        parameters: ALL,
        items: "Roles[]",
        id: "{Arn}",
        properties: &[("name", "RoleName"), ("path", "Path"), ("roleid", "RoleId")],
        edges: &[],
    },
    Kind {
        label: "AWSInstanceProfile",
        service: "iam",
        operation: "list_instance_profiles",
        parameters: ALL,
        items: "InstanceProfiles[]",
        id: "{Arn}",
        properties: &[("instance_profile_name", "InstanceProfileName"), ("path", "Path")],
        edges: &[("(:AWSInstanceProfile)-[:ASSOCIATED_WITH]->(:AWSRole)", "{Arn}", "{Roles[].Arn}")],
    },
    held_by("UserDetailList[].AttachedManagedPolicies[]"),
    held_by("GroupDetailList[].AttachedManagedPolicies[]"),
    held_by("RoleDetailList[].AttachedManagedPolicies[]"),
    holders("AWSUser", "UserDetailList[]", &[("(:AWSUser)-[:POLICY]->(:AWSManagedPolicy)", "{Arn}", HELD)]),
    holders("AWSGroup", "GroupDetailList[]", &[("(:AWSGroup)-[:POLICY]->(:AWSManagedPolicy)", "{Arn}", HELD)]),
    holders("AWSRole", "RoleDetailList[]", &[("(:AWSRole)-[:POLICY]->(:AWSManagedPolicy)", "{Arn}", HELD)]),
    Kind {
        label: "AWSInspectorFinding",
        service: "inspector2",
        operation: "list_findings",
        parameters: OPEN,
        items: "findings[]",
        id: "{findingArn}",
        properties: &[
            ("arn", "findingArn"),
            ("awsaccount", "awsAccountId"),
            ("name", "title"),
            ("severity", "severity"),
            ("type", "type"),
            ("description", "description"),
            ("vulnerabilityid", "packageVulnerabilityDetails.vulnerabilityId"),
        ],
        edges: &[
            ("(:AWSAccount)-[:MEMBER]->(:AWSInspectorFinding)", "{awsAccountId}", "{findingArn}"),
            ("(:AWSInspectorFinding)-[:AFFECTS]->(:AWSEC2Instance)", "{findingArn}", "{resources[].id}"),
        ],
    },
];

/// Managed policies of principals of one kind.
const fn held_by(items: &'static str) -> Kind {
    let properties = &[("name", "PolicyName"), ("arn", "PolicyArn")];
    Kind { id: "{PolicyArn}", properties, ..holders("AWSManagedPolicy", items, &[]) }
}

/// Principals of one kind, with edges to their policies and groups.
const fn holders(
    label: &'static str,
    items: &'static str,
    edges: &'static [(&'static str, &'static str, &'static str)],
) -> Kind {
    let (service, operation) = ("iam", "get_account_authorization_details");
    Kind { label, service, operation, parameters: PRINCIPALS, items, id: "{Arn}", properties: &[], edges }
}

/// Properties that are compared on a label.
pub(crate) fn properties_of(label: &str) -> Vec<&'static str> {
    let kinds = KINDS.iter().filter(|kind| kind.label == label);
    let names = kinds.flat_map(|kind| kind.properties.iter().map(|(name, _)| *name));
    let nested = nested::LABELS.iter().filter(|(known, _)| *known == label);
    let names: BTreeSet<&str> = names.chain(nested.flat_map(|(_, names)| names.iter().copied())).collect();
    names.into_iter().collect()
}

/// Everything of every kind in every account and region.
pub(crate) async fn of_aws(world: &World) -> Inventory {
    let regions = &world.organization.regions;
    let mut places = Vec::new();
    for kind in KINDS {
        let here = if kind.service == "iam" { &regions[..1] } else { &regions[..] };
        for account in &world.organization.accounts {
            places.extend(here.iter().map(|region| (kind, account.id.clone(), region.clone())));
        }
    }
    let call = |(kind, account, region): &(&Kind, String, String)| {
        let parameters: Value = serde_json::from_str(kind.parameters).expect("parameters are JSON");
        json!([account, region, kind.service, kind.operation, parameters])
    };
    let answers = world.aws.call_all(places.iter().map(call).collect()).await.expect("moto lists everything");
    let nodes = nested::LABELS.map(|(label, _)| (label, BTreeMap::new())).into();
    let mut inventory = Inventory { nodes, edges: BTreeMap::new() };
    let mut users = Vec::new();
    for ((kind, account, region), answer) in places.iter().zip(&answers) {
        for item in at(answer, kind.items) {
            inventory.add(kind, item, &[("account", account), ("region", region)]);
            match kind.operation {
                "describe_security_groups" => nested::add_rules(&mut inventory, item),
                "list_users" => users.push((account.as_str(), region.as_str(), item)),
                _ => {}
            }
        }
    }
    nested::add_access_keys(&mut inventory, world, &users).await;
    inventory
}

impl Inventory {
    fn add(&mut self, kind: &Kind, item: &Value, constants: &[(&str, &str)]) {
        let read =
            |(name, path): &(&'static str, &str)| Some(((*name).to_owned(), at(item, path).first().copied()?.clone()));
        let properties = kind.properties.iter().filter_map(read);
        let id = fill(kind.id, item, constants).pop().expect("an item has an id");
        self.nodes.entry(kind.label).or_default().entry(id).or_default().extend(properties);
        for (edge, from, to) in kind.edges {
            let pairs = self.edges.entry(edge).or_default();
            for start in fill(from, item, constants) {
                pairs.extend(fill(to, item, constants).into_iter().map(|end| (start.clone(), end)));
            }
        }
    }
}

/// Every value at a path such as `Reservations[].Instances[]`.
fn at<'a>(value: &'a Value, path: &str) -> Vec<&'a Value> {
    path.split('.').fold(vec![value], |values, step| {
        let name = step.trim_end_matches("[]");
        let members = values.into_iter().filter_map(|value| value.get(name)).filter(|value| !value.is_null());
        if step.ends_with("[]") { members.filter_map(Value::as_array).flatten().collect() } else { members.collect() }
    })
}

/// A template with its placeholders filled in, once for each value of a path that goes through a list.
fn fill(template: &str, item: &Value, constants: &[(&str, &str)]) -> Vec<String> {
    let Some((before, rest)) = template.split_once('{') else { return vec![template.to_owned()] };
    let (name, after) = rest.split_once('}').expect("a placeholder is closed");
    let constant = constants.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    let values: Vec<String> = match constant {
        Some(value) => vec![value],
        None => at(item, name).into_iter().filter_map(Value::as_str).map(str::to_owned).collect(),
    };
    let tails = fill(after, item, constants);
    values.iter().flat_map(|value| tails.iter().map(move |tail| format!("{before}{value}{tail}"))).collect()
}

/// Nodes of a label with these properties, by id, without absent properties.
pub(crate) async fn nodes_of_graph(
    world: &World,
    label: &str,
    properties: &[&str],
) -> BTreeMap<String, Map<String, Value>> {
    let shown = properties.iter().map(|name| format!("{name}: n.{name}")).collect::<Vec<_>>().join(", ");
    let rows = world.neo4j.rows(&format!("MATCH (n:{label}) RETURN n.id AS id, {{{shown}}} AS properties")).await;
    let row = |row: Value| {
        let mut properties = row["properties"].as_object().expect("a map").clone();
        properties.retain(|_, value| !value.is_null());
        (row["id"].as_str().expect("an id").to_owned(), properties)
    };
    rows.expect("the graph can be read").into_iter().map(row).collect()
}

/// Ids at both ends of every edge of a shape, written as `(:From)-[:TYPE]->(:To)`.
pub(crate) async fn edges_of_graph(world: &World, edge: &str) -> BTreeSet<(String, String)> {
    let pattern = edge.replacen("(:", "(a:", 1);
    let at = pattern.rfind("(:").expect("two ends");
    let pattern = format!("{}(b:{}", &pattern[..at], &pattern[at + 2..]);
    let rows = world.neo4j.rows(&format!("MATCH {pattern} RETURN a.id AS a, b.id AS b")).await;
    let text = |value: &Value| value.as_str().expect("an id").to_owned();
    rows.expect("the graph can be read").iter().map(|row| (text(&row["a"]), text(&row["b"]))).collect()
}
