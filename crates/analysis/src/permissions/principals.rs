//! Principals with policies, page by page.

use crate::answer;
use graph::{GraphError, GraphStore, parameters};
use neo4rs::{DeError, Query, Row};

/// Principals in a page.
const PAGE: i64 = 200;

/// A principal and what the graph links it to.
#[derive(Debug)]
pub(super) struct Principal {
    /// Its ARN.
    pub(super) arn: String,
    /// Ids of the accounts that have it: one.
    pub(super) accounts: Vec<String>,
    /// Ids of its policies, sorted; a user's groups' among them.
    pub(super) policies: Vec<String>,
    /// Id of the policy that bounds it, if the graph knows one.
    pub(super) boundary: Option<String>,
    /// The roles that trust it by name, sorted.
    pub(super) trusted_by: Vec<TrustedBy>,
}

/// A role that trusts a principal.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct TrustedBy {
    /// ARN of the role.
    pub(super) role: String,
    /// Its trust policy has a condition for this principal.
    pub(super) conditional: bool,
}

/// A role that trusts a service, an identity provider or an account as a whole names nobody whose policies could allow
/// anything.
const TEXT: &str = "MATCH (p:AWSPrincipal) WHERE p.arn > $after AND (EXISTS { (p)-[:POLICY]->(:AWSPolicy) } \
    OR EXISTS { (p)-[:MEMBER_AWS_GROUP]->(:AWSGroup)-[:POLICY]->(:AWSPolicy) }) WITH p ORDER BY p.arn LIMIT $page \
    RETURN p.arn AS arn, p._groma_boundary AS boundary, \
    [(account:AWSAccount)-[:RESOURCE]->(p) | account.id] AS accounts, \
    [(p)-[:POLICY]->(policy:AWSPolicy) | policy.id] + \
    [(p)-[:MEMBER_AWS_GROUP]->(:AWSGroup)-[:POLICY]->(policy:AWSPolicy) | policy.id] AS policies, \
    CASE WHEN p:AWSRootPrincipal OR p:AWSServicePrincipal OR p:AWSFederatedPrincipal THEN [] \
    ELSE [(p)<-[trust:TRUSTS_AWS_PRINCIPAL]-(role:AWSRole) \
          WHERE trust._groma_denied IS NULL AND role.arn IS NOT NULL AND EXISTS { (:AWSAccount)-[:RESOURCE]->(role) } \
          | [role.arn, toString(coalesce(trust._groma_conditional, false))]] END AS trusted_by \
    ORDER BY arn";

/// The next page; empty at the end.
pub(super) async fn page(store: &GraphStore, after: &str) -> Result<Vec<Principal>, GraphError> {
    let rows = store.rows(query(after)).await?;
    rows.iter().map(Principal::read).collect::<Result<_, _>>().map_err(answer::unreadable)
}

pub(super) fn query(after: &str) -> Query {
    parameters::planned_once(TEXT, [("after", after.into()), ("page", PAGE.into())])
}

impl Principal {
    fn read(row: &Row) -> Result<Self, DeError> {
        let sorted = |column| {
            row.get::<Vec<String>>(column).map(|mut texts| {
                texts.sort();
                texts.dedup();
                texts
            })
        };
        Ok(Self {
            arn: row.get("arn")?,
            accounts: sorted("accounts")?,
            policies: sorted("policies")?,
            boundary: row.get("boundary")?,
            trusted_by: trusted_by(row.get("trusted_by")?),
        })
    }

    /// Of every policy that says something about it.
    pub(super) fn policy_ids(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().chain(&self.boundary).map(String::as_str)
    }
}

/// Pairs of a role and whether it trusts under a condition.
fn trusted_by(pairs: Vec<Vec<String>>) -> Vec<TrustedBy> {
    let read = |pair: Vec<String>| {
        let mut texts = pair.into_iter();
        Some(TrustedBy { role: texts.next()?, conditional: texts.next()? == "true" })
    };
    let mut roles: Vec<_> = pairs.into_iter().filter_map(read).collect();
    roles.sort();
    roles.dedup_by(|later, earlier| later.role == earlier.role);
    roles
}
