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
    /// Labels of the nodes that the step reads, sorted.
    pub reads: Vec<&'static str>,
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
        /// Names of its properties besides `firstseen` and `lastupdated`, sorted.
        properties: Vec<String>,
    },
}

/// Returns every name that the analysis writes, in the order of the steps. Bookkeeping (`_module_…`) is not among them.
pub fn outcomes() -> Vec<Outcome> {
    STEPS.iter().flat_map(of_step).collect()
}

fn of_step(step: &'static Step) -> Vec<Outcome> {
    let outcome = |about: &str, written, reads| Outcome { step: step.name, about: about.to_owned(), written, reads };
    match step.work {
        Work::Changes(text) => {
            let about = about(text);
            properties(text).into_iter().map(|written| outcome(&about, written, labels(text))).collect()
        }
        Work::Pages { text, draws, .. } => {
            let (about, from) = (about(text), draws.from);
            let edge = |&(kind, to)| {
                let written =
                    Written::Edge { from, kind, to, permissions: &[], properties: edge_properties(text, kind) };
                outcome(&about, written, labels(text))
            };
            draws.ends.iter().map(edge).collect()
        }
        Work::Drain(_) => Vec::new(),
        Work::Permissions => {
            let (from, (kind, to), permissions) = permissions::ASSUME;
            let rules = RULES.iter().map(|rule| (rule.edge, rule.target, rule.permissions));
            let all = [(kind, to, permissions)].into_iter().chain(rules);
            let edge = |(kind, to, permissions)| {
                let properties = edge_properties(&permissions::merge_text((kind, to)), kind);
                let reads = BTreeSet::from([from, to, "AWSPolicy", "AWSPolicyStatement"]).into_iter().collect();
                outcome("", Written::Edge { from, kind, to, permissions, properties }, reads)
            };
            all.map(edge).collect()
        }
    }
}

/// Labels of AWS in a statement.
fn labels(text: &'static str) -> Vec<&'static str> {
    let labels = text.match_indices(":AWS").map(|(at, _)| first(&text[at + 1..]));
    labels.collect::<BTreeSet<_>>().into_iter().collect()
}

/// Properties that a statement gives edges of a type: `edge.NAME = …`, where `edge` is the variable of the type.
fn edge_properties(text: &str, kind: &str) -> Vec<String> {
    let ends = [format!(":{kind}]"), format!(":`{kind}`]")];
    let at = ends.iter().flat_map(|end| text.match_indices(end.as_str())).map(|(at, _)| at);
    let variables: BTreeSet<&str> = at.map(|at| last(&text[..at], |_| false)).filter(|it| !it.is_empty()).collect();
    let mut found = BTreeSet::new();
    for (at, _) in text.match_indices(" = ") {
        let Some((variable, name)) = last(&text[..at], |c| c == '.').split_once('.') else { continue };
        if variables.contains(variable) && !["firstseen", "lastupdated"].contains(&name) {
            found.insert(name.to_owned());
        }
    }
    found.into_iter().collect()
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
        let edge = |from, kind, to, properties: &[&str]| {
            let properties = properties.iter().map(|name| (*name).to_owned()).collect();
            Written::Edge { from, kind, to, permissions: &[], properties }
        };
        assert!(found("instance_roles").contains(&&edge("AWSEC2Instance", "ASSUMES", "AWSRole", &[])));
        let properties = ["port", "protocol", "target_group_arn"];
        let exposes = edge("AWSLoadBalancerV2", "EXPOSE", "AWSEC2PrivateIp", &properties);
        assert_eq!(found("load_balancer_addresses"), [&exposes]);
        let read = found("permissions").into_iter().find(|it| matches!(it, Written::Edge { kind: "CAN_READ", .. }));
        let Some(Written::Edge { permissions, properties, .. }) = read else { panic!("no CAN_READ") };
        assert_eq!(*permissions, ["s3:GetObject"]);
        assert_eq!(*properties, ["certainty", "condition", "condition_keys", "conditions", "has_condition"]);
        let assume = found("permissions")[0];
        assert!(matches!(assume, Written::Edge { properties, .. } if *properties == ["certainty", "condition"]));
        assert!(outcomes.iter().all(|it| !it.reads.is_empty() || it.step == "sync_metadata"), "{outcomes:?}");
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
