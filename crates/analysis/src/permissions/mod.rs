//! Which principals may do what on which resource: `(:AWSPrincipal)-[:STS_ASSUMEROLE_ALLOW]->(:AWSRole)`, and the edges of
//! [`RULES`], such as `CAN_PASS_ROLE`.
//!
//! A principal may assume a role that trusts it by name and that its policies let it assume, in whatever account. The
//! rules look at resources of the principal's own account. A user has its groups' policies too. A group also gets
//! edges, as in Cartography; they ignore what its members' own policies and boundaries add or deny. A permissions
//! boundary counts where the graph has one: `_groma_boundary` on a principal names the policy, since Cartography's
//! schema has no place for it.
//!
//! Principals are read in the order of their ARNs, which keeps those of an account together: so one account's resources
//! and managed policies are in memory, one page of principals with their inline policies, and one batch of edges. Of a
//! policy only the statements are kept that concern an action of a rule.
//!
//! Nothing is evaluated for every pair of principal and resource. Each allowing statement names patterns; the resources
//! are sorted, so those that begin like a pattern are found by bisection, and only they are tried. For `p` principals with `s`
//! relevant statements each, `r` resources an account and `e` candidates that results are drawn from, that is
//! `O(p · s · log r + e · s)`: 10,000 principals of which a hundred are administrators over 1,000 roles try 100,000
//! pairs, which is as many edges, not ten million.

mod edges;
mod policies;
mod principals;
mod resources;
mod rules;

use crate::{
    policy::{Asked, Holder, Permissions},
    run::{Counts, LAST},
};
use edges::{Drawing, Edge};
use graph::{GraphError, GraphStore};
use neo4rs::Query;
use policies::Policies;
use principals::{Principal, TrustedBy};
use resources::Accounts;
pub use resources::Resources;
pub use rules::{Needs, RULES, Rule};
use std::collections::BTreeSet;

/// The action behind `STS_ASSUMEROLE_ALLOW`.
const ASSUME_ROLE: &[&str] = &["sts:AssumeRole"];

/// Draws all edges, and removes those that no longer hold.
///
/// # Errors
/// When the graph cannot be read or written.
pub(crate) async fn run(store: &GraphStore, tag: i64) -> Result<Counts, GraphError> {
    let mut asked = Asked::default();
    let assume = asked.add(ASSUME_ROLE);
    let present = rules::present(store).await?;
    let rules = RULES.iter().filter(|rule| rule.labels().all(|label| present.contains(label)));
    let rules = rules.map(|rule| (rule, asked.add(rule.permissions))).collect();
    let mut evaluation = Evaluation {
        policies: Policies::new(asked),
        accounts: Accounts::default(),
        drawing: Drawing::new(store, tag),
        store,
        assume,
        rules,
    };
    evaluation.run().await?;
    evaluation.drawing.finish().await
}

/// What a run over nodes of these labels says to the database, see [`crate::rehearsal`].
pub(crate) fn rehearsal(labels: &BTreeSet<&str>, tag: i64) -> Vec<Query> {
    let rules: Vec<&Rule> = RULES.iter().filter(|rule| rule.labels().all(|label| labels.contains(label))).collect();
    let general = [rules::counts(), principals::query(LAST), policies::query(&[])];
    let resources = rules.iter().map(|rule| resources::query(&rule.resources(), ""));
    general.into_iter().chain(resources).chain(edges::rehearsal(&rules, tag)).collect()
}

struct Evaluation<'a> {
    store: &'a GraphStore,
    assume: Permissions,
    rules: Vec<(&'static Rule, Permissions)>,
    policies: Policies,
    accounts: Accounts,
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
            for principal in &page {
                self.evaluate(principal).await?;
            }
            self.policies.forget_inline();
        }
    }

    async fn evaluate(&mut self, principal: &Principal) -> Result<(), GraphError> {
        let holder = self.policies.holder(principal);
        for TrustedBy { role, conditional } in &principal.trusted_by {
            if let Some(grant) = holder.grant(self.assume, role) {
                self.drawing.draw(Edge::assume(&principal.arn, role, &grant, *conditional)).await?;
            }
        }
        for account in &principal.accounts {
            for (rule, asked) in &self.rules {
                if holder.allowing(*asked).next().is_none() {
                    continue;
                }
                let resources = self.accounts.resources(self.store, account, rule).await?;
                draw_rule(&mut self.drawing, &holder, &principal.arn, rule, *asked, resources).await?;
            }
        }
        Ok(())
    }
}

async fn draw_rule(
    drawing: &mut Drawing<'_>,
    holder: &Holder<'_>,
    principal: &str,
    rule: &'static Rule,
    asked: Permissions,
    resources: &Resources,
) -> Result<(), GraphError> {
    for arn in resources.candidates(holder.allowing(asked)) {
        if let Some(grant) = holder.grant(asked, arn) {
            drawing.draw(Edge::of(rule, principal, arn, grant)).await?;
        }
    }
    Ok(())
}
