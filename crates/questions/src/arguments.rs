//! Values of parameters. They reach the graph as parameters, never as a part of the query.

use crate::question::{Parameter, ParameterValue, Question};

/// A parameter with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Argument {
    /// Name of the parameter.
    pub name: String,
    /// Value, with the type of the parameter's default.
    pub value: ParameterValue,
}

/// A value that a question does not take.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArgumentError {
    /// Not `NAME=VALUE`.
    #[error("{0:?} is not NAME=VALUE")]
    Form(String),
    /// No parameter has this name.
    #[error("{question} has no parameter {name:?}; it has {known}")]
    Unknown {
        /// Question.
        question: String,
        /// Name on the command line.
        name: String,
        /// Names of its parameters.
        known: String,
    },
    /// A parameter has two values.
    #[error("{0} is given twice")]
    Twice(String),
    /// A value of another type.
    #[error("{name}={value:?}: not {kind}")]
    Value {
        /// Parameter.
        name: String,
        /// Value on the command line.
        value: String,
        /// Type that it takes.
        kind: &'static str,
    },
}

/// Returns a value for each parameter of a question: the given one (`NAME=VALUE`), else its default.
///
/// # Errors
/// Every value that the question does not take.
pub fn arguments(question: &Question, given: &[String]) -> Result<Vec<Argument>, Vec<ArgumentError>> {
    let (mut values, mut errors) = (Vec::<Argument>::new(), Vec::new());
    for text in given {
        match one(question, text) {
            Ok(new) if values.iter().any(|old| old.name == new.name) => errors.push(ArgumentError::Twice(new.name)),
            Ok(new) => values.push(new),
            Err(error) => errors.push(error),
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let value = |parameter: &Parameter| {
        let given = values.iter().find(|argument| argument.name == parameter.name);
        given.cloned().unwrap_or_else(|| Argument { name: parameter.name.clone(), value: parameter.default.clone() })
    };
    Ok(question.parameters.iter().map(value).collect())
}

fn one(question: &Question, text: &str) -> Result<Argument, ArgumentError> {
    let (name, value) = text.split_once('=').ok_or_else(|| ArgumentError::Form(text.to_owned()))?;
    let unknown = || {
        let names: Vec<&str> = question.parameters.iter().map(|parameter| parameter.name.as_str()).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        ArgumentError::Unknown { question: question.name.clone(), name: name.to_owned(), known }
    };
    let parameter = question.parameters.iter().find(|parameter| parameter.name == name).ok_or_else(unknown)?;
    let kind = parameter.default.kind();
    let wrong = || ArgumentError::Value { name: name.to_owned(), value: value.to_owned(), kind };
    let value = read(&parameter.default, value).ok_or_else(wrong)?;
    Ok(Argument { name: name.to_owned(), value })
}

/// Reads a value with the type of another.
fn read(like: &ParameterValue, text: &str) -> Option<ParameterValue> {
    let items = || text.split(',').map(str::trim).filter(|item| !item.is_empty());
    Some(match like {
        ParameterValue::Integer(_) => ParameterValue::Integer(text.parse().ok()?),
        ParameterValue::Boolean(_) => ParameterValue::Boolean(text.parse().ok()?),
        ParameterValue::Text(_) => ParameterValue::Text(text.to_owned()),
        ParameterValue::Integers(_) => {
            ParameterValue::Integers(items().map(str::parse).collect::<Result<_, _>>().ok()?)
        }
        ParameterValue::Texts(_) => ParameterValue::Texts(items().map(str::to_owned).collect()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::testing::old_keys;

    fn with(given: &[&str]) -> Result<Vec<Argument>, Vec<String>> {
        let given: Vec<String> = given.iter().map(|text| (*text).to_owned()).collect();
        arguments(&old_keys(), &given).map_err(|errors| errors.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_value_replaces_the_default() {
        let days = |days| vec![Argument { name: "days".into(), value: ParameterValue::Integer(days) }];
        assert_eq!(with(&[]), Ok(days(90)));
        assert_eq!(with(&["days=7"]), Ok(days(7)));
    }

    #[test]
    fn every_wrong_value_is_named() {
        assert_eq!(
            with(&["days=soon", "day=7", "days", "days=1", "days=2"]),
            Err(vec![
                "days=\"soon\": not a whole number".to_owned(),
                "old_keys has no parameter \"day\"; it has days".to_owned(),
                "\"days\" is not NAME=VALUE".to_owned(),
                "days is given twice".to_owned(),
            ])
        );
    }

    #[test]
    fn lists_are_separated_by_commas() {
        let texts = ParameterValue::Texts(vec!["a".into()]);
        assert_eq!(read(&texts, "x, y"), Some(ParameterValue::Texts(vec!["x".into(), "y".into()])));
        assert_eq!(read(&ParameterValue::Integers(vec![1]), "22,x"), None);
    }
}
