//! Keys of the nodes. They never change between versions, or all findings would be new.

use questions::{Answer, Argument, ParameterValue, Question};
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// Longest identity that is kept, in characters. Only people read it.
const MOST: usize = 2_000;

/// Key of a question with the values of its parameters: its name, and a hash if it has parameters. Other values give other
/// findings, so these are remembered apart. The order of a list's items, and repeated ones, change nothing.
pub fn asked(question: &Question, values: &[Argument]) -> String {
    let name = &question.name;
    if values.is_empty() {
        return name.clone();
    }
    format!("{name}/{}", events::hex(&Sha256::digest(arguments(values))[..8]))
}

/// Values of parameters as JSON, sorted by name. Lists are sorted, without repeated items.
pub(crate) fn arguments(arguments: &[Argument]) -> String {
    let pairs = arguments.iter().map(|argument| (argument.name.clone(), as_set(&argument.value).to_json()));
    Value::Object(pairs.collect::<Map<_, _>>()).to_string()
}

fn as_set(value: &ParameterValue) -> ParameterValue {
    let mut value = value.clone();
    match &mut value {
        ParameterValue::Integers(numbers) => {
            numbers.sort_unstable();
            numbers.dedup();
        }
        ParameterValue::Texts(texts) => {
            texts.sort_unstable();
            texts.dedup();
        }
        ParameterValue::Integer(_) | ParameterValue::Boolean(_) | ParameterValue::Text(_) => {}
    }
    value
}

/// Values of the row's identity as JSON, for people.
pub(crate) fn identity(answer: &Answer<'_>, row: &[Value]) -> String {
    let columns = &answer.question.identity;
    let pairs = columns.iter().map(|column| (column.clone(), answer.value(row, column).clone()));
    Value::Object(pairs.collect::<Map<_, _>>()).to_string().chars().take(MOST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use questions::{arguments::arguments, find};

    fn key(name: &str, given: &[&str]) -> String {
        let question = find(name).expect("a question");
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        let arguments = arguments(question, &given).expect("values");
        asked(question, &arguments)
    }

    #[test]
    fn other_values_are_another_key() {
        assert_eq!(key("user_admin", &[]), "user_admin");
        assert_eq!(key("access_key_old", &["days=90"]), "access_key_old/20cc4ae787dff6f8");
        assert_eq!(key("access_key_old", &[]), key("access_key_old", &["days=90"]));
        assert_ne!(key("access_key_old", &["days=90"]), key("access_key_old", &["days=91"]));
    }

    #[test]
    fn a_list_is_a_set() {
        let ports = |given| key("security_group_admin_ports_open", &[given]);
        assert_eq!(ports("ports=22,3389"), ports("ports=3389,22,22"));
        assert_ne!(ports("ports=22,3389"), ports("ports=22"));
    }
}
