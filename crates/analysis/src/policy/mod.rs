//! What IAM policies grant. Pure: text in, permissions out.
//!
//! Reading order: [`Pattern`] is IAM's wildcard text; [`Permissions`] a set of the few actions that anybody asks for;
//! [`Caller`] a principal and [`Request`] its question, with their known values; [`Condition`] the condition of a statement; [`Statement`] a
//! statement reduced to the actions asked for; [`Holder`] a principal's policies together, and the decision; [`TrustPolicy`]
//! what a role says of principals that would assume it; [`Conditions`] what a grant depends on, for Cartography's properties.
//!
//! The rules are AWS's: a deny of one policy outweighs every allow, a boundary permits nothing that it does not allow,
//! actions are compared without regard to case and resources with it, `?` is exactly one character, and a wildcard in a
//! resource stands for no colon unless it ends a segment. A condition is evaluated as far as caller and resource decide it;
//! the rest depends on the request and makes a grant uncertain, whether its statement allows or denies. So does a policy
//! variable whose value the graph does not have. A bucket stands for its objects: a statement that covers only some of them is
//! undecided for the bucket. A statement that allows under an open condition is without effect where another denies under
//! the same one. But for that, open parts of different statements count as independent, so that some grants are called open
//! that AWS never gives. Policies of resources other than roles, policies of organizations and session policies are not
//! evaluated.
//!
//! Cartography differs from AWS: it does not evaluate conditions, so that a conditional deny always denies, it ignores
//! statements with `NotResource`, denies all of a rule's actions when the first of them is denied, takes `?` for an
//! optional character, regards `+` and other characters of role names as regular expressions, and compares resources
//! without regard to case. It draws nothing from a role that trusts an account, and asks for a policy where a role of the same
//! account trusts by name.

mod caller;
mod condition;
mod conditions;
mod evaluate;
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
pub use evaluate::{ByName, Grant, Holder, Open, Policy};
pub use pattern::{Pattern, Variables};
pub use permissions::{Asked, Permissions};
pub use request::{Request, Resource};
pub use statement::{Clause, Covers, Effect, Raw, Statement};
pub use trust::TrustPolicy;
