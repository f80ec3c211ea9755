//! Steps of traffic that the relationships suggest but that are blocked, or only possible.

use crate::{
    hop::{BALANCER, CLASSIC, GROUP, INSTANCE, INTERFACE, Place, RULE, Role},
    node::{Edge, Node},
};

/// Scheme of a load balancer with public addresses.
const FACING: &str = "internet-facing";
/// Type of a load balancer that filters nothing itself.
const NETWORK: &str = "network";
/// States of an instance that runs.
const RUNNING: [&str; 2] = ["running", "pending"];

/// Whether a path takes a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It does.
    Open,
    /// It may, for this reason.
    May(String),
    /// It does not, for this reason.
    Blocked(String),
}

impl Verdict {
    /// The stricter of two.
    pub(crate) fn and(self, other: Self) -> Self {
        match (&self, &other) {
            (Self::Blocked(_), _) => self,
            (_, Self::Blocked(_)) | (Self::Open, _) => other,
            _ => self,
        }
    }
}

/// An asset in its place.
pub(crate) type Placed<'a> = (Place, &'a Node);

/// Judges a step between two assets. `is_from_internet`: the traffic comes from public addresses.
///
/// As in the analysis: an instance needs a public address, and a load balancer must face the internet.
pub(crate) fn step(first: Placed<'_>, edge: &Edge, then: Placed<'_>, is_from_internet: bool) -> Verdict {
    let stopped = [first, then].into_iter().find_map(|(place, node)| {
        let state = node.state.as_deref().filter(|_| place.label == INSTANCE)?;
        (!RUNNING.contains(&state)).then(|| format!("{} is {state}", node.id))
    });
    if let Some(stopped) = stopped {
        return Verdict::Blocked(stopped);
    }
    let node = then.1;
    let reason = match (first.0, then.0.label) {
        (Place { label: RULE, .. }, GROUP) => {
            first.1.is_icmp().then(|| format!("{} admits only ICMP, which makes no connection", first.1.id))
        }
        (Place { label: GROUP, role: Role::Sender }, GROUP) => {
            edge.is_icmp().then(|| format!("{} admits only ICMP, which makes no connection", node.id))
        }
        (Place { label: GROUP, role: Role::Open }, INSTANCE | INTERFACE) if is_from_internet => {
            node.address.is_none().then(|| format!("{} has no public address", node.id))
        }
        (Place { label: GROUP, role: Role::Open }, BALANCER | CLASSIC) if is_from_internet => {
            let is_inside = node.scheme.as_deref() != Some(FACING);
            is_inside.then(|| format!("{} does not face the internet", node.id))
        }
        _ => None,
    };
    reason.map_or(Verdict::Open, Verdict::Blocked)
}

/// Judges a rule of a load balancer's group: it must admit a listener. `target_group`: ARN of the group that the path continues
/// to. Rules of a listener are not in the graph, so a listener may forward to further groups.
pub(crate) fn listeners(rule: &Node, balancer: &Node, target_group: Option<&str>) -> Verdict {
    if !balancer.listeners.iter().any(|it| rule.admits(it)) {
        return Verdict::Blocked(format!("{} has no listener on a port of the rule", balancer.id));
    }
    let mut own =
        balancer.listeners.iter().filter(|it| target_group.is_some() && it.target_group.as_deref() == target_group);
    match own.next() {
        Some(first) if !rule.admits(first) && !own.any(|it| rule.admits(it)) => Verdict::May(format!(
            "the listeners of {} that the rule admits forward to other target groups by default",
            balancer.id
        )),
        _ => Verdict::Open,
    }
}

/// Whether a place is a load balancer that a rule's ports decide about.
pub(crate) fn is_balancer(place: Place) -> bool {
    [BALANCER, CLASSIC].contains(&place.label)
}

/// Whether every address reaches a load balancer: a network load balancer without security groups, with a listener, as in the
/// analysis.
pub(crate) fn is_unfiltered(node: &Node) -> bool {
    node.kind.as_deref() == Some(NETWORK)
        && node.scheme.as_deref() == Some(FACING)
        && !node.has_groups
        && node.listeners.iter().any(|it| it.port.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::node::Listener;

    fn balancer() -> Node {
        let listener = |port, group: &str| Listener {
            port: Some(port),
            protocol: Some("HTTP".into()),
            target_group: Some(group.into()),
        };
        Node { id: "alb".into(), listeners: vec![listener(80, "web"), listener(8080, "admin")], ..Node::default() }
    }

    fn rule(port: i64) -> Node {
        Node { protocol: Some("tcp".into()), first_port: Some(port), last_port: Some(port), ..Node::default() }
    }

    #[test]
    fn a_closed_listener_leaves_its_target_group_in_doubt() {
        let judged = |port, group| listeners(&rule(port), &balancer(), group);
        assert_eq!(judged(80, Some("web")), Verdict::Open);
        assert!(matches!(judged(80, Some("admin")), Verdict::May(_)));
        assert_eq!([judged(80, None), judged(80, Some("unknown"))], [Verdict::Open, Verdict::Open]);
        assert!(matches!(judged(22, Some("web")), Verdict::Blocked(_)));
    }

    #[test]
    fn the_stricter_verdict_counts() {
        let (may, blocked) = (Verdict::May("m".into()), Verdict::Blocked("b".into()));
        assert_eq!(may.clone().and(blocked.clone()), blocked);
        assert_eq!(blocked.clone().and(may.clone()), blocked);
        assert_eq!(Verdict::Open.and(may.clone()), may);
    }
}
