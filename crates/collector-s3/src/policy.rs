//! The policy of a bucket and its statements. Pure.

use collector::Json;
use resource_policy::PolicyError;

/// A bucket policy.
#[derive(Debug, Clone, PartialEq)]
pub struct Policy {
    /// The whole policy, which [`resource_policy::anonymous`] can judge.
    pub document: serde_json::Value,
    /// `Id` of the policy.
    pub id: Option<String>,
    /// `Version` of the policy language.
    pub version: Option<String>,
    /// Statements in their order, each an object.
    pub statements: Vec<Json>,
}

/// Parses a policy, whose only statement may stand alone instead of in a list. Takes time and memory in proportion to the
/// text. [`resource_policy::MOST_BYTES`] limits its size, and 128 levels its nesting.
///
/// # Errors
/// Fails if the text is not a policy.
pub fn parse(document: &str) -> Result<Policy, PolicyError> {
    resource_policy::anonymous(document)?;
    let json: Json = serde_json::from_str(document)?;
    let text = |key: &str| json.get(key).and_then(Json::as_str).map(str::to_owned);
    let statements = match json.get("Statement") {
        Some(Json::List(statements)) => statements.clone(),
        single => single.into_iter().cloned().collect(),
    };
    Ok(Policy { document: serde_json::from_str(document)?, id: text("Id"), version: text("Version"), statements })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn a_statement_may_stand_alone() {
        let statement =
            r#"{"Effect": "Allow", "NotPrincipal": {"AWS": "111111111111"}, "NotAction": "s3:*", "NotResource": "*"}"#;
        let alone = parse(&format!(r#"{{"Statement": {statement}}}"#)).expect("a policy");
        let listed = parse(&format!(r#"{{"Statement": [{statement}]}}"#)).expect("a policy");
        assert_eq!((&alone.statements, alone.statements.len()), (&listed.statements, 1));
    }

    #[test]
    fn a_policy_may_have_an_id_and_a_version() {
        let policy = parse(r#"{"Version": "2012-10-17", "Id": "p", "Statement": []}"#).expect("a policy");
        assert_eq!((policy.version.as_deref(), policy.id.as_deref()), (Some("2012-10-17"), Some("p")));
    }

    #[test]
    fn other_texts_are_errors() {
        for text in ["", "{}", r#"{"Statement": "x"}"#] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
