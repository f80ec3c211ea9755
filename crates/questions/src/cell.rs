//! Text of a value. Users of the accounts choose names and tags, so a text may contain anything.

use serde_json::Value;

/// Returns a value as text without control characters, of at most `most` characters. Lists are separated by spaces.
pub fn text(value: &Value, most: usize) -> String {
    let whole = match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(|item| text(item, most)).collect::<Vec<_>>().join(" "),
        other => other.to_string(),
    };
    let mut cut: String = whole.chars().take(most).collect();
    if cut.len() < whole.len() {
        cut.push('…');
    }
    events::printable(&cut)
}

#[cfg(test)]
mod tests {
    use super::text;
    use serde_json::json;

    #[test]
    fn a_name_does_not_speak_to_the_terminal() {
        assert_eq!(text(&json!(["web", "\u{1b}[2J\u{9b}2J", null, 7]), 100), "web \\u{1b}[2J\\u{9b}2J  7");
    }

    #[test]
    fn a_long_text_is_cut() {
        assert_eq!(text(&json!("äöüß"), 2), "äö…");
        assert_eq!(text(&json!("äö"), 2), "äö");
    }
}
