//! What IAM policies grant. Pure: text in, permissions out.
//!
//! Reading order: [`Pattern`] is IAM's wildcard text; [`Permissions`] a set of the few actions that anybody asks for;
//! [`Statement`] one statement reduced to those; [`Holder`] a principal's policies together, and the decision;
//! [`Conditions`] what a grant depends on.
//!
//! The rules are AWS's: a deny of one policy outweighs every allow, a boundary permits nothing that it does not allow,
//! actions are compared without regard to case and resources with it, `?` is exactly one character, and a wildcard in a
//! resource stands for no colon unless it ends a segment. A condition is never evaluated, because it depends on the request:
//! it makes a grant uncertain, whether its statement allows or denies. Policy variables (`${aws:username}`) stand for nothing that a graph holds and match nothing.
//! Out of sight are policies of resources, of organizations and of sessions, and what a user has through a group.
//!
//! Cartography reads some policies otherwise: a conditional deny denies, it ignores statements with `NotResource`, denies all of a rule's actions
//! when the first of them is denied, takes `?` for an optional character, regards `+` and other characters of role names as
//! regular expressions, and compares resources without regard to case.

mod conditions;
mod evaluate;
mod pattern;
mod permissions;
mod statement;

pub use conditions::Conditions;
pub use evaluate::{Grant, Holder, Open, Policy};
pub use pattern::Pattern;
pub use permissions::{Asked, Permissions};
pub use statement::{Clause, Effect, Raw, Statement};
