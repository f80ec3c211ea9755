//! Principals with policies, page by page.

use crate::{answer, policy::Covers};
use graph::{GraphError, GraphStore, parameters};
use neo4rs::{DeError, Query, Row};
use std::collections::HashMap;

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
    /// Whether roles let it in, by their ARNs: those whose trust policy names it.
    pub(super) named_by: HashMap<String, Covers>,
}

/// Cypher for a role's ARN and [`Covers`], from its edge `trust`: what its trust policy says of the principal there.
macro_rules! said {
    () => {
        "[role.arn, CASE WHEN trust._groma_denied THEN 'No' WHEN trust._groma_conditional THEN 'Maybe' ELSE 'Yes' END]"
    };
}
pub(super) use said;

/// Those with policies, and those that a role names. A service, an identity provider and an account as a whole assume
/// nothing by their name.
const TEXT: &str = concat!(
    "MATCH (p:AWSPrincipal) WHERE p.arn > $after AND (EXISTS { (p)-[:POLICY]->(:AWSPolicy) } \
    OR EXISTS { (p)-[:MEMBER_AWS_GROUP]->(:AWSGroup)-[:POLICY]->(:AWSPolicy) } \
    OR EXISTS { (p)<-[:TRUSTS_AWS_PRINCIPAL]-(:AWSRole) }) WITH p ORDER BY p.arn LIMIT $page \
    RETURN p.arn AS arn, p._groma_boundary AS boundary, \
    [(account:AWSAccount)-[:RESOURCE]->(p) | account.id] AS accounts, \
    [(p)-[:POLICY]->(policy:AWSPolicy) | policy.id] + \
    [(p)-[:MEMBER_AWS_GROUP]->(:AWSGroup)-[:POLICY]->(policy:AWSPolicy) | policy.id] AS policies, \
    CASE WHEN p:AWSRootPrincipal OR p:AWSServicePrincipal OR p:AWSFederatedPrincipal THEN [] \
    ELSE [(p)<-[trust:TRUSTS_AWS_PRINCIPAL]-(role:AWSRole) \
          WHERE role.arn IS NOT NULL AND EXISTS { (:AWSAccount)-[:RESOURCE]->(role) } | ",
    said!(),
    "] END AS named_by ORDER BY arn"
);

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
            named_by: covers(row.get("named_by")?),
        })
    }

    /// Of every policy that says something about it.
    pub(super) fn policy_ids(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().chain(&self.boundary).map(String::as_str)
    }
}

/// From pairs like those of [`said`].
pub(super) fn covers(pairs: Vec<Vec<String>>) -> HashMap<String, Covers> {
    let read = |pair: Vec<String>| {
        let mut texts = pair.into_iter();
        let role = texts.next()?;
        let covers = match texts.next()?.as_str() {
            "No" => Covers::No,
            "Yes" => Covers::Yes,
            _ => Covers::Maybe,
        };
        Some((role, covers))
    };
    pairs.into_iter().filter_map(read).collect()
}
