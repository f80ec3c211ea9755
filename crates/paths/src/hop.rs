//! Steps of a way, as data. Each is a relationship of the graph in the direction in which a client, or an attacker, moves.
//!
//! **Network.** A range reaches a security group through an inbound rule, and the group's members: instances, interfaces, load
//! balancers. A load balancer reaches its targets, whatever their groups. A member of a group reaches the groups that admit it.
//! An instance reaches its VPC, and the VPCs that are connected through active peerings or transit gateways; it does not reach
//! their instances on this way, because security groups decide.
//!
//! **Permissions.** A key acts as its user. Principals, instances and functions assume roles, and principals use resources, as
//! the analysis has evaluated all policies, with `Deny` and boundaries. Groups begin no such step: their edges ignore the
//! policies of their members. `CAN_PASS_ROLE` is no step, because a passed role acts only in a service.
//!
//! **Administrator.** A user, its groups and a role have policies, and one statement allows everything on everything.
//!
//! Not considered, because the graph has them in part or not at all: network ACLs, route tables, rules for private ranges and
//! prefix lists, outbound rules, service control policies.

use analysis::permissions::RULES;
use std::sync::LazyLock;

/// A step from one asset to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hop {
    /// Place that the step leaves.
    pub from: Place,
    /// Relationship type.
    pub kind: &'static str,
    /// Direction of the relationship in the graph.
    pub stored: Stored,
    /// Place that the step enters.
    pub to: Place,
    /// Reason for which the step is possible.
    pub reason: &'static str,
    /// Cypher condition on the step's ends `f` and `t`. Empty: none.
    pub only: &'static str,
    /// Whether only a way to `administrator` takes it.
    pub is_of_administrator: bool,
}

/// Direction of a relationship, seen from the step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// From the place that the step leaves.
    Along,
    /// From the place that the step enters.
    Against,
}

/// A label, with the role of a node on the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Label.
    pub label: &'static str,
    /// Role.
    pub role: Role,
}

/// Role of a node. A security group both admits traffic to its members and represents them as senders. A way must pass
/// through a member between the two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// The only role of a node.
    Plain,
    /// A security group whose members send.
    Sender,
    /// A security group that admits members of another group to its own.
    Receiver,
    /// A security group that admits a range to its members.
    Open,
}

/// Label of address ranges.
pub(crate) const RANGE: &str = "AWSIpRange";
/// Label of inbound rules.
pub(crate) const RULE: &str = "AWSIpPermissionInbound";
/// Label of security groups.
pub(crate) const GROUP: &str = "AWSEC2SecurityGroup";
/// Label of instances.
pub(crate) const INSTANCE: &str = "AWSEC2Instance";
/// Label of network interfaces.
pub(crate) const INTERFACE: &str = "AWSNetworkInterface";
/// Label of classic load balancers.
pub(crate) const CLASSIC: &str = "AWSLoadBalancer";
/// Label of other load balancers.
pub(crate) const BALANCER: &str = "AWSLoadBalancerV2";
/// Label of a statement of a policy.
pub(crate) const STATEMENT: &str = "AWSPolicyStatement";
/// Label of users.
pub(crate) const USER: &str = "AWSUser";
/// Label of roles.
pub(crate) const ROLE: &str = "AWSRole";

const MEMBER: &str = "MEMBER_OF_EC2_SECURITY_GROUP";
const SUBNET: &str = "AWSEC2Subnet";
const VPC: &str = "AWSVpc";
const PEERING: &str = "AWSPeeringConnection";
const ATTACHMENT: &str = "AWSTransitGatewayAttachment";
const GATEWAY: &str = "AWSTransitGateway";
/// Relationship that gives no access to its end alone.
const PASS_ROLE: &str = "CAN_PASS_ROLE";

/// Condition of a statement that allows everything, as the questions about administrators have it.
const ALLOWS_ALL: &str = "t.effect = 'Allow' AND any(action IN t.action WHERE action IN ['*', '*:*']) \
    AND '*' IN t.resource AND coalesce(t.condition, '') IN ['', '[]', '[{}]']";

static HOPS: LazyLock<Vec<Hop>> = LazyLock::new(|| {
    let mut hops = network();
    hops.extend(permissions());
    hops.extend(administrator());
    hops
});

/// Every step.
pub fn hops() -> &'static [Hop] {
    &HOPS
}

fn plain(label: &'static str) -> Place {
    Place { label, role: Role::Plain }
}

fn along(from: Place, kind: &'static str, to: Place, reason: &'static str) -> Hop {
    Hop { from, kind, stored: Stored::Along, to, reason, only: "", is_of_administrator: false }
}

fn against(from: Place, kind: &'static str, to: Place, reason: &'static str) -> Hop {
    Hop { stored: Stored::Against, ..along(from, kind, to, reason) }
}

fn network() -> Vec<Hop> {
    let [sender, receiver, open] = [Role::Sender, Role::Receiver, Role::Open].map(|role| Place { label: GROUP, role });
    let mut hops = vec![
        along(plain(RANGE), "MEMBER_OF_IP_RULE", plain(RULE), "the rule admits the range"),
        along(plain(RULE), MEMBER, open, "the group has the rule"),
        against(sender, "ALLOWS_TRAFFIC_FROM", receiver, "the group admits members of the other"),
        against(plain(INTERFACE), "NETWORK_INTERFACE", plain(INSTANCE), "the instance has the interface"),
        along(plain(INSTANCE), "NETWORK_INTERFACE", plain(INTERFACE), "the instance has the interface"),
        along(plain(CLASSIC), "EXPOSE", plain(INSTANCE), "the load balancer forwards to it"),
        against(plain("AWSEC2PrivateIp"), "PRIVATE_IP_ADDRESS", plain(INTERFACE), "the interface has the address"),
        along(plain(SUBNET), "MEMBER_OF_AWS_VPC", plain(VPC), "the subnet is in the VPC"),
        against(plain(SUBNET), "PART_OF_SUBNET", plain(ATTACHMENT), "the attachment is in the subnet"),
        along(plain(ATTACHMENT), "PART_OF_SUBNET", plain(SUBNET), "the attachment is in the subnet"),
        along(plain(ATTACHMENT), "ATTACHED_TO", plain(GATEWAY), "it is attached to the gateway"),
        against(plain(GATEWAY), "ATTACHED_TO", plain(ATTACHMENT), "it is attached to the gateway"),
    ];
    for member in [INSTANCE, INTERFACE, BALANCER, CLASSIC] {
        hops.push(against(receiver, MEMBER, plain(member), "it is in the group"));
        hops.push(against(open, MEMBER, plain(member), "it is in the group"));
        hops.push(along(plain(member), MEMBER, sender, "it sends as a member of the group"));
    }
    for target in [INSTANCE, "AWSLambda", BALANCER, "AWSEC2PrivateIp", "AWSECSContainer"] {
        hops.push(along(plain(BALANCER), "EXPOSE", plain(target), "the load balancer forwards to it"));
    }
    for asset in [INSTANCE, INTERFACE] {
        hops.push(along(plain(asset), "PART_OF_SUBNET", plain(SUBNET), "it is in the subnet"));
    }
    for side in ["REQUESTER_VPC", "ACCEPTER_VPC"] {
        let active = |hop: Hop, only| Hop { only, ..hop };
        hops.push(active(
            against(plain(VPC), side, plain(PEERING), "it is peered"),
            "coalesce(t.status_code, 'active') = 'active'",
        ));
        hops.push(active(
            along(plain(PEERING), side, plain(VPC), "it is peered"),
            "coalesce(f.status_code, 'active') = 'active'",
        ));
    }
    hops
}

fn permissions() -> Vec<Hop> {
    let key = against(plain("AWSAccountAccessKey"), "AWS_ACCESS_KEY", plain(USER), "the key acts as the user");
    let mut hops = vec![Hop { only: "coalesce(f.status, 'Active') = 'Active'", ..key }];
    for caller in [USER, ROLE, INSTANCE, "AWSLambda"] {
        hops.push(along(plain(caller), "STS_ASSUMEROLE_ALLOW", plain(ROLE), "it may assume the role"));
    }
    for rule in RULES.iter().filter(|rule| rule.edge != PASS_ROLE) {
        for principal in [USER, ROLE] {
            hops.push(along(plain(principal), rule.edge, plain(rule.target), "its policies allow it"));
        }
    }
    hops
}

fn administrator() -> Vec<Hop> {
    let mut hops = vec![
        along(plain(USER), "MEMBER_AWS_GROUP", plain("AWSGroup"), "it is in the group"),
        Hop {
            only: ALLOWS_ALL,
            ..along(
                plain("AWSPolicy"),
                "STATEMENT",
                plain(STATEMENT),
                "the statement allows every action on everything",
            )
        },
    ];
    for holder in [USER, ROLE, "AWSGroup"] {
        hops.push(along(plain(holder), "POLICY", plain("AWSPolicy"), "it has the policy"));
    }
    hops.into_iter().map(|hop| Hop { is_of_administrator: true, ..hop }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use analysis::results::{Written, outcomes};
    use catalog::Schema;
    use std::collections::BTreeSet;

    #[test]
    fn every_step_is_a_relationship_of_the_graph() {
        let schema = Schema::of(catalog::services());
        let has = |shown: &str, label: &str| {
            shown == label
                || schema.labels.get(label).is_some_and(|facts| facts.further.contains(shown))
                || schema.labels.get(shown).is_some_and(|facts| facts.further.contains(label))
        };
        let listed = schema.edges.keys().map(|shape| (shape.kind, shape.from, shape.to));
        let outcomes = outcomes();
        let analysed = outcomes.iter().filter_map(|it| match it.written {
            Written::Edge { from, kind, to, .. } => Some((kind, from, to)),
            Written::Property { .. } => None,
        });
        let shapes: Vec<_> = listed.chain(analysed).collect();
        for hop in hops() {
            let (start, end) = match hop.stored {
                Stored::Along => (hop.from.label, hop.to.label),
                Stored::Against => (hop.to.label, hop.from.label),
            };
            let is_known = shapes.iter().any(|(kind, from, to)| *kind == hop.kind && has(start, from) && has(end, to));
            assert!(is_known, "(:{start})-[:{}]->(:{end})", hop.kind);
        }
    }

    #[test]
    fn no_step_occurs_twice() {
        let all: BTreeSet<_> = hops().iter().map(|hop| (hop.from, hop.kind, hop.to)).collect();
        assert_eq!(all.len(), hops().len());
    }

    #[test]
    fn a_passed_role_and_a_group_give_nothing() {
        assert!(hops().iter().all(|hop| hop.kind != PASS_ROLE));
        let of_groups = hops().iter().filter(|hop| hop.from.label == "AWSGroup");
        assert!(of_groups.into_iter().all(|hop| hop.is_of_administrator));
    }
}
