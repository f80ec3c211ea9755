//! Reads the resources of one account after another.

use super::{resources::Resources, rules::Rule, trust::Trusting};
use crate::{answer, indexes::INDEXES};
use graph::{GraphError, GraphStore, parameters};
use neo4rs::{DeError, Query};
use std::collections::{HashMap, HashSet, hash_map::Entry};

/// Resources of the current account.
#[derive(Default)]
pub(super) struct Accounts {
    account: String,
    /// By the Cypher text that reads them, because several rules share resources.
    resources: HashMap<String, Resources>,
    trusting: Option<Trusting>,
    indexed: HashSet<&'static str>,
}

impl Accounts {
    pub(super) async fn resources(
        &mut self,
        store: &GraphStore,
        account: &str,
        rule: &'static Rule,
    ) -> Result<&Resources, GraphError> {
        self.turn_to(account);
        match self.resources.entry(rule.resources()) {
            Entry::Occupied(known) => Ok(known.into_mut()),
            Entry::Vacant(new) => {
                if self.indexed.insert(rule.target) {
                    ensure_index(store, rule.target).await?;
                }
                let rows = store.rows(query(new.key(), account)).await?;
                let arns: Result<Vec<String>, DeError> = rows.iter().map(|row| row.get("arn")).collect();
                Ok(new.insert(Resources::new(arns.map_err(answer::unreadable)?)))
            }
        }
    }

    /// Returns the roles that trust the account as a whole.
    pub(super) async fn trusting(&mut self, store: &GraphStore, account: &str) -> Result<&Trusting, GraphError> {
        self.turn_to(account);
        let known = match self.trusting.take() {
            Some(known) => known,
            None => Trusting::read(store, account).await?,
        };
        Ok(self.trusting.insert(known))
    }

    fn turn_to(&mut self, account: &str) {
        if self.account != account {
            account.clone_into(&mut self.account);
            self.resources.clear();
            self.trusting = None;
        }
    }
}

pub(super) fn query(text: &str, account: &str) -> Query {
    parameters::planned_once(text, [("account", account.into())])
}

/// Ensures an index on `arn`, by which edges are written. A statement that is planned before its index is populated
/// scans the label.
async fn ensure_index(store: &GraphStore, label: &str) -> Result<(), GraphError> {
    if INDEXES.contains(&(label, "arn")) {
        return Ok(());
    }
    let text = format!("CREATE INDEX IF NOT EXISTS FOR (n:`{label}`) ON (n.arn)");
    store.rows(Query::new(text)).await?;
    graph::await_indexes(store, &[(label, vec!["arn"])]).await.map(drop)
}
