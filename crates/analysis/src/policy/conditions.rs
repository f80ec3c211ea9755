//! Conditions of a grant, as Cartography writes them on an edge: the names of the context keys, and the conditions of
//! all statements as one JSON list.
//!
//! The graph has a statement's condition as the text of a JSON list. Lists are joined as text, so that the order of
//! keys and the form of values stay as in the graph.

use serde_json::Value;
use std::collections::BTreeSet;

/// Conditions of a grant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Sorted context keys, e.g. `aws:SourceIp`.
    pub keys: Vec<String>,
    /// JSON list of operator maps.
    pub text: String,
}

impl Conditions {
    /// Joins the conditions of several statements. Invalid JSON is kept as text, because a conditional grant must not
    /// look unconditional.
    pub fn join<'a>(conditions: impl IntoIterator<Item = &'a str>) -> Self {
        let mut keys = BTreeSet::new();
        let mut entries = Vec::new();
        for condition in conditions {
            match serde_json::from_str::<Value>(condition) {
                Ok(Value::Array(operators)) if !operators.is_empty() => {
                    for operator in &operators {
                        collect_keys(operator, &mut keys);
                    }
                    entries.push(inside(condition).to_owned());
                }
                Ok(operators @ Value::Object(_)) => {
                    collect_keys(&operators, &mut keys);
                    entries.push(condition.trim().to_owned());
                }
                _ => entries.push(Value::from(condition).to_string()),
            }
        }
        Self { keys: keys.into_iter().collect(), text: format!("[{}]", entries.join(", ")) }
    }

    /// Adds conditions that deny the grant.
    #[must_use]
    pub fn unless(self, deny: Self) -> Self {
        let (allow, denied) = (inside(&self.text), inside(&deny.text));
        if denied.is_empty() {
            return self;
        }
        let separator = if allow.is_empty() { "" } else { ", " };
        let text = format!(r#"[{allow}{separator}{{"Deny": [{denied}]}}]"#);
        let keys: BTreeSet<String> = self.keys.into_iter().chain(deny.keys).collect();
        Self { keys: keys.into_iter().collect(), text }
    }
}

/// Collects the context keys of operator maps: `aws:SourceIp` in `{"IpAddress": {"aws:SourceIp": …}}`.
fn collect_keys(operators: &Value, keys: &mut BTreeSet<String>) {
    let contexts = operators.as_object().into_iter().flat_map(|operators| operators.values());
    keys.extend(contexts.filter_map(Value::as_object).flat_map(|context| context.keys().cloned()));
}

/// Text of a JSON list without its brackets.
fn inside(list: &str) -> &str {
    list.trim().strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).map_or(list, str::trim)
}

#[cfg(test)]
mod tests {
    use super::Conditions;
    use proptest::prelude::*;

    fn check(conditions: &[&str], keys: &[&str], text: &str) {
        let joined = Conditions::join(conditions.iter().copied());
        assert_eq!((joined.keys, joined.text.as_str()), (keys.iter().map(|&key| key.to_owned()).collect(), text));
    }

    #[test]
    fn lists_are_joined() {
        let (ip, mfa) =
            (r#"[{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}]"#, r#"[{"Bool": {"z": "true", "a": "1"}}]"#);
        check(&[ip], &["aws:SourceIp"], ip);
        let both = r#"[{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, {"Bool": {"z": "true", "a": "1"}}]"#;
        check(&[ip, mfa], &["a", "aws:SourceIp", "z"], both);
        check(&[ip, ip], &["aws:SourceIp"], &format!("[{0}, {0}]", &ip[1..ip.len() - 1]));
    }

    #[test]
    fn other_forms_are_kept() {
        check(&[r#" {"Null": {"k": "true"}} "#], &["k"], r#"[{"Null": {"k": "true"}}]"#);
        check(&["not json"], &[], r#"["not json"]"#);
        check(&["[]"], &[], r#"["[]"]"#);
        check(&["[{}]"], &[], "[{}]");
        check(&[r#"[{"Bool": "x"}, 1]"#], &[], r#"[{"Bool": "x"}, 1]"#);
    }

    proptest! {
        #[test]
        fn the_text_is_always_a_json_list(conditions in prop::collection::vec(any::<String>(), 0..4)) {
            let joined = Conditions::join(conditions.iter().map(String::as_str));
            prop_assert!(serde_json::from_str::<Vec<serde_json::Value>>(&joined.text).is_ok());
        }
    }
}
