//! Names of the graph that a question's queries mention.

use crate::question::Question;

/// Kind of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mention {
    /// A label or a relationship type: `:NAME` or `|NAME`.
    Type,
    /// A property: `.name` or `{name: …`.
    Property,
}

/// Whether a query of the question mentions a name of the graph. Text in quotes does not count.
pub fn mentions(question: &Question, kind: Mention, name: &str) -> bool {
    [&question.cypher, &question.count].into_iter().any(|text| occurs(&code(text), kind, name))
}

/// Text without comments, and without the content of quotes.
fn code(cypher: &str) -> String {
    let lines: Vec<&str> = cypher.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
    lines.join("\n").split('\'').step_by(2).collect::<Vec<_>>().join("''")
}

fn occurs(code: &str, kind: Mention, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    !name.is_empty()
        && code.match_indices(name).any(|(at, _)| {
            let (before, after) = (&code[..at], &code[at + name.len()..]);
            let (last, next) = (before.trim_end().chars().next_back(), after.trim_start().chars().next());
            let is_whole = !before.ends_with(is_word) && !after.starts_with(is_word);
            let is_kind = match kind {
                Mention::Type => matches!(last, Some(':' | '|')),
                Mention::Property => last == Some('.') || (matches!(last, Some('{' | ',')) && next == Some(':')),
            };
            is_whole && is_kind
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::library::find;

    #[test]
    fn types_and_properties_are_told_from_variables_and_texts() {
        let code =
            code("// (x:Commented)\nMATCH (a:One {key: 'b.text', other: 1})-[:TWO|THREE*0..1]->(key) WHERE a.size > 1");
        for name in ["One", "TWO", "THREE"] {
            assert!(occurs(&code, Mention::Type, name) && !occurs(&code, Mention::Property, name), "{name}");
        }
        for name in ["key", "other", "size"] {
            assert!(occurs(&code, Mention::Property, name), "{name}");
        }
        for name in ["text", "Commented", "a", "On", "siz", "TW", ""] {
            assert!(!occurs(&code, Mention::Type, name) && !occurs(&code, Mention::Property, name), "{name}");
        }
    }

    #[test]
    fn a_question_mentions_its_asset() {
        let question = find("instance_exposed_admin_port").expect("a question");
        assert!(mentions(question, Mention::Type, "AWSEC2Instance"));
        assert!(mentions(question, Mention::Type, "MEMBER_OF_IP_RULE"));
        assert!(mentions(question, Mention::Property, "exposed_internet_type"));
        assert!(!mentions(question, Mention::Type, "AWSUser"));
    }
}
