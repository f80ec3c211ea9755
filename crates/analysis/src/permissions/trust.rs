//! Trust policies of roles.

use super::resources::Resources;
use crate::{answer, policy::TrustPolicy};
use graph::{GraphError, GraphStore, parameters};
use neo4rs::{DeError, Query, Row};
use std::collections::{BTreeSet, HashMap};

/// Number of roles per query. A trust policy has up to 4,096 characters (IAM user guide, "IAM and AWS STS quotas").
const AT_ONCE: usize = 500;
/// Limit of trust policies cached beyond a page of principals.
const MOST: usize = 10_000;

const BY_NAME: &str = "UNWIND $ids AS id MATCH (role:AWSRole {arn: id}) USING INDEX role:AWSRole(arn) \
    RETURN role.arn AS role, role._groma_trust AS trust";

/// `is_linked` is true for trust in the account as a whole. The other relationship is for sessions of the account's
/// roles, and for its bare id.
const OF_ACCOUNT: &str = "MATCH (:AWSAccount {id: $account})-[:RESOURCE]->(:AWSRootPrincipal)<-[:TRUSTS_AWS_PRINCIPAL]-(role:AWSRole) \
    WHERE role.arn IS NOT NULL AND EXISTS { (:AWSAccount)-[:RESOURCE]->(role) } \
    RETURN role.arn AS role, role._groma_trust AS trust, true AS is_linked \
    UNION ALL MATCH (:AWSAccount {id: $account})<-[:_module_TRUSTS]-(role:AWSRole) \
    WHERE role.arn IS NOT NULL AND EXISTS { (:AWSAccount)-[:RESOURCE]->(role) } \
    RETURN role.arn AS role, role._groma_trust AS trust, false AS is_linked";

pub(super) fn by_name(roles: &[&str]) -> Query {
    parameters::planned_once(BY_NAME, [("ids", parameters::texts(roles))])
}

pub(super) fn of_account(account: &str) -> Query {
    parameters::planned_once(OF_ACCOUNT, [("account", account.into())])
}

/// Trust policies of roles that name principals, by ARN of the role.
#[derive(Debug, Default)]
pub(super) struct Trusts(HashMap<String, TrustPolicy>);

impl Trusts {
    /// Reads the trust policies that are not cached.
    pub(super) async fn load(
        &mut self,
        store: &GraphStore,
        roles: impl Iterator<Item = &str>,
    ) -> Result<(), GraphError> {
        if self.0.len() > MOST {
            self.0.clear();
        }
        let new: BTreeSet<&str> = roles.filter(|role| !self.0.contains_key(*role)).collect();
        let new: Vec<&str> = new.into_iter().collect();
        for roles in new.chunks(AT_ONCE) {
            for row in store.rows(by_name(roles)).await? {
                let (role, trust) = read(&row).map_err(answer::unreadable)?;
                self.0.insert(role, trust);
            }
        }
        Ok(())
    }

    pub(super) fn get(&self, role: &str) -> Option<&TrustPolicy> {
        self.0.get(role)
    }
}

fn read(row: &Row) -> Result<(String, TrustPolicy), DeError> {
    Ok((row.get("role")?, TrustPolicy::new(row.get::<Option<String>>("trust")?.as_deref())))
}

/// Roles of any account that trust one account or sessions of its roles.
#[derive(Debug, Default)]
pub(super) struct Trusting {
    /// Roles for which the principal needs a policy.
    roles: Resources,
    /// Roles that may name one of its sessions.
    of_sessions: BTreeSet<String>,
    policies: HashMap<String, TrustPolicy>,
}

impl Trusting {
    pub(super) async fn read(store: &GraphStore, account: &str) -> Result<Self, GraphError> {
        let (mut policies, mut of_sessions) = (HashMap::new(), BTreeSet::new());
        for row in store.rows(of_account(account)).await? {
            let (role, trust) = read(&row).map_err(answer::unreadable)?;
            if !row.get::<bool>("is_linked").map_err(answer::unreadable)? {
                of_sessions.insert(role.clone());
            }
            policies.insert(role, trust);
        }
        Ok(Self { roles: Resources::new(policies.keys().cloned().collect()), of_sessions, policies })
    }

    /// Returns all roles.
    pub(super) fn roles(&self) -> &Resources {
        &self.roles
    }

    /// Returns the roles that a session may assume without a policy of its role.
    pub(super) fn of_sessions(&self) -> impl Iterator<Item = &str> {
        self.of_sessions.iter().map(String::as_str)
    }

    pub(super) fn get(&self, role: &str) -> Option<&TrustPolicy> {
        self.policies.get(role)
    }
}
