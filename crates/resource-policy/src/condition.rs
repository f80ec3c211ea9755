//! Evaluates conditions for a request from a stranger.

use crate::{PolicyError, part, values_as_texts};
use serde_json::Value;

/// Whether a stranger's request meets conditions. Ordered: of several conditions, the least counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Met {
    /// It cannot.
    Never,
    /// If the stranger so chooses.
    ByChoice,
    /// Always: it cannot avoid meeting them.
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
    let key = key.to_ascii_lowercase();
    let Some(kind) = Kind::of(&key) else { return Ok(Met::ByChoice) };
    let values = values_as_texts("Condition", values)?;
    let passes_without_key = operator.passes_without_key && !ALWAYS_THERE.contains(&key.as_str());
    if kind == Kind::CalledByAws {
        return Ok(called_by_aws(operator, values.iter().any(|value| value.eq_ignore_ascii_case("false"))));
    }
    match operator.test {
        Test::Bool | Test::Other => Ok(Met::ByChoice),
        Test::Matches { wildcards } | Test::Differs { wildcards } => {
            let is_any = values.iter().any(|value| kind.stands_for_any(value, wildcards));
            let differs = matches!(operator.test, Test::Differs { .. });
            Ok(match (differs, is_any) {
                (_, true) => Met::ByChoice,
                // A request that lacks the key passes.
                (false, false) if passes_without_key => Met::ByChoice,
                (false, false) => Met::Never,
                // A request that lacks the key fails, and one with a value that differs passes.
                (true, false) if operator.needs_key => Met::ByChoice,
                (true, false) => Met::Always,
            })
        }
    }
}

/// A stranger is not a service of AWS: the key is `false` in a signed request and absent in an anonymous one.
fn called_by_aws(operator: &Operator, names_false: bool) -> Met {
    match (operator.test, names_false) {
        (Test::Other, _) | (Test::Differs { .. }, true) => Met::ByChoice,
        (Test::Differs { .. }, false) if operator.needs_key => Met::ByChoice,
        (Test::Differs { .. }, false) => Met::Always,
        (_, true) if operator.passes_without_key => Met::Always,
        (_, true) => Met::ByChoice,
        (_, false) if operator.passes_without_key => Met::ByChoice,
        (_, false) => Met::Never,
    }
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

/// Keys in all requests, "including anonymous requests" ("AWS global condition context keys", AWS IAM User Guide). AWS KMS
/// has no anonymous requests.
const ALWAYS_THERE: [&str; 3] = ["aws:principalaccount", "aws:userid", "kms:calleraccount"];

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
    /// Account or organization of the resource, compared with that of the caller.
    OfResource,
}

impl Kind {
    /// Not `aws:VpcSourceIp` and `aws:Ec2InstanceSourcePrivateIPv4`: a stranger has a VPC with any range. Not
    /// `aws:username`: a stranger has a user of any name.
    fn of(key: &str) -> Option<Self> {
        match key {
            "aws:chatbotsourcearn"
            | "aws:principalarn"
            | "aws:signinsessionarn"
            | "aws:sourcearn"
            | "aws:sourcevpcarn"
            | "codebuild:buildarn"
            | "codebuild:projectarn"
            | "ec2:sourceinstancearn"
            | "lambda:sourcefunctionarn"
            | "s3:dataaccesspointarn"
            | "ssm:sourceinstancearn" => Some(Self::Arn),
            "aws:userid" => Some(Self::UserId),
            "aws:sourceip" => Some(Self::Network),
            "aws:resourceaccount" | "aws:resourceorgid" | "aws:resourceorgpaths" => Some(Self::OfResource),
            "aws:principalisawsservice" => Some(Self::CalledByAws),
            "aws:ec2instancesourcevpc"
            | "aws:principalaccount"
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
            | "aws:vpceaccount"
            | "aws:vpceorgid"
            | "aws:vpceorgpaths"
            | "identitystore:userid"
            | "kms:calleraccount"
            | "lambda:eventsourcetoken"
            | "s3:dataaccesspointaccount" => Some(Self::Name),
            _ => is_of_provider(key).then_some(Self::Name),
        }
    }

    /// Whether a value stands for any caller.
    fn stands_for_any(self, value: &str, wildcards: bool) -> bool {
        let any = |text: &str| wildcards && text.contains(['*', '?']);
        if self == Self::OfResource {
            return !variables(value).any(|name| name.starts_with("aws:principal"));
        }
        // The account and the organization of the resource are not the stranger's; other variables may be.
        variables(value).any(|name| !name.starts_with("aws:resource"))
            || match self {
                Self::Arn => any(of_owner(value)),
                // `<id of a role>:*` are the role's sessions.
                Self::UserId => any(value.strip_suffix(":*").unwrap_or(value)),
                Self::Network => any(value) || is_broad(value),
                Self::Name => any(of_organization(value)),
                Self::CalledByAws | Self::OfResource => true,
            }
    }
}

/// Whether an identity provider sets the key: `saml:aud`, `accounts.google.com:sub`.
fn is_of_provider(key: &str) -> bool {
    let provider = key.rsplit_once(':').filter(|(_, name)| ["aud", "sub"].contains(name)).map(|(provider, _)| provider);
    provider.is_some_and(|provider| provider == "saml" || provider.contains('.') && !provider.contains(':'))
}

/// Names of the variables in a value, in small letters.
fn variables(value: &str) -> impl Iterator<Item = String> {
    value.split("${").skip(1).map(str::to_ascii_lowercase)
}

/// Whether a network is too large for one owner: broader than /8, or for IPv6 /32 ("The meaning of \"public\"", Amazon S3
/// User Guide).
fn is_broad(network: &str) -> bool {
    let least = if network.contains(':') { 32 } else { 8 };
    let length = network.split_once('/').and_then(|(_, length)| length.parse::<u8>().ok());
    length.is_some_and(|length| length < least)
}

/// Part of an ARN that says who owns the resource: the account, or the name if there is none, of objects that of the bucket.
/// Other texts as they are.
fn of_owner(arn: &str) -> &str {
    let parts: Vec<&str> = arn.splitn(6, ':').collect();
    match parts[..] {
        ["arn", _, _, _, "", name] => name.split('/').next().filter(|bucket| !bucket.is_empty()).unwrap_or(name),
        ["arn", _, _, _, account, _] => account,
        // The pattern continues behind the account: `arn:aws:iam::111111111111*`.
        ["arn", _, _, _, rest] => {
            rest.get(..12).filter(|it| it.bytes().all(|byte| byte.is_ascii_digit())).unwrap_or(arn)
        }
        _ => arn,
    }
}

/// `o-1` of a path of an organization, `o-1/r-1/ou-1/*`; other names as they are.
fn of_organization(value: &str) -> &str {
    value.split_once('/').filter(|(organization, _)| organization.starts_with("o-")).map_or(value, |(it, _)| it)
}
