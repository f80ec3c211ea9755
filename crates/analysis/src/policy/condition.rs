//! Whether a statement's condition holds, as far as the caller alone decides it.
//!
//! Operators as AWS describes them (IAM user guide, "IAM JSON policy elements: Condition operators"). Unknown operators and keys
//! stay undecided: an undecided Allow is never certain, an undecided Deny is never dropped.

use super::{Caller, Known, Pattern};
use serde_json::Value;

/// A statement's condition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    text: String,
    /// All of them have to hold. `None`: not understood.
    tests: Option<Vec<Test>>,
}

/// One operator with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    key: String,
    operator: Operator,
    /// `…Not…`.
    negated: bool,
    /// `…IfExists`.
    if_exists: bool,
    values: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Equal,
    EqualIgnoringCase,
    Like,
    OfArns,
    Bool,
    Null,
    /// Numbers, dates, addresses, sets, and what AWS may add.
    Other,
}

impl Condition {
    /// From a list of operator maps in JSON text, or one such map. `None`: an empty one, which is no condition.
    pub fn new(text: String) -> Option<Self> {
        if ["", "[]", "[{}]", "{}"].contains(&text.trim()) {
            return None;
        }
        let tests = serde_json::from_str(&text).ok().and_then(|json| tests(&json));
        Some(Self { text, tests })
    }

    /// As it stands in the graph.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds for every request of this caller, or for none. `None`: that depends.
    pub fn holds(&self, caller: Option<&Caller>) -> Option<bool> {
        let (caller, tests) = (caller?, self.tests.as_ref()?);
        let mut all = Some(true);
        for test in tests {
            match test.holds(caller) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }
}

/// `{"StringEquals": {"aws:PrincipalAccount": ["1", "2"]}}`, in a list or alone.
fn tests(json: &Value) -> Option<Vec<Test>> {
    let maps = match json {
        Value::Array(maps) => maps.as_slice(),
        map => std::slice::from_ref(map),
    };
    let mut tests = Vec::new();
    for map in maps {
        for (operator, keys) in map.as_object()? {
            for (key, values) in keys.as_object()? {
                tests.push(Test::new(operator, key, values)?);
            }
        }
    }
    Some(tests)
}

impl Test {
    fn new(operator: &str, key: &str, values: &Value) -> Option<Self> {
        let values = match values {
            Value::Array(values) => values.iter().map(scalar).collect::<Option<_>>()?,
            single => vec![scalar(single)?],
        };
        let operator = operator.to_lowercase();
        let (operator, if_exists) = operator.strip_suffix("ifexists").map_or((&*operator, false), |rest| (rest, true));
        let (operator, negated) = match operator {
            "stringequals" => (Operator::Equal, false),
            "stringnotequals" => (Operator::Equal, true),
            "stringequalsignorecase" => (Operator::EqualIgnoringCase, false),
            "stringnotequalsignorecase" => (Operator::EqualIgnoringCase, true),
            "stringlike" => (Operator::Like, false),
            "stringnotlike" => (Operator::Like, true),
            "arnequals" | "arnlike" => (Operator::OfArns, false),
            "arnnotequals" | "arnnotlike" => (Operator::OfArns, true),
            "bool" => (Operator::Bool, false),
            "null" => (Operator::Null, false),
            _ => (Operator::Other, false),
        };
        Some(Self { key: key.to_owned(), operator, negated, if_exists, values })
    }

    fn any_matches(&self, found: &str) -> Option<bool> {
        let mut any = Some(false);
        for value in &self.values {
            match self.operator.matches(value, found) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => any = None,
            }
        }
        any
    }

    fn holds(&self, caller: &Caller) -> Option<bool> {
        // A value with a variable depends on more than is looked at here.
        if self.operator == Operator::Other || self.values.iter().any(|value| value.contains("${")) {
            return None;
        }
        let known = caller.value(&self.key);
        if self.operator == Operator::Null {
            let is_absent = match known {
                Known::Is(_) => "false",
                Known::Absent => "true",
                Known::Unknown => return None,
            };
            return Some(self.values.iter().any(|value| value.eq_ignore_ascii_case(is_absent)));
        }
        match known {
            Known::Unknown => None,
            Known::Absent => Some(self.if_exists || self.negated),
            Known::Is(found) => self.any_matches(found).map(|any| any != self.negated),
        }
    }
}

impl Operator {
    /// `None`: AWS does not say.
    fn matches(self, value: &str, found: &str) -> Option<bool> {
        match self {
            Self::EqualIgnoringCase | Self::Bool => Some(value.eq_ignore_ascii_case(found)),
            Self::Like => Some(Pattern::new(value).matches(found)),
            Self::OfArns => arns_match(value, found),
            Self::Equal | Self::Null | Self::Other => Some(value == found),
        }
    }
}

/// "Each of the six colon-delimited components of the ARN is checked separately" (IAM user guide, "ARN condition operators").
fn arns_match(value: &str, found: &str) -> Option<bool> {
    let parts = |text: &str| text.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let (wanted, found) = (parts(value), parts(found));
    if wanted.len() < 6 || found.len() < 6 {
        return None;
    }
    Some(wanted.into_iter().zip(&found).all(|(wanted, found)| Pattern::new(wanted).matches(found)))
}

/// Policies write numbers and booleans with or without quotes.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Caller, Condition};

    const USER: &str = "arn:aws:iam::111111111111:user/alice";
    const ROLE: &str = "arn:aws:iam::111111111111:role/app";

    fn holds(caller: &str, condition: &str) -> Option<bool> {
        Condition::new(condition.to_owned()).expect("a condition").holds(Some(&Caller::of_arn(caller)))
    }

    /// By AWS's description of the operators; the key `aws:username` is absent for roles.
    #[test]
    fn operators() {
        const YES: Option<bool> = Some(true);
        const NO: Option<bool> = Some(false);
        for (condition, user, role) in [
            (r#"{"StringEquals": {"aws:username": "alice"}}"#, YES, NO),
            (r#"{"StringEquals": {"aws:username": "Alice"}}"#, NO, NO),
            (r#"{"StringEqualsIgnoreCase": {"AWS:UserName": "Alice"}}"#, YES, NO),
            (r#"{"StringEquals": {"aws:username": ["bob", "alice"]}}"#, YES, NO),
            (r#"{"StringNotEquals": {"aws:username": ["bob", "alice"]}}"#, NO, YES),
            (r#"{"StringNotEquals": {"aws:username": "bob"}}"#, YES, YES),
            (r#"{"StringLike": {"aws:username": "*"}}"#, YES, NO),
            (r#"{"StringNotLike": {"aws:username": "*"}}"#, NO, YES),
            (r#"{"StringEqualsIfExists": {"aws:username": "bob"}}"#, NO, YES),
            (r#"{"StringEquals": {"aws:username": "al*"}}"#, NO, NO),
            (r#"{"Null": {"aws:username": "true"}}"#, NO, YES),
            (r#"{"Null": {"aws:username": false}}"#, YES, NO),
            (r#"{"Null": {"aws:MultiFactorAuthAge": "true"}}"#, None, None),
            (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/*"}}"#, NO, YES),
            (r#"{"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::*:user/a*"}}"#, YES, NO),
            (r#"{"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::111111111111:role/app"}}"#, YES, NO),
            (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam:*"}}"#, None, None),
            (r#"{"ArnLike": {"aws:PrincipalArn": ["*", "arn:aws:iam::1*:role/a*"]}}"#, None, YES),
            (r#"{"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:user/*"}}"#, NO, YES),
            (r#"{"StringEquals": {"aws:PrincipalAccount": 111111111111}}"#, YES, YES),
            (r#"{"StringNotEquals": {"aws:PrincipalAccount": "222222222222"}}"#, YES, YES),
            (r#"{"Bool": {"aws:PrincipalIsAWSService": "false"}}"#, YES, YES),
            (r#"{"Bool": {"aws:PrincipalIsAWSService": true}}"#, NO, NO),
            (r#"{"Bool": {"aws:MultiFactorAuthPresent": "true"}}"#, None, None),
            (r#"{"StringEquals": {"aws:PrincipalType": "AssumedRole"}}"#, NO, YES),
            (r#"{"ArnLike": {"aws:SourceArn": "*"}}"#, NO, NO),
            (r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#, None, None),
            (r#"{"ForAnyValue:StringEquals": {"aws:username": "alice"}}"#, None, None),
            (r#"{"StringFuzzyEquals": {"aws:username": "alice"}}"#, None, None),
            (r#"{"StringEquals": {"aws:username": "${aws:username}"}}"#, None, None),
            // All have to hold.
            (r#"{"StringEquals": {"aws:username": "alice", "aws:SourceVpc": "vpc-1"}}"#, None, NO),
            (r#"[{"Bool": {"aws:SecureTransport": "true"}}, {"StringEquals": {"aws:username": "alice"}}]"#, None, NO),
            (
                r#"[{"StringLike": {"aws:username": "a*"}, "ArnLike": {"aws:PrincipalArn": "*:*:*:*:*:user/*"}}]"#,
                YES,
                NO,
            ),
            // Not understood.
            ("not JSON", None, None),
            (r#"["x"]"#, None, None),
            (r#"{"StringEquals": {"aws:username": {"a": 1}}}"#, None, None),
        ] {
            assert_eq!((holds(USER, condition), holds(ROLE, condition)), (user, role), "{condition}");
        }
    }

    #[test]
    fn an_empty_condition_is_none() {
        for text in ["", " {} ", "[]", "[{}]"] {
            assert_eq!(Condition::new(text.to_owned()), None, "{text:?}");
        }
        let open = Condition::new(r#"{"StringEquals": {"aws:username": "alice"}}"#.to_owned());
        assert_eq!(open.expect("a condition").holds(None), None, "without a caller");
    }
}
