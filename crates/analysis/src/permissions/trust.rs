//! Roles that trust accounts as a whole.

use super::{
    principals::{covers, said},
    resources::Resources,
};
use crate::{answer, policy::Covers};
use graph::{GraphError, GraphStore, parameters};
use neo4rs::Query;
use std::collections::HashMap;

const TEXT: &str = concat!(
    "MATCH (:AWSAccount {id: $account})-[:RESOURCE]->(:AWSRootPrincipal)<-[trust:TRUSTS_AWS_PRINCIPAL]-(role:AWSRole) \
     WHERE role.arn IS NOT NULL AND EXISTS { (:AWSAccount)-[:RESOURCE]->(role) } RETURN ",
    said!(),
    " AS said"
);

/// The roles, of whatever account, that trust one account.
#[derive(Debug, Default)]
pub(super) struct Trusting {
    roles: Resources,
    covers: HashMap<String, Covers>,
}

impl Trusting {
    pub(super) async fn read(store: &GraphStore, account: &str) -> Result<Self, GraphError> {
        let rows = store.rows(query(account)).await?;
        let pairs: Result<_, _> = rows.iter().map(|row| row.get("said")).collect();
        let covers = covers(pairs.map_err(answer::unreadable)?);
        Ok(Self { roles: Resources::new(covers.keys().cloned().collect()), covers })
    }

    /// Those that let in the account.
    pub(super) fn roles(&self) -> &Resources {
        &self.roles
    }

    /// Whether a role lets in the account.
    pub(super) fn covers(&self, role: &str) -> Covers {
        self.covers.get(role).copied().unwrap_or(Covers::No)
    }
}

pub(super) fn query(account: &str) -> Query {
    parameters::planned_once(TEXT, [("account", account.into())])
}
