//! Permissions of principals on resources: `(:AWSPrincipal)-[:STS_ASSUMEROLE_ALLOW]->(:AWSRole)`, and the edges of
//! [`RULES`], such as `CAN_PASS_ROLE`.
//!
//! A principal may assume a role if the role trusts it or its account, and its policies allow it. It needs no policy
//! for a role of its own account that names it, or one of its sessions. A role that trusts everyone has no edge. Rules
//! apply to resources of the principal's own account. A user also has the policies of its groups. Groups get edges too,
//! as in Cartography; these ignore policies and boundaries of the members. A permissions boundary applies if the graph
//! has it. Cartography's schema has no property for it, so `_groma_boundary` on a principal names the policy, and
//! `_groma_trust` on a role has its trust policy.
//!
//! Principals are read in the order of their ARNs, which keeps those of an account together. Memory therefore holds one
//! account's resources and managed policies, one page of principals with their inline policies, and one batch of edges.
//! Of a policy, only statements about an action of a rule are kept.
//!
//! No step evaluates every pair of principal and resource. Each Allow statement has resource patterns. The resources
//! are sorted, so those with a pattern's prefix are found by bisection, and only they are evaluated. For `p` principals
//! with `s` relevant statements each, `r` resources per account and `e` candidates, the cost is `O(p · s · log r + e ·
//! s)`. For example, 10,000 principals with a hundred administrators over 1,000 roles need 100,000 evaluations, as many
//! as edges, not ten million.

mod accounts;
mod edges;
mod policies;
mod principals;
mod resources;
mod rules;
mod trust;

use crate::{
    counts::Counts,
    pages::LAST,
    policy::{Asked, Caller, Holder, Permissions, Resource},
};
use accounts::Accounts;
use edges::{Drawing, Edge};
use graph::{GraphError, GraphStore};
use neo4rs::Query;
use policies::Policies;
use principals::Principal;
pub use resources::Resources;
pub use rules::{Needs, RULES, Rule};
use std::collections::BTreeSet;
use trust::Trusts;

/// Action behind `STS_ASSUMEROLE_ALLOW`.
const ASSUME_ROLE: &[&str] = &["sts:AssumeRole"];

/// Label of the start, type and end of the edge to a role, and the actions behind it.
pub(crate) const ASSUME: (&str, (&str, &str), &[&str]) = (edges::FROM, edges::ASSUME, ASSUME_ROLE);

pub(crate) use edges::merge_text;

/// Writes all edges, and removes those that no longer apply.
///
/// # Errors
/// Fails if the graph cannot be read or written.
pub(crate) async fn run(store: &GraphStore, tag: i64) -> Result<Counts, GraphError> {
    let mut asked = Asked::default();
    let assume = asked.add(ASSUME_ROLE);
    let present = rules::present(store).await?;
    let rules = RULES.iter().filter(|rule| rule.labels().all(|label| present.contains(label)));
    let rules = rules.map(|rule| (rule, asked.add(rule.permissions))).collect();
    let mut evaluation = Evaluation {
        policies: Policies::new(asked),
        accounts: Accounts::default(),
        trusts: Trusts::default(),
        drawing: Drawing::new(store, tag),
        store,
        assume,
        rules,
    };
    evaluation.run().await?;
    evaluation.drawing.finish().await
}

/// Statements of a run over nodes of these labels. See [`crate::statements`].
pub(crate) fn statements(labels: &BTreeSet<&str>, tag: i64) -> Vec<Query> {
    let rules: Vec<&Rule> = RULES.iter().filter(|rule| rule.labels().all(|label| labels.contains(label))).collect();
    let general =
        [rules::counts(), principals::query(LAST, 0), policies::query(&[]), trust::by_name(&[]), trust::of_account("")];
    let resources = rules.iter().map(|rule| accounts::query(&rule.resources(), ""));
    general.into_iter().chain(resources).chain(edges::statements(&rules, tag)).collect()
}

struct Evaluation<'a> {
    store: &'a GraphStore,
    assume: Permissions,
    rules: Vec<(&'static Rule, Permissions)>,
    policies: Policies,
    accounts: Accounts,
    trusts: Trusts,
    drawing: Drawing<'a>,
}

impl Evaluation<'_> {
    async fn run(&mut self) -> Result<(), GraphError> {
        let mut after = String::new();
        loop {
            let page = principals::page(self.store, &after).await?;
            let Some(last) = page.last() else { return Ok(()) };
            after.clone_from(&last.arn);
            self.policies.load(self.store, page.iter().flat_map(Principal::policy_ids)).await?;
            let named_by = page.iter().flat_map(|principal| &principal.named_by).map(String::as_str);
            self.trusts.load(self.store, named_by).await?;
            for principal in &page {
                self.evaluate(principal).await?;
            }
            self.policies.forget_inline();
        }
    }

    async fn evaluate(&mut self, principal: &Principal) -> Result<(), GraphError> {
        self.draw_roles(principal).await?;
        let holder = self.policies.holder(principal);
        for account in &principal.accounts {
            for (rule, asked) in &self.rules {
                if holder.allowing(*asked).next().is_none() {
                    continue;
                }
                let resources = self.accounts.resources(self.store, account, rule).await?;
                draw_rule(&mut self.drawing, &holder, &principal.arn, (rule, *asked), (account, resources)).await?;
            }
        }
        Ok(())
    }

    /// Writes edges to the roles that the principal may assume: those that name it or its sessions, and those that
    /// trust its account.
    async fn draw_roles(&mut self, principal: &Principal) -> Result<(), GraphError> {
        let holder = self.policies.holder(principal);
        let Some(account) = principal.accounts.first() else { return Ok(()) };
        if !holder.caller.as_ref().is_some_and(Caller::makes_requests) {
            return Ok(());
        }
        let trusting = self.accounts.trusting(self.store, account).await?;
        let mut roles: BTreeSet<&str> = trusting.roles().candidates(holder.allowing(self.assume)).collect();
        roles.extend(principal.named_by.iter().map(String::as_str).chain(trusting.of_sessions()));
        for role in roles {
            let Some(trust) = self.trusts.get(role).or_else(|| trusting.get(role)) else { continue };
            if let Some(grant) = holder.assume(self.assume, role, trust) {
                self.drawing.draw(Edge::assume(&principal.arn, role, &grant)).await?;
            }
        }
        Ok(())
    }
}

/// Writes edges to the resources of an account that the principal may use.
async fn draw_rule(
    drawing: &mut Drawing<'_>,
    holder: &Holder<'_>,
    principal: &str,
    (rule, asked): (&'static Rule, Permissions),
    (account, resources): (&str, &Resources),
) -> Result<(), GraphError> {
    for arn in resources.candidates(holder.allowing(asked)) {
        if let Some(grant) = holder.grant(asked, Resource::of_account(arn, account)) {
            drawing.draw(Edge::of(rule, principal, arn, grant)).await?;
        }
    }
    Ok(())
}
