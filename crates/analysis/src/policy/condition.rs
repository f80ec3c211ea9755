//! Evaluates a statement's condition as far as caller and resource decide it.
//!
//! Operators are those of AWS (IAM user guide, "IAM JSON policy elements: Condition operators"). Unknown operators and
//! keys stay undecided: an undecided Allow is never certain, an undecided Deny is never dropped.

use super::{Known, Pattern, Request, Variables, pattern::Variable};
use serde_json::Value;

/// Condition of a statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    text: String,
    /// Tests that must all hold. `None` if the condition cannot be parsed.
    tests: Option<Vec<Test>>,
}

/// One operator with one key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Test {
    /// Lower-case context key.
    key: String,
    quantifier: Quantifier,
    operator: Operator,
    /// The operator is `…Not…`.
    negated: bool,
    /// The operator is `…IfExists`.
    if_exists: bool,
    /// Sorted values.
    values: Vec<String>,
    /// Meaning of `${…}` in a value; literal if there is none.
    variables: Variables,
}

/// Treatment of a key with several values. All known keys have at most one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    One,
    /// `ForAnyValue:`, which is false for an absent key even if the operator is negated.
    Any,
    /// `ForAllValues:`, which is true for an absent key.
    All,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    Equal,
    EqualIgnoringCase,
    Like,
    OfArns,
    Bool,
    Null,
    /// Compares numbers, dates, addresses or binary values. No known key has these, so they are never compared.
    OfOthers(String),
    /// An operator that is not known here.
    Unknown(String),
}

impl Condition {
    /// Parses a list of operator maps, or one such map, in JSON. Returns `None` if it is empty, because it
    /// is then not a condition.
    pub fn new(text: String, variables: Variables) -> Option<Self> {
        if ["", "[]", "[{}]", "{}"].contains(&text.trim()) {
            return None;
        }
        let tests = serde_json::from_str(&text).ok().and_then(|json| tests(&json, variables));
        Some(Self { text, tests })
    }

    /// JSON text as in the graph.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether it holds for every request of this kind (`true`) or for none (`false`). `None`: it depends on the
    /// request.
    pub fn holds(&self, request: Request<'_>) -> Option<bool> {
        let mut all = Some(true);
        for test in self.tests.as_ref()? {
            match test.holds(request) {
                Some(true) => {}
                Some(false) => return Some(false),
                None => all = None,
            }
        }
        all
    }

    /// Whether it holds for each request of this kind for which `other` holds: each of its tests holds, or is one of
    /// `other`'s tests.
    pub fn follows(&self, other: Option<&Self>, request: Request<'_>) -> bool {
        let Some(tests) = &self.tests else { return false };
        let others = other.and_then(|other| other.tests.as_deref()).unwrap_or_default();
        tests.iter().all(|test| {
            test.holds(request) == Some(true) || (test.variables != Variables::Either && others.contains(test))
        })
    }
}

/// Parses `{"StringEquals": {"aws:PrincipalAccount": ["1", "2"]}}`, single or in a list.
fn tests(json: &Value, variables: Variables) -> Option<Vec<Test>> {
    let maps = match json {
        Value::Array(maps) => maps.as_slice(),
        map => std::slice::from_ref(map),
    };
    let mut tests = Vec::new();
    for map in maps {
        for (operator, keys) in map.as_object()? {
            for (key, values) in keys.as_object()? {
                tests.push(Test::new(operator, key, values, variables)?);
            }
        }
    }
    Some(tests)
}

impl Test {
    fn new(operator: &str, key: &str, values: &Value, variables: Variables) -> Option<Self> {
        let mut values = match values {
            Value::Array(values) => values.iter().map(scalar).collect::<Option<Vec<_>>>()?,
            single => vec![scalar(single)?],
        };
        values.sort();
        let operator = operator.to_lowercase();
        let (operator, if_exists) = operator.strip_suffix("ifexists").map_or((&*operator, false), |rest| (rest, true));
        let (quantifier, operator) = match operator.split_once(':') {
            Some(("forallvalues", rest)) => (Quantifier::All, rest),
            Some(("foranyvalue", rest)) => (Quantifier::Any, rest),
            _ => (Quantifier::One, operator),
        };
        let (operator, negated) = Operator::new(operator);
        let has_variables = values.iter().any(|value| value.contains("${"));
        let variables = if has_variables { variables } else { Variables::Literal };
        Some(Self { key: key.to_lowercase(), quantifier, operator, negated, if_exists, values, variables })
    }

    fn holds(&self, request: Request<'_>) -> Option<bool> {
        if matches!(self.operator, Operator::Unknown(_)) {
            return None;
        }
        let known = request.value(&self.key);
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
            Known::Absent => Some(match self.quantifier {
                Quantifier::One => self.if_exists || self.negated,
                Quantifier::Any => self.if_exists,
                Quantifier::All => true,
            }),
            Known::Is(found) => self.any_matches(found, request).map(|any| any != self.negated),
        }
    }

    fn any_matches(&self, found: &str, request: Request<'_>) -> Option<bool> {
        let mut any = Some(false);
        for value in &self.values {
            match self.matches(value, found, request) {
                Some(true) => return Some(true),
                Some(false) => {}
                None => any = None,
            }
        }
        any
    }

    fn matches(&self, value: &str, found: &str, request: Request<'_>) -> Option<bool> {
        match self.variables {
            Variables::Literal => self.operator.matches(value, found),
            // It depends on the policy's version.
            Variables::Either => None,
            Variables::Resolved => match resolved(value, request)? {
                Some(value) => self.operator.matches(&value, found),
                None => Some(false),
            },
        }
    }
}

/// Replaces the variables of a value. Returns `None` if one is unknown, or its value has a wildcard. Returns
/// `Some(None)` if one is absent, because the value then matches nothing (IAM user guide, "IAM policy elements:
/// Variables and tags").
#[expect(clippy::option_option, reason = "unknown, or known to be absent")]
fn resolved(value: &str, request: Request<'_>) -> Option<Option<String>> {
    let (mut text, mut rest) = (String::new(), value);
    while let Some((before, behind)) = rest.split_once("${") {
        let (variable, behind) = behind.split_once('}')?;
        match Variable::new(variable).value(request) {
            Known::Is(value) if !value.contains(['*', '?']) => text.extend([before, value]),
            Known::Absent => return Some(None),
            Known::Is(_) | Known::Unknown => return None,
        }
        rest = behind;
    }
    Some(Some(text + rest))
}

impl Operator {
    /// Parses an operator from its lower-case name. Also returns whether it is negated.
    fn new(name: &str) -> (Self, bool) {
        match name {
            "stringequals" => (Self::Equal, false),
            "stringnotequals" => (Self::Equal, true),
            "stringequalsignorecase" => (Self::EqualIgnoringCase, false),
            "stringnotequalsignorecase" => (Self::EqualIgnoringCase, true),
            "stringlike" => (Self::Like, false),
            "stringnotlike" => (Self::Like, true),
            "arnequals" | "arnlike" => (Self::OfArns, false),
            "arnnotequals" | "arnnotlike" => (Self::OfArns, true),
            "bool" => (Self::Bool, false),
            "null" => (Self::Null, false),
            "notipaddress" | "numericnotequals" | "datenotequals" => (Self::OfOthers(name.to_owned()), true),
            "ipaddress"
            | "binaryequals"
            | "numericequals"
            | "numericlessthan"
            | "numericlessthanequals"
            | "numericgreaterthan"
            | "numericgreaterthanequals"
            | "dateequals"
            | "datelessthan"
            | "datelessthanequals"
            | "dategreaterthan"
            | "dategreaterthanequals" => (Self::OfOthers(name.to_owned()), false),
            _ => (Self::Unknown(name.to_owned()), false),
        }
    }

    /// Compares two values. Returns `None` if AWS does not document the result.
    fn matches(&self, value: &str, found: &str) -> Option<bool> {
        match self {
            Self::EqualIgnoringCase | Self::Bool => Some(value.eq_ignore_ascii_case(found)),
            Self::Like => Some(Pattern::new(value).matches(found)),
            Self::OfArns => arns_match(value, found),
            Self::Equal => Some(value == found),
            Self::Null | Self::OfOthers(_) | Self::Unknown(_) => None,
        }
    }
}

/// Compares ARNs: "Each of the six colon-delimited components of the ARN is checked separately" (IAM user guide, "ARN
/// condition operators").
fn arns_match(value: &str, found: &str) -> Option<bool> {
    let parts = |text: &str| text.splitn(6, ':').map(str::to_owned).collect::<Vec<_>>();
    let (wanted, found) = (parts(value), parts(found));
    if wanted.len() < 6 || found.len() < 6 {
        return None;
    }
    Some(wanted.into_iter().zip(&found).all(|(wanted, found)| Pattern::new(wanted).matches(found)))
}

/// Text of a scalar: policies have numbers and booleans with or without quotes.
fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Condition, Request, Variables};
    use crate::policy::Caller;

    const USER: &str = "arn:aws:iam::111111111111:user/alice";
    const ROLE: &str = "arn:aws:iam::111111111111:role/app";

    fn holds(caller: &str, condition: &str) -> Option<bool> {
        let condition = Condition::new(condition.to_owned(), Variables::Resolved);
        condition.expect("a condition").holds(by(&Caller::of_arn(caller)))
    }

    fn by(caller: &Caller) -> Request<'_> {
        Request { caller: Some(caller), resource: "arn:aws:ecs:eu-west-1:222222222222:task/t".into() }
    }

    /// Follows AWS's description of the operators. The key `aws:username` is absent for roles.
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
            (r#"{"StringEquals": {"aws:ResourceAccount": "222222222222"}}"#, YES, YES),
            (r#"{"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}"#, NO, NO),
            (r#"{"StringNotEquals": {"aws:RequestedRegion": ["eu-west-1", "us-east-1"]}}"#, NO, NO),
            (r#"{"StringEquals": {"aws:PrincipalOrgID": "o-1"}}"#, None, None),
            (r#"{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}"#, None, None),
            (r#"{"ForAnyValue:StringEquals": {"aws:username": "alice"}}"#, YES, NO),
            (r#"{"ForAnyValue:StringNotEquals": {"aws:username": "alice"}}"#, NO, NO),
            (r#"{"ForAnyValue:StringEqualsIfExists": {"aws:username": "bob"}}"#, NO, YES),
            (r#"{"ForAllValues:StringEquals": {"aws:username": "alice"}}"#, YES, YES),
            (r#"{"ForAllValues:StringLike": {"aws:username": "b*"}}"#, NO, YES),
            (r#"{"ForAllValues:StringEquals": {"aws:username": "alice"}, "Null": {"aws:username": "false"}}"#, YES, NO),
            (r#"{"NumericLessThan": {"aws:SourceAccount": "5"}}"#, NO, NO),
            (r#"{"NotIpAddress": {"aws:SourceArn": "10.0.0.0/8"}}"#, YES, YES),
            (r#"{"NumericLessThan": {"aws:PrincipalAccount": "5"}}"#, None, None),
            (r#"{"StringFuzzyEquals": {"aws:username": "alice"}}"#, None, None),
            (r#"{"StringFuzzyEqualsIfExists": {"aws:username": "alice"}}"#, None, None),
            // Variables.
            (r#"{"StringEquals": {"aws:username": "${aws:username}"}}"#, YES, NO),
            (r#"{"StringEquals": {"aws:PrincipalAccount": "${aws:username}"}}"#, NO, NO),
            (r#"{"StringNotEquals": {"aws:PrincipalAccount": "${aws:username}"}}"#, YES, YES),
            (r#"{"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:*/app"}}"#, NO, YES),
            (r#"{"StringEquals": {"aws:PrincipalType": "${aws:username, 'AssumedRole'}"}}"#, NO, YES),
            (r#"{"StringEquals": {"aws:PrincipalType": ["${aws:PrincipalTag/x}", "User"]}}"#, YES, None),
            (r#"{"StringEquals": {"aws:PrincipalType": "${*}"}}"#, None, None),
            (r#"{"StringEquals": {"aws:PrincipalType": "${x"}}"#, None, None),
            // All tests must hold.
            (r#"{"StringEquals": {"aws:username": "alice", "aws:SourceVpc": "vpc-1"}}"#, None, NO),
            (r#"[{"Bool": {"aws:SecureTransport": "true"}}, {"StringEquals": {"aws:username": "alice"}}]"#, None, NO),
            (
                r#"[{"StringLike": {"aws:username": "a*"}, "ArnLike": {"aws:PrincipalArn": "*:*:*:*:*:user/*"}}]"#,
                YES,
                NO,
            ),
            // Cannot be parsed.
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
            assert_eq!(Condition::new(text.to_owned(), Variables::Resolved), None, "{text:?}");
        }
        let open = Condition::new(r#"{"StringEquals": {"aws:username": "alice"}}"#.to_owned(), Variables::Resolved);
        assert_eq!(open.expect("a condition").holds(Request::of_anybody("r")), None, "without a caller");
    }

    #[test]
    fn variables_depend_on_the_version() {
        let of = |variables| {
            let condition = r#"{"StringEquals": {"aws:username": "${aws:username}"}}"#;
            let condition = Condition::new(condition.to_owned(), variables).expect("a condition");
            condition.holds(by(&Caller::of_arn(USER)))
        };
        assert_eq!(
            [Variables::Resolved, Variables::Literal, Variables::Either].map(of),
            [Some(true), Some(false), None]
        );
    }

    #[test]
    fn a_condition_follows_from_one_that_has_its_tests() {
        let follows = |variables, condition: &str, other: &str| {
            let of = |text: &str| Condition::new(text.to_owned(), variables).expect("a condition");
            of(condition).follows(Some(&of(other)), by(&Caller::of_arn(USER)))
        };
        let (mfa, spelled) = (r#"{"Bool": {"aws:MFA": "true"}}"#, r#"[{"bool": {"AWS:mfa": [true]}}]"#);
        let both = r#"{"Bool": {"aws:MFA": "true"}, "StringEquals": {"aws:SourceVpc": ["b", "a"]}}"#;
        let vpc = r#"{"StringEquals": {"aws:SourceVpc": ["a", "b"]}}"#;
        let alice = r#"{"Bool": {"aws:MFA": "true"}, "StringEquals": {"aws:username": "alice"}}"#;
        for (condition, other, expected) in [
            (mfa, mfa, true),
            (mfa, spelled, true),
            (mfa, both, true),
            (vpc, both, true),
            (both, mfa, false),
            (alice, mfa, true),
            (mfa, r#"{"Bool": {"aws:MFA": "false"}}"#, false),
            (mfa, r#"{"BoolIfExists": {"aws:MFA": "true"}}"#, false),
            (mfa, "not JSON", false),
            ("not JSON", "not JSON", false),
        ] {
            assert_eq!(follows(Variables::Resolved, condition, other), expected, "{condition} {other}");
        }
        let own = r#"{"StringEquals": {"aws:SourceVpc": "${aws:PrincipalTag/vpc}"}}"#;
        assert!(follows(Variables::Resolved, own, own) && !follows(Variables::Either, own, own));
    }
}
