//! Principals.

use crate::{PolicyError, list, part, values_as_texts};
use serde_json::Value;

/// Kinds of principals that count.
const KINDS: [(&str, &str); 3] =
    [("AWS", "Principal.AWS"), ("Service", "Principal.Service"), ("Federated", "Principal.Federated")];

/// Whether one of the principals stands for everyone.
pub(crate) fn any_is_open(principal: Option<&Value>) -> Result<bool, PolicyError> {
    match principal {
        None => Ok(false),
        Some(Value::Object(kinds)) => {
            let mut open = false;
            for (kind, name) in KINDS {
                let named = kinds.get(kind).map(|value| values_as_texts(name, value)).transpose()?;
                open |= named.is_some_and(|named| named.iter().any(|text| is_open(text)));
            }
            Ok(open)
        }
        Some(value @ (Value::String(_) | Value::Array(_))) => {
            Ok(values_as_texts("Principal", value)?.iter().any(|text| is_open(text)))
        }
        Some(_) => Err(part("Principal", "a text, a list or an object")),
    }
}

/// Whether the principals are exactly everyone, as a `Deny` must name them to count.
pub(crate) fn is_everyone(principal: Option<&Value>) -> bool {
    let named = principal.map(|principal| principal.get("AWS").unwrap_or(principal));
    named.is_some_and(|named| list(named).iter().any(|it| it == "*"))
}

/// Whether a principal stands for everyone.
fn is_open(text: &str) -> bool {
    if text == "*" {
        return true;
    }
    match Named::of(text) {
        None => text.contains('*'),
        Some(named) if named.service == Some("s3") => false,
        Some(Named { account: None, is_service_principal: false, .. }) => true,
        Some(named) => named.account == Some("*"),
    }
}

/// Principal named by a text.
struct Named<'a> {
    service: Option<&'a str>,
    account: Option<&'a str>,
    is_service_principal: bool,
}

impl<'a> Named<'a> {
    fn of(text: &'a str) -> Option<Self> {
        Self::arn(text).or_else(|| Self::accounts(text)).or_else(|| Self::service(text))
    }

    /// `arn:<partition>:<service>:<region>:<account>:<name>`.
    fn arn(text: &'a str) -> Option<Self> {
        let mut parts = text.strip_prefix("arn:")?.splitn(5, ':');
        let (_partition, service, _region) = (parts.next()?, parts.next()?, parts.next()?);
        let (account, name) = (parts.next()?, parts.next()?);
        let is_account = ["", "*", "cloudfront", "aws"].contains(&account) || is_digits(account, 12);
        let account = Some(account).filter(|account| !account.is_empty());
        (is_account && !name.is_empty()).then_some(Self {
            service: Some(service),
            account,
            is_service_principal: false,
        })
    }

    /// 12 digits, or a multiple.
    fn accounts(text: &'a str) -> Option<Self> {
        let is_accounts = !text.is_empty() && text.len().is_multiple_of(12) && is_digits(text, text.len());
        is_accounts.then_some(Self { service: None, account: Some(text), is_service_principal: false })
    }

    /// `ec2.amazonaws.com`, `delivery.logs.amazonaws.com`, `x.aws.internal`.
    fn service(text: &'a str) -> Option<Self> {
        let labels = |name: &str, most: usize| {
            let labels: Vec<_> = name.split('.').collect();
            labels.len() <= most && labels.iter().all(|label| !label.is_empty())
        };
        let of_amazon = text.strip_suffix(".amazonaws.com").or_else(|| text.strip_suffix(".amazon.com"));
        let internal = || text.strip_suffix(".aws.internal").filter(|name| labels(name, 1));
        let service = of_amazon.filter(|name| labels(name, 2)).or_else(internal)?;
        Some(Self { service: Some(service), account: None, is_service_principal: true })
    }
}

fn is_digits(text: &str, length: usize) -> bool {
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit())
}
