//! Policies of the current principals, reduced to statements about the rules' actions.

use super::principals::Principal;
use crate::{
    answer,
    policy::{Asked, Caller, Holder, Policy, Raw, Statement},
};
use graph::{GraphError, GraphStore, Portion, parameters};
use neo4rs::{DeError, Query, Row};
use std::collections::{BTreeSet, HashMap};

/// Number of policies per query. The statements of the largest policies have tens of kilobytes.
const AT_ONCE: usize = 200;
/// Number of policies read in one transaction.
static READ: Portion = Portion::new(AT_ONCE);
/// Limit of cached managed policies. An account may have 1,500, up to 5,000 on request.
const MOST: usize = 10_000;

const TEXT: &str = "UNWIND $ids AS id MATCH (policy:AWSPolicy {id: id}) \
    OPTIONAL MATCH (policy)-[:STATEMENT]->(s:AWSPolicyStatement) \
    RETURN id, policy._groma_statements AS count, s IS NOT NULL AS is_statement, s.effect AS effect, s.action AS action, s.notaction AS notaction, s.resource AS resource, \
    s.notresource AS notresource, s.condition AS condition, s._groma_version AS version ORDER BY id, s.id";

pub(super) fn query(ids: &[&str]) -> Query {
    parameters::planned_once(TEXT, [("ids", parameters::texts(ids))])
}

/// Policies by id.
pub(super) struct Policies {
    asked: Asked,
    known: HashMap<String, Known>,
}

/// A cached policy.
#[derive(Default)]
struct Known {
    /// Its relevant statements.
    policy: Policy,
    /// Number of its statements in the graph, relevant or not.
    found: i64,
    /// Number of its statements in AWS; `None` if it could not be parsed.
    count: Option<i64>,
}

impl Known {
    /// Whether the graph has all its statements. Graphs of older versions do not have the number.
    fn is_read(&self) -> bool {
        self.count.map_or(self.found > 0, |count| self.found >= count)
    }
}

impl Policies {
    pub(super) fn new(asked: Asked) -> Self {
        Self { asked, known: HashMap::new() }
    }

    /// Reads the policies that are not cached.
    pub(super) async fn load(&mut self, store: &GraphStore, ids: impl Iterator<Item = &str>) -> Result<(), GraphError> {
        let new: BTreeSet<&str> = ids.filter(|id| !self.known.contains_key(*id)).collect();
        let new: Vec<&str> = new.into_iter().collect();
        let mut rest = &new[..];
        while !rest.is_empty() {
            let (size, rows) = store.in_portion(&READ, rest.len(), |size| query(&rest[..size])).await?;
            // A policy without rows is cached as missing.
            self.known.extend(rest[..size].iter().map(|id| ((*id).to_owned(), Known::default())));
            for row in rows {
                self.take(&row).map_err(answer::unreadable)?;
            }
            rest = &rest[size..];
        }
        Ok(())
    }

    fn take(&mut self, row: &Row) -> Result<(), DeError> {
        let known = self.known.entry(row.get("id")?).or_default();
        known.count = row.get("count")?;
        if !row.get::<bool>("is_statement")? {
            return Ok(());
        }
        let raw = Raw {
            effect: row.get("effect")?,
            action: row.get("action")?,
            not_action: row.get("notaction")?,
            resource: row.get("resource")?,
            not_resource: row.get("notresource")?,
            condition: row.get("condition")?,
            version: row.get("version")?,
        };
        known.found += 1;
        known.policy.extend(Statement::new(raw, &self.asked));
        Ok(())
    }

    /// Returns the policies of a principal after they were loaded. Missing or incomplete policies make everything
    /// uncertain: a boundary does not count as denying everything, nor a policy as empty.
    pub(super) fn holder(&self, principal: &Principal) -> Holder<'_> {
        let policies = || principal.policies.iter().filter_map(|id| self.known.get(id));
        let boundary = principal.boundary.as_ref().and_then(|id| self.known.get(id));
        Holder {
            caller: Some(Caller::of_arn(&principal.arn).in_organization(principal.organization.clone())),
            policies: policies().map(|known| &known.policy).filter(|policy| !policy.is_empty()).collect(),
            boundary: boundary.filter(|known| known.is_read()).map(|known| &known.policy),
            is_boundary_unread: boundary.is_some_and(|known| !known.is_read()),
            is_policy_unread: policies().any(|known| !known.is_read()),
        }
    }

    /// Drops inline policies, which the next page of principals does not share.
    pub(super) fn forget_inline(&mut self) {
        self.known.retain(|id, _| !id.contains("/inline_policy/"));
        if self.known.len() > MOST {
            self.known.clear();
        }
    }
}
