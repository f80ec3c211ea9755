//! Conditions, as a stranger meets them.

use crate::{PolicyError, list, part, texts};
use serde_json::Value;

/// Whether a stranger's request meets conditions. Ordered: of several conditions, the least counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Met {
    /// It cannot.
    Never,
    /// If the stranger so chooses.
    ByChoice,
    /// It cannot avoid to.
    Always,
}

/// Whether a stranger meets all the conditions. Without any, always.
pub(crate) fn met(condition: Option<&Value>) -> Result<Met, PolicyError> {
    let Some(condition) = condition else { return Ok(Met::Always) };
    let operators = condition.as_object().ok_or(part("Condition", "an object"))?;
    let mut met = Met::Always;
    for (operator, keys) in operators {
        let operator = Operator::read(operator);
        for (key, values) in keys.as_object().ok_or(part("Condition", "an object of objects"))? {
            met = met.min(one(&operator, key, values)?);
        }
    }
    Ok(met)
}

fn one(operator: &Operator, key: &str, values: &Value) -> Result<Met, PolicyError> {
    let Some(kind) = Kind::of(key) else { return Ok(Met::ByChoice) };
    match operator.test {
        Test::Bool if kind == Kind::CalledByAws => Ok(called_by_aws(values)),
        Test::Bool | Test::Other => Ok(Met::ByChoice),
        Test::Matches { wildcards } | Test::Differs { wildcards } => {
            let values = texts("Condition", values)?;
            let is_any = values.into_iter().any(|value| kind.stands_for_any(value, wildcards));
            let differs = matches!(operator.test, Test::Differs { .. });
            Ok(match (differs, is_any) {
                (_, true) => Met::ByChoice,
                // A request that lacks the key passes.
                (false, false) if operator.passes_without_key => Met::ByChoice,
                (false, false) => Met::Never,
                // A request that lacks the key fails, and one with a value that differs passes.
                (true, false) if operator.needs_key => Met::ByChoice,
                (true, false) => Met::Always,
            })
        }
    }
}

/// A stranger is no service of AWS.
fn called_by_aws(values: &Value) -> Met {
    let is_false = |value: &Value| *value == false || value.as_str().is_some_and(|it| it.eq_ignore_ascii_case("false"));
    if list(values).iter().any(is_false) { Met::Always } else { Met::Never }
}

/// Operator of a condition ("IAM JSON policy elements: Condition operators", AWS IAM User Guide).
struct Operator {
    test: Test,
    /// `…IfExists` and `ForAllValues:…`: a request without the key meets the condition.
    passes_without_key: bool,
    /// `ForAnyValue:…`: a request without the key does not meet it.
    needs_key: bool,
}

#[derive(Clone, Copy)]
enum Test {
    Matches {
        wildcards: bool,
    },
    Differs {
        wildcards: bool,
    },
    Bool,
    /// A number, a date, bytes, or whether the key is there.
    Other,
}

impl Operator {
    fn read(operator: &str) -> Self {
        let operator = operator.to_ascii_lowercase();
        let (set, operator) = operator.split_once(':').unwrap_or(("", &operator));
        let (name, if_exists) = operator.strip_suffix("ifexists").map_or((operator, false), |name| (name, true));
        let test = match name {
            "stringequals" | "stringequalsignorecase" | "ipaddress" => Test::Matches { wildcards: false },
            "stringlike" | "arnequals" | "arnlike" => Test::Matches { wildcards: true },
            "stringnotequals" | "stringnotequalsignorecase" | "notipaddress" => Test::Differs { wildcards: false },
            "stringnotlike" | "arnnotequals" | "arnnotlike" => Test::Differs { wildcards: true },
            "bool" => Test::Bool,
            _ => Test::Other,
        };
        let needs_key = set == "foranyvalue" && !if_exists;
        Self { test, passes_without_key: if_exists || set == "forallvalues", needs_key }
    }
}

/// Keys whose values a stranger cannot choose ("AWS global condition context keys", AWS IAM User Guide).
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Arn,
    UserId,
    Network,
    /// An account, an organization, a VPC, an endpoint, an audience.
    Name,
    /// Whether a service of AWS is the caller.
    CalledByAws,
}

impl Kind {
    fn of(key: &str) -> Option<Self> {
        let key = key.to_ascii_lowercase();
        match key.as_str() {
            "aws:principalarn" | "aws:sourcearn" | "aws:sourcevpcarn" | "s3:dataaccesspointarn" => Some(Self::Arn),
            "aws:userid" => Some(Self::UserId),
            "aws:sourceip" | "aws:vpcsourceip" => Some(Self::Network),
            "aws:principalisawsservice" => Some(Self::CalledByAws),
            "aws:principalaccount"
            | "aws:principalorgid"
            | "aws:principalorgpaths"
            | "aws:principalservicename"
            | "aws:principalservicenameslist"
            | "aws:sourceaccount"
            | "aws:sourceorgid"
            | "aws:sourceorgpaths"
            | "aws:sourceowner"
            | "aws:sourcevpc"
            | "aws:sourcevpce"
            | "aws:username"
            | "aws:vpceaccount"
            | "aws:vpceorgid"
            | "aws:vpceorgpaths"
            | "kms:calleraccount"
            | "lambda:eventsourcetoken"
            | "s3:dataaccesspointaccount" => Some(Self::Name),
            // Those of a role's session and of an identity provider: `saml:aud`, `accounts.google.com:sub`.
            _ if key.ends_with(":aud") || key.ends_with(":sub") => Some(Self::Name),
            _ => None,
        }
    }

    /// Whether a value stands for any caller.
    fn stands_for_any(self, value: &str, wildcards: bool) -> bool {
        // The resource's own account and organization are no stranger's.
        let is_variable = value.contains("${") && !value.starts_with("${aws:Resource");
        let any = |text: &str| wildcards && text.contains(['*', '?']);
        is_variable
            || match self {
                Self::Arn => any(of_owner(value)),
                // `<id of a role>:*` are the role's sessions.
                Self::UserId => any(value.strip_suffix(":*").unwrap_or(value)),
                Self::Network => value.ends_with("/0"),
                Self::Name => any(of_organization(value)),
                Self::CalledByAws => true,
            }
    }
}

/// Part of an ARN that says who owns the resource: the account, or the name if there is none, of objects that of the bucket.
/// Other texts as they are.
fn of_owner(arn: &str) -> &str {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, _, _, "", name] => name.split('/').next().filter(|bucket| !bucket.is_empty()).unwrap_or(name),
        ["arn", _, _, _, account, _] => account,
        _ => arn,
    }
}

/// `o-1` of a path of an organization, `o-1/r-1/ou-1/*`; other names as they are.
fn of_organization(value: &str) -> &str {
    value.split_once('/').filter(|(organization, _)| organization.starts_with("o-")).map_or(value, |(it, _)| it)
}
