//! JSON with everything. Fields are only added.

use super::{is_doubtful, reason};
use crate::{
    hop::{ASSUME, FUNCTION, INSTANCE, network},
    node::Node,
    search::{Found, Path},
};
use analysis::permissions::RULES;
use questions::format::printed;
use serde_json::{Value, json};

pub(super) fn text(found: &Found, from: &str, to: &str) -> String {
    let paths = |paths: &[Path]| paths.iter().map(path).collect::<Vec<_>>();
    printed(&json!({
        "from": from,
        "to": to,
        "paths": paths(&found.paths),
        "may_have_more_paths": found.may_have_more,
        "blocked": paths(&found.blocked),
        "may_have_more_blocked": found.may_have_more_blocked,
        "incomplete_because": found.cut,
        "not_considered": found.not_considered,
        "limits": { "steps": found.limits.hops, "paths": found.limits.paths },
    }))
}

fn path(path: &Path) -> Value {
    let steps = path.steps.iter().enumerate().map(|(at, step)| {
        json!({
            "relationship": Some(step.kind).filter(|kind| !kind.is_empty()),
            "follows_direction": step.is_along,
            "reason": reason(path, at, usize::MAX),
            "certainty": step.edge.certainty,
            "condition": step.edge.condition,
            "doubt": step.doubt,
            "to": asset(step.label, &step.node),
        })
    });
    json!({
        "certainty": certainty(path),
        "blocked": path.blocked,
        "begin": asset(path.label, &path.begin),
        "steps": steps.collect::<Vec<_>>(),
    })
}

/// `may` if a step is only possible, `must` if the analysis is certain of each permission. `None`: the path leads through a
/// network, about which the graph has too little.
fn certainty(path: &Path) -> Option<&'static str> {
    if path.steps.iter().any(is_doubtful) {
        return Some("may");
    }
    let network = network();
    if path.steps.iter().any(|step| step.kind.is_empty() || network.iter().any(|hop| hop.kind == step.kind)) {
        return None;
    }
    let before = std::iter::once(path.label).chain(path.steps.iter().map(|step| step.label));
    let is_certain = before.zip(&path.steps).all(|(before, step)| {
        // The role of an instance or a function is its own.
        let is_evaluated = RULES.iter().any(|rule| rule.edge == step.kind)
            || (step.kind == ASSUME && ![INSTANCE, FUNCTION].contains(&before));
        !is_evaluated || step.edge.certainty.as_deref() == Some("must")
    });
    Some(if is_certain { "must" } else { "may" })
}

fn asset(label: &str, node: &Node) -> Value {
    json!({ "label": label, "id": node.id, "name": node.name })
}

#[cfg(test)]
mod tests {
    use crate::format::{Format, testing::hostile};
    use serde_json::{Value, json};

    #[test]
    fn a_program_reads_the_names_and_a_terminal_no_commands() {
        let text = Format::Json.text(&hostile(), "internet", "i");
        assert!(!text.contains('\u{1b}'), "{text}");
        let read: Value = serde_json::from_str(&text).expect("JSON");
        assert_eq!(read["limits"], json!({ "steps": 16, "paths": 10 }));
        assert_eq!(read["not_considered"], json!(["route tables"]));
        let path = &read["paths"][0];
        assert_eq!((&path["certainty"], &path["begin"]["id"]), (&json!("may"), &json!("internet")));
        assert_eq!(path["steps"][0]["to"]["id"], "i\"]; click x\n\u{1b}[2J|<b>\\");
        assert_eq!(read["blocked"][0]["blocked"], "it has no public address");
        assert!(read["incomplete_because"].is_null());
    }

    #[test]
    fn only_permissions_are_certain() {
        let certainty = |kind: &'static str, certainty: Option<&str>, doubt: Option<&str>| {
            let mut path = hostile().paths.remove(0);
            let step = &mut path.steps[0];
            (step.kind, step.edge.certainty) = (kind, certainty.map(str::to_owned));
            step.doubt = doubt.map(str::to_owned);
            super::certainty(&path)
        };
        assert_eq!(certainty("EXPOSE", None, None), None);
        assert_eq!(certainty("EXPOSE", None, Some("d")), Some("may"));
        assert_eq!(certainty("CAN_READ", Some("must"), None), Some("must"));
        assert_eq!(certainty("CAN_READ", Some("must"), Some("d")), Some("may"));
        assert_eq!(certainty("CAN_READ", None, None), Some("may"));
        assert_eq!(certainty("AWS_ACCESS_KEY", None, None), Some("must"));
    }
}
