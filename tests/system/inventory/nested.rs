//! Resources that no [`Kind`](super::Kind) can describe: rules of security groups, whose ids come from two levels of an
//! answer, and access keys, which are listed user by user.

use super::{Inventory, at};
use crate::world::World;
use serde_json::{Map, Value, json};

/// Sets of rules in a group, and the labels of their nodes.
const RULES: [(&str, &[&str]); 2] =
    [("IpPermissions", &["AWSIpPermissionInbound", "AWSIpRule"]), ("IpPermissionsEgress", &["AWSIpRule"])];
const RULE_OF_GROUP: &str = "(:AWSIpRule)-[:MEMBER_OF_EC2_SECURITY_GROUP]->(:AWSEC2SecurityGroup)";
const RANGE_OF_RULE: &str = "(:AWSIpRange)-[:MEMBER_OF_IP_RULE]->(:AWSIpRule)";
const KEY_OF_USER: &str = "(:AWSUser)-[:AWS_ACCESS_KEY]->(:AWSAccountAccessKey)";

const OF_RULE: &[&str] = &["ruleid", "groupid", "protocol", "fromport", "toport"];

/// Labels that are compared even if they have no node, with their properties.
pub(super) const LABELS: [(&str, &[&str]); 4] = [
    ("AWSIpPermissionInbound", OF_RULE),
    ("AWSIpRule", OF_RULE),
    ("AWSIpRange", &["range"]),
    ("AWSAccountAccessKey", &["accesskeyid", "status"]),
];

/// Adds the rules of a group as `DescribeSecurityGroups` gives it, and their ranges.
pub(super) fn add_rules(inventory: &mut Inventory, group: &Value) {
    let group_id = text(&group["GroupId"]);
    for (set, labels) in RULES {
        for rule in at(group, &format!("{set}[]")) {
            let port = |name| rule.get(name).map_or_else(|| "None".to_owned(), Value::to_string);
            let protocol = text(&rule["IpProtocol"]);
            let id = format!("{group_id}/{set}/{}{}{protocol}", port("FromPort"), port("ToPort"));
            let rule_id = json!(id);
            let node = [
                ("ruleid", Some(&rule_id)),
                ("groupid", group.get("GroupId")),
                ("protocol", rule.get("IpProtocol")),
                ("fromport", rule.get("FromPort")),
                ("toport", rule.get("ToPort")),
            ];
            for label in labels {
                add(inventory, label, &id, &node);
            }
            inventory.edges.entry(RULE_OF_GROUP).or_default().insert((id.clone(), group_id.clone()));
            for cidr in at(rule, "IpRanges[].CidrIp") {
                add(inventory, "AWSIpRange", &text(cidr), &[("range", Some(cidr))]);
                inventory.edges.entry(RANGE_OF_RULE).or_default().insert((text(cidr), id.clone()));
            }
        }
    }
}

/// Adds the keys of users, each with its account, a region and the answer of `ListUsers`.
pub(super) async fn add_access_keys(inventory: &mut Inventory, world: &World, users: &[(&str, &str, &Value)]) {
    let call = |(account, region, user): &(&str, &str, &Value)| {
        let name = &user["UserName"];
        json!([account, region, "iam", "list_access_keys", {"UserName": name}])
    };
    let answers = world.aws.call_all(users.iter().map(call).collect()).await.expect("moto lists keys");
    for ((_, _, user), answer) in users.iter().zip(&answers) {
        for key in at(answer, "AccessKeyMetadata[]") {
            let id = text(&key["AccessKeyId"]);
            let node = [("accesskeyid", key.get("AccessKeyId")), ("status", key.get("Status"))];
            add(inventory, "AWSAccountAccessKey", &id, &node);
            inventory.edges.entry(KEY_OF_USER).or_default().insert((text(&user["Arn"]), id));
        }
    }
}

fn add(inventory: &mut Inventory, label: &'static str, id: &str, properties: &[(&str, Option<&Value>)]) {
    let given = properties.iter().filter_map(|(name, value)| Some(((*name).to_owned(), (*value)?.clone())));
    let node: Map<String, Value> = given.collect();
    inventory.nodes.entry(label).or_default().insert(id.to_owned(), node);
}

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}
