//! Steps of a path, as data. Each is a relationship of the graph in the direction in which a client, or an attacker, moves.
//!
//! **Network.** A range reaches a security group through an inbound rule, and the group's members: instances, interfaces, load
//! balancers. A load balancer reaches its targets, whatever their groups, and nothing else. An instance, or an interface that no
//! AWS service manages, reaches the groups that admit a group of it. An instance reaches its VPC, and the VPCs that are connected
//! through one active peering or through a transit gateway; it does not reach their instances on this path, because security
//! groups decide. A peering leads to no further VPC.
//!
//! **Permissions.** A key acts as its user. Principals, instances and functions assume roles, and principals use resources, as
//! the analysis has evaluated identity policies, trust policies and boundaries, with `Deny`. It does not evaluate the policies of
//! buckets, keys and secrets. Groups begin no such step: their edges ignore the policies of their members. `CAN_PASS_ROLE` is no
//! step, because a passed role acts only in a service.
//!
//! **Administrator.** A user, its groups and a role have policies, and one statement allows everything on everything.
//!
//! Not considered, because the graph has them in part or not at all: see `notes`.

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
    /// Cypher condition on the step's ends `f` and `t` and its relationship `r`. Empty: none.
    pub only: &'static str,
    /// Cypher text or null of `f`, `t` and `r`: the reason for which the step is only possible. Empty: none.
    pub doubt: &'static str,
    /// Whether only a path to `administrator` takes it.
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

/// A label, with the role of a node on the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Place {
    /// Label.
    pub label: &'static str,
    /// Role.
    pub role: Role,
}

/// Role of a node. A security group both admits traffic to its members and represents them as senders. A path must pass
/// through a member between the two. A VPC leads to others only if the path comes from a subnet of it.
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
    /// A VPC that the path comes from, or its attachment to a transit gateway.
    Own,
    /// A VPC that a peering or a transit gateway leads to, or its attachment.
    Peer,
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
/// Label of buckets.
pub(crate) const BUCKET: &str = "AWSS3Bucket";
/// Label of functions.
pub(crate) const FUNCTION: &str = "AWSLambda";
/// Type of the edge to a role that a principal, an instance or a function may assume.
pub(crate) const ASSUME: &str = "STS_ASSUMEROLE_ALLOW";
/// Label of users.
pub(crate) const USER: &str = "AWSUser";
/// Label of roles.
pub(crate) const ROLE: &str = "AWSRole";

const MEMBER: &str = "MEMBER_OF_EC2_SECURITY_GROUP";
const SUBNET: &str = "AWSEC2Subnet";
/// Label of VPCs.
pub(crate) const VPC: &str = "AWSVpc";
const PEERING: &str = "AWSPeeringConnection";
const ATTACHMENT: &str = "AWSTransitGatewayAttachment";
const GATEWAY: &str = "AWSTransitGateway";
/// Relationship that gives no access to its end alone.
const PASS_ROLE: &str = "CAN_PASS_ROLE";

/// Condition of a statement that allows everything, as the questions about administrators have it.
const ALLOWS_ALL: &str = "t.effect = 'Allow' AND any(action IN t.action WHERE action IN ['*', '*:*']) \
    AND '*' IN t.resource AND coalesce(t.condition, '') IN ['', '[]', '[{}]']";
/// Condition of a relationship between groups that comes from an inbound rule, or from an unknown one.
const IS_INBOUND: &str = "r._groma_directions IS NULL OR 'inbound' IN r._groma_directions";
/// Doubt about a relationship between groups that was written without the direction.
const OF_UNKNOWN_DIRECTION: &str =
    "CASE WHEN r._groma_directions IS NULL THEN 'the rule may be an outbound one: sync again' END";
/// Condition of an interface whose traffic is that of a host: not of a load balancer or another service.
const IS_OF_HOST: &str = "coalesce(f.requester_managed, false) = false \
    AND NOT EXISTS { (f)<-[:NETWORK_INTERFACE]-(:AWSLoadBalancerV2) }";
/// Doubt about a step into a bucket.
const OF_DENYING_BUCKET: &str = "CASE WHEN EXISTS { (t)-[:POLICY_STATEMENT]->(:AWSS3PolicyStatement {effect: 'Deny'}) } \
    THEN 'the bucket policy has a statement that denies' END";
/// Doubt about a target of a network load balancer.
const OF_NETWORK_BALANCER: &str = "CASE WHEN f.type = 'network' \
    THEN 'the security groups of the target must admit the clients or the load balancer' END";

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
    Hop { from, kind, stored: Stored::Along, to, reason, only: "", doubt: "", is_of_administrator: false }
}

fn against(from: Place, kind: &'static str, to: Place, reason: &'static str) -> Hop {
    Hop { stored: Stored::Against, ..along(from, kind, to, reason) }
}

/// Steps of traffic.
pub(crate) fn network() -> Vec<Hop> {
    let [sender, receiver, open] = [Role::Sender, Role::Receiver, Role::Open].map(|role| Place { label: GROUP, role });
    let mut hops = vec![
        along(plain(RANGE), "MEMBER_OF_IP_RULE", plain(RULE), "the rule admits the range"),
        along(plain(RULE), MEMBER, open, "the group has the rule"),
        Hop {
            only: IS_INBOUND,
            doubt: OF_UNKNOWN_DIRECTION,
            ..against(sender, "ALLOWS_TRAFFIC_FROM", receiver, "the group admits members of the other")
        },
        against(plain(INTERFACE), "NETWORK_INTERFACE", plain(INSTANCE), "the instance has the interface"),
        along(plain(INSTANCE), "NETWORK_INTERFACE", plain(INTERFACE), "the instance has the interface"),
        along(plain(CLASSIC), "EXPOSE", plain(INSTANCE), "the load balancer forwards to it"),
        against(plain("AWSEC2PrivateIp"), "PRIVATE_IP_ADDRESS", plain(INTERFACE), "the interface has the address"),
        along(plain(INSTANCE), MEMBER, sender, "it sends as a member of the group"),
        Hop { only: IS_OF_HOST, ..along(plain(INTERFACE), MEMBER, sender, "it sends as a member of the group") },
    ];
    for member in [INSTANCE, INTERFACE, BALANCER, CLASSIC] {
        hops.push(against(receiver, MEMBER, plain(member), "it is in the group"));
        hops.push(against(open, MEMBER, plain(member), "it is in the group"));
    }
    for target in [INSTANCE, FUNCTION, BALANCER, "AWSEC2PrivateIp", "AWSECSContainer"] {
        let hop = along(plain(BALANCER), "EXPOSE", plain(target), "the load balancer forwards to it");
        hops.push(Hop { doubt: OF_NETWORK_BALANCER, ..hop });
    }
    for asset in [INSTANCE, INTERFACE] {
        hops.push(along(plain(asset), "PART_OF_SUBNET", plain(SUBNET), "it is in the subnet"));
    }
    hops.extend(between_vpcs());
    hops
}

/// Steps from a subnet to its VPC and to connected ones.
fn between_vpcs() -> Vec<Hop> {
    let [own, peer] = [Role::Own, Role::Peer].map(|role| Place { label: VPC, role });
    let [leaving, entering] = [Role::Own, Role::Peer].map(|role| Place { label: ATTACHMENT, role });
    let active = |hop: Hop, only| Hop { only, ..hop };
    let mut hops = vec![
        along(plain(SUBNET), "MEMBER_OF_AWS_VPC", own, "the subnet is in the VPC"),
        active(
            along(own, "RESOURCE", leaving, "the VPC has the attachment"),
            "coalesce(t.state, 'available') = 'available'",
        ),
        along(leaving, "ATTACHED_TO", plain(GATEWAY), "it is attached to the gateway"),
        active(
            against(plain(GATEWAY), "ATTACHED_TO", entering, "it is attached to the gateway"),
            "coalesce(t.state, 'available') = 'available'",
        ),
        against(entering, "RESOURCE", peer, "the VPC has the attachment"),
    ];
    for side in ["REQUESTER_VPC", "ACCEPTER_VPC"] {
        hops.push(active(
            against(own, side, plain(PEERING), "it is peered"),
            "coalesce(t.status_code, 'active') = 'active'",
        ));
        hops.push(active(
            along(plain(PEERING), side, peer, "it is peered"),
            "coalesce(f.status_code, 'active') = 'active'",
        ));
    }
    hops
}

fn permissions() -> Vec<Hop> {
    let key = against(plain("AWSAccountAccessKey"), "AWS_ACCESS_KEY", plain(USER), "the key acts as the user");
    let mut hops = vec![Hop { only: "coalesce(f.status, 'Active') = 'Active'", ..key }];
    for caller in [USER, ROLE, INSTANCE, FUNCTION] {
        hops.push(along(plain(caller), ASSUME, plain(ROLE), "it may assume the role"));
    }
    for rule in RULES.iter().filter(|rule| rule.edge != PASS_ROLE) {
        for principal in [USER, ROLE] {
            let doubt = if rule.target == BUCKET { OF_DENYING_BUCKET } else { "" };
            let hop = along(plain(principal), rule.edge, plain(rule.target), "its policies allow it");
            hops.push(Hop { doubt, ..hop });
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
