//! Names of the results: properties and edges that each step writes, read from the steps themselves.

use crate::{
    permissions::{self, RULES},
    steps::{STEPS, Step, Work},
};
use std::collections::BTreeSet;

/// A name that a step writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// Name of the step.
    pub step: &'static str,
    /// Meaning: the comment of the step's statement. Empty for permissions.
    pub about: String,
    /// Property or edge.
    pub written: Written,
}

/// A property or an edge of the graph.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Written {
    /// Property of nodes.
    Property {
        /// Label of the nodes.
        label: &'static str,
        /// Name.
        name: &'static str,
    },
    /// Edge between two labels.
    Edge {
        /// Label of its start.
        from: &'static str,
        /// Relationship type.
        kind: &'static str,
        /// Label of its end.
        to: &'static str,
        /// IAM actions, one of which the start may do on the end. Empty: the edge is no permission.
        permissions: &'static [&'static str],
    },
}

/// Returns every name that the analysis writes, in the order of the steps. Bookkeeping (`_module_…`) is not among them.
pub fn outcomes() -> Vec<Outcome> {
    STEPS.iter().flat_map(of_step).collect()
}

fn of_step(step: &'static Step) -> Vec<Outcome> {
    let outcome = |about: &str, written| Outcome { step: step.name, about: about.to_owned(), written };
    match step.work {
        Work::Changes(text) => {
            let about = about(text);
            properties(text).into_iter().map(|written| outcome(&about, written)).collect()
        }
        Work::Pages { text, draws, .. } => {
            let (about, from) = (about(text), draws.from);
            let edge = |&(kind, to)| outcome(&about, Written::Edge { from, kind, to, permissions: &[] });
            draws.ends.iter().map(edge).collect()
        }
        Work::Drain(_) => Vec::new(),
        Work::Permissions => {
            let (from, (kind, to), permissions) = permissions::ASSUME;
            let rules = RULES.iter().map(|rule| (rule.edge, rule.target, rule.permissions));
            let all = [(kind, to, permissions)].into_iter().chain(rules);
            all.map(|(kind, to, permissions)| outcome("", Written::Edge { from, kind, to, permissions })).collect()
        }
    }
}

/// Comment in front of a statement.
fn about(text: &str) -> String {
    let lines: Vec<&str> = text.lines().map_while(|line| line.strip_prefix("// ")).collect();
    lines.join(" ")
}

/// Properties that the last `SET` of a statement writes, with the label of their variable.
fn properties(text: &'static str) -> Vec<Written> {
    let set = text.rsplit_once("\nSET ").map_or("", |(_, set)| set).split("\nRETURN").next().unwrap_or_default();
    let mut found = BTreeSet::new();
    for (at, _) in set.match_indices(" = ") {
        let Some((variable, name)) = last(&set[..at], |c| c == '.').split_once('.') else { continue };
        let label = text.split_once(&format!("({variable}:")).map(|(_, rest)| first(rest));
        if let Some(label) = label.filter(|_| !name.starts_with("_module_") && name != "lastupdated") {
            found.insert(Written::Property { label, name });
        }
    }
    found.into_iter().collect()
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// Word at the begin of a text.
fn first(text: &str) -> &str {
    &text[..text.find(|c| !is_word(c)).unwrap_or(text.len())]
}

/// Word at the end of a text, with further characters.
fn last(text: &str, further: fn(char) -> bool) -> &str {
    &text[text
        .rfind(|c| !is_word(c) && !further(c))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8))..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_result_of_a_step_is_found() {
        let outcomes = outcomes();
        let found = |step: &str| outcomes.iter().filter(|it| it.step == step).map(|it| &it.written).collect::<Vec<_>>();
        let property = |label, name| Written::Property { label, name };
        assert_eq!(
            found("exposed_instances"),
            [&property("AWSEC2Instance", "exposed_internet"), &property("AWSEC2Instance", "exposed_internet_type")]
        );
        assert_eq!(found("foreign_accounts"), [&property("AWSAccount", "foreign")]);
        let edge = |from, kind, to| Written::Edge { from, kind, to, permissions: &[] };
        assert!(found("instance_roles").contains(&&edge("AWSEC2Instance", "ASSUMES", "AWSRole")));
        let read = found("permissions").into_iter().find(|it| matches!(it, Written::Edge { kind: "CAN_READ", .. }));
        let Some(Written::Edge { permissions, .. }) = read else { panic!("no CAN_READ") };
        assert_eq!(*permissions, ["s3:GetObject"]);
        let silent: Vec<_> = outcomes.iter().filter(|it| it.about.is_empty() && it.step != "permissions").collect();
        assert!(silent.is_empty(), "{silent:?}");
    }

    #[test]
    fn every_step_that_changes_properties_names_them() {
        for step in STEPS.iter().filter(|step| matches!(step.work, Work::Changes(_))) {
            assert!(!of_step(step).is_empty(), "{}", step.name);
        }
    }
}
