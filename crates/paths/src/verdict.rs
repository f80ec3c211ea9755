//! Steps that the relationships suggest but that are blocked.

use crate::{
    hop::{BALANCER, CLASSIC, GROUP, INSTANCE, INTERFACE, Place, ROLE, RULE, Role, USER},
    node::Node,
};
use graph::{GraphError, GraphStore, parameters};
use std::collections::HashSet;

/// Scheme of a load balancer with public addresses.
const FACING: &str = "internet-facing";
/// Type of a load balancer that filters nothing itself.
const NETWORK: &str = "network";

/// An asset in its place.
pub(crate) type Placed<'a> = (Place, &'a Node);

/// Returns the reason for which no traffic of the internet takes a step from the first asset to those after it, in the order of
/// the way: at most three. `None`: it may pass.
///
/// As in the analysis: an instance needs a public address, and a load balancer must face the internet, with a listener on a
/// port of the rule.
pub(crate) fn entrance(first: Placed<'_>, then: Placed<'_>, last: Option<Placed<'_>>) -> Option<String> {
    let node = then.1;
    match (first.0, then.0.label) {
        (Place { label: GROUP, role: Role::Open }, INSTANCE | INTERFACE) => {
            node.address.is_none().then(|| format!("{} has no public address", node.id))
        }
        (Place { label: GROUP, role: Role::Open }, BALANCER | CLASSIC) => {
            let is_inside = node.scheme.as_deref() != Some(FACING);
            is_inside.then(|| format!("{} does not face the internet", node.id))
        }
        (Place { label: RULE, .. }, GROUP) => {
            let balancer =
                last.filter(|(place, _)| [BALANCER, CLASSIC].contains(&place.label)).map(|(_, node)| node)?;
            let is_open = balancer.ports.iter().any(|port| first.1.admits(*port));
            (!is_open).then(|| format!("{} has no listener on a port of the rule", balancer.id))
        }
        _ => None,
    }
}

/// Whether every address reaches a load balancer whatever its groups: a network load balancer with a listener, as in the
/// analysis.
pub(crate) fn is_unfiltered(node: &Node) -> bool {
    node.kind.as_deref() == Some(NETWORK) && node.scheme.as_deref() == Some(FACING) && !node.ports.is_empty()
}

/// Condition of a statement that takes everything away, or all except some actions.
const DENIES: &str = "UNWIND $elements AS element MATCH (p) WHERE elementId(p) = element \
    AND EXISTS { MATCH (p)-[:MEMBER_AWS_GROUP*0..1]->()-[:POLICY]->(:AWSPolicy)-[:STATEMENT]->(s:AWSPolicyStatement) \
      WHERE s.effect = 'Deny' AND '*' IN s.resource AND coalesce(s.condition, '') IN ['', '[]', '[{}]'] \
        AND (any(action IN s.action WHERE action IN ['*', '*:*']) OR size(coalesce(s.notaction, [])) > 0) } \
    RETURN element";

/// Returns the ids in the database of principals to which a policy denies everything.
pub(crate) async fn denied(store: &GraphStore, principals: &[String]) -> Result<HashSet<String>, GraphError> {
    let rows = store.rows(parameters::query(DENIES, [("elements", parameters::texts(principals))])).await?;
    Ok(rows.iter().map(|row| row.get("element")).collect::<Result<_, _>>()?)
}

/// Whether policies of a place decide about administration.
pub(crate) fn is_principal(place: Place) -> bool {
    [USER, ROLE].contains(&place.label)
}

/// Returns the reason for which a principal is no administrator, whatever its policies allow. `None`: they decide. A boundary
/// is a reason, as in the questions about administrators.
pub(crate) fn limit(node: &Node, is_denied: bool) -> Option<String> {
    match &node.boundary {
        Some(boundary) => Some(format!("{} has the permissions boundary {boundary}", node.id)),
        None => is_denied.then(|| format!("a policy of {} denies everything", node.id)),
    }
}
