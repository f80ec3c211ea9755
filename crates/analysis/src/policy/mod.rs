//! Evaluates IAM policies. Pure: text in, permissions out.
//!
//! Reading order: [`Pattern`] is IAM's wildcard text. [`Permissions`] is a set of the few relevant actions. [`Caller`]
//! is a principal and [`Request`] its request, with their known values. [`Covers`] is a three-valued answer.
//! [`Condition`] is the condition of a statement, and [`Statement`] a statement reduced to the relevant actions.
//! [`Holder`] has a principal's policies and makes the decision. [`TrustPolicy`] is the trust policy of a role.
//! [`Conditions`] are the conditions of a grant, for Cartography's properties.
//!
//! The rules are AWS's. A Deny in any policy outweighs every Allow, and a boundary permits only what it allows. Actions
//! are compared without regard to case, resources with regard to it. `?` is exactly one character, and a wildcard in a
//! resource matches no colon unless it ends a segment.
//!
//! A condition is evaluated as far as caller and resource decide it. The rest depends on the request and makes a grant
//! uncertain, whether its statement allows or denies. A policy variable with an unknown value has the same effect. A
//! bucket stands for its objects: a statement that covers only some of them is undecided for the bucket. An Allow
//! statement with an open condition has no effect if a Deny statement has the same one. Other open parts of different
//! statements count as independent, so some grants are reported as open although AWS never allows them. Policies of
//! resources other than roles, policies of organizations and session policies are not evaluated.
//!
//! Cartography differs from AWS. It does not evaluate conditions, so a conditional Deny always denies. It ignores
//! statements with `NotResource`. It denies all of a rule's actions if the first of them is denied. It treats `?` as an
//! optional character, and `+` and other characters of role names as regular expressions. It compares resources without
//! regard to case. It writes no edge for a role that trusts an account, and requires a policy if a role of the same
//! account trusts by name.

mod caller;
mod condition;
mod conditions;
mod covers;
mod evaluate;
mod holder;
mod open;
mod pattern;
mod permissions;
#[cfg(test)]
mod plain;
mod principals;
mod question;
mod reach;
mod request;
mod statement;
mod trust;

pub use caller::{Caller, Known};
pub use condition::Condition;
pub use conditions::Conditions;
pub use covers::Covers;
pub use evaluate::Grant;
pub use holder::{Holder, Policy};
pub use open::{ByName, Open};
pub use pattern::{Pattern, Variables};
pub use permissions::{Asked, Permissions};
pub use request::{Request, Resource};
pub use statement::{Clause, Effect, Raw, Statement};
pub use trust::TrustPolicy;
