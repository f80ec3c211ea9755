//! Parses IAM policy documents in all forms that AWS accepts.

use collector::Json;
use percent_encoding::percent_decode_str;

/// Limit of a document in bytes, URL-encoded as in IAM's response. IAM accepts 131,072 characters including white space
/// (API reference, `CreatePolicy`), each of up to 12 encoded bytes.
const MOST_BYTES: usize = 12 * 131_072;

/// A document that cannot be parsed.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// The document is longer than IAM allows.
    #[error("the document has {0} bytes; the limit is {MOST_BYTES}")]
    TooLong(usize),
    /// The URL-decoded document is not text.
    #[error("the document is not UTF-8")]
    Encoding(#[from] std::str::Utf8Error),
    /// Not JSON.
    #[error("the document is not JSON")]
    Json(#[from] serde_json::Error),
    /// The JSON is not a policy.
    #[error("the document has no Statement")]
    NoStatement,
    /// A statement is not an object.
    #[error("statement {0} is not an object")]
    NotAnObject(usize),
    /// A field has a value that AWS does not accept there.
    #[error("{field} of statement {statement} is not {expected}")]
    Field {
        /// Position of the statement, from 1.
        statement: usize,
        /// Name of the field, e.g. `Action`.
        field: &'static str,
        /// Expected value.
        expected: &'static str,
    },
}

/// Version of a document without a version (IAM user guide, "IAM JSON policy elements: Version").
const OLD: &str = "2008-10-17";

/// A statement of a policy.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Statement {
    /// `Version` of its document, which determines whether it has policy variables.
    pub version: String,
    /// `Sid`, which may be empty.
    pub sid: Option<String>,
    /// `Allow` or `Deny`.
    pub effect: Option<String>,
    /// `Action`, one or more.
    pub action: Option<Vec<String>>,
    /// `NotAction`, one or more.
    pub not_action: Option<Vec<String>>,
    /// `Resource`, one or more.
    pub resource: Option<Vec<String>>,
    /// `NotResource`, one or more.
    pub not_resource: Option<Vec<String>>,
    /// `Condition`, as a list in JSON text.
    pub condition: Option<String>,
    /// `Principal`: kind (`AWS`, `Service`, `Federated`, …) and value.
    pub principals: Vec<(String, String)>,
    /// `NotPrincipal` in the same form: all principals except these.
    pub not_principals: Option<Vec<(String, String)>>,
}

/// Parses the statements of a document, URL-encoded as in IAM's response. Takes time and memory in proportion to the
/// text, which may have 1.5 MB and 128 levels of nesting.
///
/// # Errors
/// Fails if the text is not a policy document.
pub fn parse(encoded: &str) -> Result<Vec<Statement>, DocumentError> {
    if encoded.len() > MOST_BYTES {
        return Err(DocumentError::TooLong(encoded.len()));
    }
    let text = percent_decode_str(encoded).decode_utf8()?;
    let document: Json = serde_json::from_str(&text)?;
    let statements = match document.get("Statement").ok_or(DocumentError::NoStatement)? {
        Json::List(statements) => statements.as_slice(),
        single => std::slice::from_ref(single),
    };
    let version = document.get("Version").and_then(Json::as_str).unwrap_or(OLD);
    statements
        .iter()
        .enumerate()
        .map(|(index, json)| Fields { version, json, position: index + 1 }.statement())
        .collect()
}

struct Fields<'a> {
    version: &'a str,
    json: &'a Json,
    position: usize,
}

impl Fields<'_> {
    fn statement(&self) -> Result<Statement, DocumentError> {
        if !matches!(self.json, Json::Object(_)) {
            return Err(DocumentError::NotAnObject(self.position));
        }
        Ok(Statement {
            version: self.version.to_owned(),
            sid: self.text("Sid")?,
            effect: self.text("Effect")?,
            action: self.texts("Action")?,
            not_action: self.texts("NotAction")?,
            resource: self.texts("Resource")?,
            not_resource: self.texts("NotResource")?,
            condition: self.json.get("Condition").map(condition_text),
            principals: self.principals("Principal")?.unwrap_or_default(),
            not_principals: self.principals("NotPrincipal")?,
        })
    }

    fn text(&self, field: &'static str) -> Result<Option<String>, DocumentError> {
        match self.json.get(field) {
            None | Some(Json::Null) => Ok(None),
            Some(Json::String(text)) => Ok(Some(text.clone())),
            Some(_) => Err(self.unexpected(field, "a text")),
        }
    }

    fn texts(&self, field: &'static str) -> Result<Option<Vec<String>>, DocumentError> {
        self.json.get(field).map(|value| self.list(field, value)).transpose()
    }

    fn list(&self, field: &'static str, value: &Json) -> Result<Vec<String>, DocumentError> {
        let items = match value {
            Json::List(items) => items.as_slice(),
            single => std::slice::from_ref(single),
        };
        let texts = items.iter().map(|item| item.as_str().map(str::to_owned));
        texts.collect::<Option<_>>().ok_or_else(|| self.unexpected(field, "a text or a list of texts"))
    }

    fn principals(&self, field: &'static str) -> Result<Option<Vec<(String, String)>>, DocumentError> {
        match self.json.get(field) {
            None => Ok(None),
            // `"Principal": "*"` means every principal.
            Some(Json::String(everyone)) => Ok(Some(vec![("AWS".to_owned(), everyone.clone())])),
            Some(Json::Object(kinds)) => {
                let mut all = Vec::new();
                for (kind, values) in kinds {
                    all.extend(self.list(field, values)?.into_iter().map(|value| (kind.clone(), value)));
                }
                Ok(Some(all))
            }
            Some(_) => Err(self.unexpected(field, "a text or an object")),
        }
    }

    fn unexpected(&self, field: &'static str, expected: &'static str) -> DocumentError {
        DocumentError::Field { statement: self.position, field, expected }
    }
}

fn condition_text(condition: &Json) -> String {
    match condition {
        list @ Json::List(_) => list.to_string(),
        single => format!("[{single}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::{Statement, parse};
    use expect_test::{Expect, expect};
    use percent_encoding::{NON_ALPHANUMERIC, percent_encode, utf8_percent_encode};
    use proptest::prelude::*;
    use std::error::Error;

    fn encoded(json: &str) -> String {
        utf8_percent_encode(json, NON_ALPHANUMERIC).to_string()
    }

    fn only(json: &str) -> Statement {
        let mut statements = parse(&encoded(json)).expect(json);
        assert_eq!(statements.len(), 1);
        statements.remove(0)
    }

    fn texts(items: &[&str]) -> Vec<String> {
        items.iter().map(|&item| item.to_owned()).collect()
    }

    #[test]
    fn texts_and_lists_are_the_same() {
        let one = only(r#"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}"#);
        let list = only(r#"{"Statement":[{"Effect":"Allow","Action":["s3:*"],"Resource":["*"]}]}"#);
        assert_eq!(one, list);
        let expected = Statement {
            version: "2008-10-17".into(),
            effect: Some("Allow".into()),
            action: Some(texts(&["s3:*"])),
            resource: Some(texts(&["*"])),
            ..Statement::default()
        };
        assert_eq!(one, expected);
    }

    #[test]
    fn a_statement_has_the_version_of_its_document() {
        let of = |version: &str| only(&format!(r#"{{{version} "Statement":{{"Effect":"Allow"}}}}"#)).version;
        assert_eq!((of(r#""Version":"2012-10-17","#), of("")), ("2012-10-17".to_owned(), "2008-10-17".to_owned()));
    }

    #[test]
    fn a_document_without_statements_is_read() {
        assert_eq!(parse(&encoded(r#"{"Version":"2012-10-17","Statement":[]}"#)).expect("a policy"), []);
    }

    #[test]
    fn negations_keep_their_own_fields() {
        let statement =
            only(r#"{"Statement":[{"Sid":"","NotAction":["a","b"],"NotResource":"r","NotPrincipal":"*"}]}"#);
        assert_eq!(statement.sid.as_deref(), Some(""));
        assert_eq!(statement.not_action, Some(texts(&["a", "b"])));
        assert_eq!(statement.not_resource, Some(texts(&["r"])));
        assert_eq!((statement.action, statement.resource, statement.principals), (None, None, Vec::new()));
        assert_eq!(statement.not_principals, Some(vec![("AWS".to_owned(), "*".to_owned())]));
    }

    #[test]
    fn conditions_keep_the_order_of_their_keys() {
        let statement = only(r#"{"Statement":{"Condition":{"StringLike":{"z":["büro"]},"Bool":{"a":"true"}}}}"#);
        let text = r#"[{"StringLike": {"z": ["b\u00fcro"]}, "Bool": {"a": "true"}}]"#;
        assert_eq!(statement.condition.as_deref(), Some(text));
    }

    #[test]
    fn principals_have_a_kind_each() {
        let of = |json: &str| only(&format!(r#"{{"Statement":{{"Principal":{json}}}}}"#)).principals;
        let pair = |kind: &str, value: &str| (kind.to_owned(), value.to_owned());
        assert_eq!(of(r#""*""#), [pair("AWS", "*")]);
        assert_eq!(
            of(r#"{"Service":"ec2.amazonaws.com","AWS":["one","two"]}"#),
            [pair("Service", "ec2.amazonaws.com"), pair("AWS", "one"), pair("AWS", "two")]
        );
    }

    fn check_error(document: &str, expected: &Expect) {
        let error = parse(document).expect_err(document);
        let cause = error.source().map(|source| format!(": {source}")).unwrap_or_default();
        expected.assert_eq(&format!("{error}{cause}"));
    }

    #[test]
    fn what_is_no_policy_is_a_clear_error() {
        check_error("%ff", &expect!["the document is not UTF-8: invalid utf-8 sequence of 1 bytes from index 0"]);
        check_error("%7B", &expect!["the document is not JSON: EOF while parsing an object at line 1 column 1"]);
        check_error("%7B%7D", &expect!["the document has no Statement"]);
        check_error(&encoded(r#"{"Statement":["x"]}"#), &expect!["statement 1 is not an object"]);
        check_error(
            &encoded(r#"{"Statement":[{},{"Action":[1]}]}"#),
            &expect!["Action of statement 2 is not a text or a list of texts"],
        );
        check_error(&encoded(r#"{"Statement":{"Sid":1}}"#), &expect!["Sid of statement 1 is not a text"]);
        check_error(
            &encoded(r#"{"Statement":{"Principal":[]}}"#),
            &expect!["Principal of statement 1 is not a text or an object"],
        );
        check_error(
            &encoded(r#"{"Statement":{"NotPrincipal":{"AWS":[1]}}}"#),
            &expect!["NotPrincipal of statement 1 is not a text or a list of texts"],
        );
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in any::<String>()) {
            let _ = parse(&text);
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in any::<Vec<u8>>()) {
            let _ = parse(&percent_encode(&bytes, NON_ALPHANUMERIC).to_string());
        }

        #[test]
        fn statements_come_out_as_they_went_in(
            actions in prop::collection::vec(any::<String>(), 0..5),
            sid in any::<String>(),
        ) {
            let json = serde_json::json!({ "Statement": [{ "Sid": sid, "Action": actions }] }).to_string();
            let statement = only(&json);
            prop_assert_eq!(statement.sid, Some(sid));
            prop_assert_eq!(statement.action, Some(actions));
        }
    }
}
