//! Reads principals with policies page by page.

use crate::answer;
use graph::{GraphError, GraphStore, Portion, parameters};
use neo4rs::{DeError, Query, Row};

/// Limit of principals in a page.
const PAGE: usize = 200;
/// Number of principals read in one transaction, together with the roles that name them.
static READ: Portion = Portion::new(PAGE);

/// A principal with its linked ids.
#[derive(Debug)]
pub(super) struct Principal {
    /// ARN of the principal.
    pub(super) arn: String,
    /// Ids of the accounts that have it: always one.
    pub(super) accounts: Vec<String>,
    /// Sorted ids of its policies, including those of a user's groups.
    pub(super) policies: Vec<String>,
    /// Id of its permissions boundary, if the graph has one.
    pub(super) boundary: Option<String>,
    /// Id of its account's organization, if the graph has it.
    pub(super) organization: Option<String>,
    /// ARNs of the roles whose trust policies name it.
    pub(super) named_by: Vec<String>,
}

/// Principals with policies, and those that a role names, directly or through sessions. Services, identity providers
/// and root principals are excluded: they assume no roles by name.
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

/// Returns the next page; empty at the end.
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

    /// Ids of all policies that apply to it.
    pub(super) fn policy_ids(&self) -> impl Iterator<Item = &str> {
        self.policies.iter().chain(&self.boundary).map(String::as_str)
    }
}

/// Returns the only element. An account that moves between organizations may be listed in both for a while.
fn only(mut organizations: Vec<String>) -> Option<String> {
    organizations.pop().filter(|_| organizations.is_empty())
}
