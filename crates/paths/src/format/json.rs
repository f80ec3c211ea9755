//! JSON with everything. Fields are only added.

use super::reason;
use crate::{
    node::Node,
    search::{Found, Way},
};
use questions::format::printed;
use serde_json::{Value, json};

pub(super) fn text(found: &Found, from: &str, to: &str) -> String {
    let ways = |ways: &[Way]| ways.iter().map(way).collect::<Vec<_>>();
    printed(&json!({
        "from": from,
        "to": to,
        "ways": ways(&found.ways),
        "blocked": ways(&found.blocked),
        "cut": found.cut,
        "most_steps": found.limits.hops,
        "most_ways": found.limits.ways,
    }))
}

fn way(way: &Way) -> Value {
    let is_certain = way.steps.iter().all(|step| step.edge.certainty.as_deref() != Some("may"));
    let steps = way.steps.iter().enumerate().map(|(at, step)| {
        json!({
            "relationship": Some(step.kind).filter(|kind| !kind.is_empty()),
            "along": step.is_along,
            "reason": reason(way, at),
            "certainty": step.edge.certainty,
            "condition": step.edge.condition,
            "to": asset(step.label, &step.node),
        })
    });
    json!({
        "certainty": if is_certain { "must" } else { "may" },
        "blocked": way.blocked,
        "begin": asset(way.label, &way.begin),
        "steps": steps.collect::<Vec<_>>(),
    })
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
        let way = &read["ways"][0];
        assert_eq!((&way["certainty"], &way["begin"]["id"]), (&json!("may"), &json!("internet")));
        assert_eq!(way["steps"][0]["to"]["id"], "i\"]; click x\n\u{1b}[2J|<b>\\");
        assert_eq!(read["blocked"][0]["blocked"], "it has no public address");
        assert!(read["cut"].is_null());
    }
}
