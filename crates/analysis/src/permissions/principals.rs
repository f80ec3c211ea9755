//! Principals with policies, page by page.

use crate::answer;
use graph::{GraphError, GraphStore, Portion, parameters};
use neo4rs::{DeError, Query, Row};

/// Most principals in a page.
const PAGE: usize = 200;
/// Principals read in one transaction: roles that name one are read with it.
static READ: Portion = Portion::new(PAGE);

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
    /// Id of its account's organization, if the graph knows it.
    pub(super) organization: Option<String>,
    /// ARNs of the roles whose trust policies name it.
    pub(super) named_by: Vec<String>,
}

/// Those with policies, and those that a role names, itself or through sessions. A service, an identity provider and an
/// account as a whole assume nothing by their name.
const TEXT: &str = "MATCH (p:AWSPrincipal) WHERE p.arn > $after AND (EXISTS { (p)-[:POLICY]->(:AWSPolicy) } \
    OR EXISTS { (p)-[:MEMBER_AWS_GROUP]->(:AWSGroup)-[:POLICY]->(:AWSPolicy) } \
    OR EXISTS { (p)<-[:TRUSTS_AWS_PRINCIPAL]-(:AWSRole) } \
    OR (p:AWSRole AND EXISTS { (p)<-[:RESOURCE]-(:AWSAccount)<-[:_module_TRUSTS]-(:AWSRole) })) WITH p ORDER BY p.arn LIMIT $page \
    RETURN p.arn AS arn, p._groma_boundary AS boundary, \
    [(account:AWSAccount)-[:RESOURCE]->(p) | account.id] AS accounts, \
    [(p)<-[:RESOURCE]-(:AWSAccount)<-[:_module_MEMBER]-(organization:AWSOrganization) | organization.id] AS organizations, \
    [(p)-[:POLICY]->(policy:AWSPolicy) | policy.id] + \
    [(p)-[:MEMBER_AWS_GROUP]->(:AWSGroup)-[:POLICY]->(policy:AWSPolicy) | policy.id] AS policies, \
    CASE WHEN p:AWSRootPrincipal OR p:AWSServicePrincipal OR p:AWSFederatedPrincipal THEN [] \
    ELSE [(p)<-[trust:TRUSTS_AWS_PRINCIPAL]-(role:AWSRole) \
          WHERE role.arn IS NOT NULL AND EXISTS { (:AWSAccount)-[:RESOURCE]->(role) } | role.arn] END AS named_by \
    ORDER BY arn";

/// The next page; empty at the end.
pub(super) async fn page(store: &GraphStore, after: &str) -> Result<Vec<Principal>, GraphError> {
    let (_, rows) = store.in_portion(&READ, PAGE, |size| query(after, size)).await?;
    rows.iter().map(Principal::read).collect::<Result<_, _>>().map_err(answer::unreadable)
}

pub(super) fn query(after: &str, page: usize) -> Query {
    let page = i64::try_from(page).unwrap_or(i64::MAX);
    parameters::planned_once(TEXT, [("after", after.into()), ("page", page.into())])
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
            organization: only(sorted("organizations")?),
            named_by: sorted("named_by")?,
        })
    }

    /// Of every policy that says something about it.
    pub(super) fn policy_ids(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().chain(&self.boundary).map(String::as_str)
    }
}

/// An account that changes organizations may be in the listings of both for a while.
fn only(mut organizations: Vec<String>) -> Option<String> {
    organizations.pop().filter(|_| organizations.is_empty())
}
