//! The session policy of a lease: exactly the actions that the collector declares, and only ones that read.

use std::collections::{BTreeMap, BTreeSet};

/// Longest session policy that STS takes (STS API reference, `AssumeRole`, `Policy`).
const LIMIT: usize = 2_048;
/// Most actions that one request may name; far above what any service has.
const MOST_ACTIONS: usize = 512;

/// Number of characters of a rejected action that the answer repeats.
const MOST_SHOWN: usize = 128;

/// IAM prefixes of the services that Groma surveys.
const SERVICES: [&str; 7] = ["autoscaling", "ec2", "elasticloadbalancing", "iam", "inspector2", "organizations", "sts"];

/// Whose collectors call services beside their own: EC2's has its whole family.
const FAMILIES: [(&str, &[&str]); 1] = [("ec2", &["autoscaling", "ec2", "elasticloadbalancing"])];

/// First words of actions that read.
const READING: [&str; 6] = ["BatchGet", "Describe", "Generate", "Get", "List", "Search"];

/// Actions that look like reading and hand out secrets or new credentials.
const NEVER: [&str; 9] = [
    "ec2:GetPasswordData",
    "ec2:GetConsoleOutput",
    "ec2:GetConsoleScreenshot",
    "ec2:GetVpnConnectionDeviceSampleConfiguration",
    "sts:GetDelegatedAccessToken",
    "sts:GetFederationToken",
    "sts:GetServiceBearerToken",
    "sts:GetSessionToken",
    "sts:GetWebIdentityToken",
];

/// Actions that `Generate` begins and that make nothing but a report.
const REPORTS: [&str; 2] = ["iam:GenerateCredentialReport", "iam:GenerateServiceLastAccessedDetails"];

/// A policy that is not given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not an action that reads, of a service that is surveyed.
    #[error("{0:?} is not an action that Groma gives sessions for: only reading ones are")]
    Forbidden(String),
    /// An action of a service that its collector has no business with: who may ask for leases of one service gets those.
    #[error("{action:?} is not for the collector of {service}")]
    Foreign {
        /// The action.
        action: String,
        /// The service that the lease is for.
        service: String,
    },
    /// Nothing, or far too much.
    #[error("{0} actions were asked for in one lease")]
    Count(usize),
    /// It does not fit.
    #[error("the actions do not fit into a session policy, which may have {LIMIT} characters")]
    TooLong,
}

/// The policy document of a lease of this service for these actions.
///
/// A policy that would be too long is shortened by writing `ec2:Describe*` for all actions of a service that begin with
/// `Describe` or `List`, longest group first: both only ever read. `Get` is never shortened, because it also begins names
/// that hand out secrets.
///
/// # Errors
/// [`PolicyError`].
pub fn document(service: &str, actions: &[String]) -> Result<String, PolicyError> {
    if actions.is_empty() || actions.len() > MOST_ACTIONS {
        return Err(PolicyError::Count(actions.len()));
    }
    if let Some(forbidden) = actions.iter().find(|action| !is_allowed(action)) {
        return Err(PolicyError::Forbidden(forbidden.chars().take(MOST_SHOWN).collect()));
    }
    if let Some(foreign) = actions.iter().find(|action| !belongs(service, action)) {
        return Err(PolicyError::Foreign { action: foreign.clone(), service: service.to_owned() });
    }
    let mut actions: BTreeSet<String> = actions.iter().cloned().collect();
    loop {
        let text = write(&actions);
        if text.len() <= LIMIT {
            return Ok(text);
        }
        let group = longest_group(&actions).ok_or(PolicyError::TooLong)?;
        actions.retain(|action| !action.starts_with(&group));
        actions.insert(group + "*");
    }
}

/// A policy that allows nothing but to ask who one is: for trying whether a role can be assumed.
pub fn of_nothing() -> String {
    write(&BTreeSet::from(["sts:GetCallerIdentity".to_owned()]))
}

/// `service:Verb…` of a surveyed service, reading, without wildcards.
fn is_allowed(action: &str) -> bool {
    let Some((service, name)) = action.split_once(':') else { return false };
    let reads =
        READING.iter().any(|verb| name.strip_prefix(verb).is_some_and(|rest| rest.starts_with(char::is_uppercase)));
    let plain = name.bytes().all(|byte| byte.is_ascii_alphanumeric()) && name.len() <= 128;
    let report = !name.starts_with("Generate") || REPORTS.contains(&action);
    let known = SERVICES.contains(&service) && !NEVER.iter().any(|never| never.eq_ignore_ascii_case(action));
    reads && plain && report && known
}

fn belongs(service: &str, action: &str) -> bool {
    let prefix = action.split(':').next().unwrap_or_default();
    let family = FAMILIES.iter().find(|(name, _)| *name == service).map(|(_, family)| *family);
    family.map_or(prefix == service, |family| family.contains(&prefix))
}

fn longest_group(actions: &BTreeSet<String>) -> Option<String> {
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for action in actions.iter().filter(|action| !action.ends_with('*')) {
        let Some((service, name)) = action.split_once(':') else { continue };
        if let Some(verb) = ["Describe", "List"].into_iter().find(|verb| name.starts_with(verb)) {
            *groups.entry(format!("{service}:{verb}")).or_default() += action.len();
        }
    }
    groups.into_iter().max_by_key(|(_, length)| *length).map(|(group, _)| group)
}

/// Actions hold letters, digits, `:` and `*` only, so that they need no escaping.
fn write(actions: &BTreeSet<String>) -> String {
    let list: Vec<String> = actions.iter().map(|action| format!("\"{action}\"")).collect();
    let list = list.join(",");
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{list}],"Resource":"*"}}]}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(actions: &[&str]) -> Result<String, PolicyError> {
        document("ec2", &actions.iter().map(|action| (*action).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn exactly_what_was_asked_sorted() {
        assert_eq!(
            of(&["ec2:DescribeVpcs", "ec2:DescribeRegions", "ec2:DescribeVpcs"]).unwrap(),
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["ec2:DescribeRegions","ec2:DescribeVpcs"],"Resource":"*"}]}"#
        );
    }

    #[test]
    fn only_reading_and_never_a_wildcard() {
        for bad in [
            "*",
            "ec2:*",
            "ec2:Describe*",
            "ec2:TerminateInstances",
            "ec2:Describe",
            "ec2:Describes",
            "iam:CreateUser",
            "iam:PassRole",
            "sts:AssumeRole",
            "sts:GetSessionToken",
            "ec2:getPasswordData",
            "ec2:GetPasswordData",
            "secretsmanager:GetSecretValue",
            "iam:GenerateOrganizationsAccessReport",
            "ec2:DescribeVpcs\",\"ec2:DeleteVpc",
            "iam:GetUser\"]",
            "",
        ] {
            assert_eq!(of(&["ec2:DescribeVpcs", bad]), Err(PolicyError::Forbidden(bad.to_owned())), "{bad}");
        }
        let report = ["iam:GenerateServiceLastAccessedDetails".to_owned()];
        assert!(document("iam", &report).is_ok());
    }

    #[test]
    fn a_service_gets_its_own_actions() {
        assert!(of(&["ec2:DescribeVpcs", "autoscaling:DescribeAutoScalingGroups"]).is_ok());
        let foreign = |service: &str, action: &str| document(service, &[action.to_owned()]);
        for (service, action) in [("ec2", "iam:ListUsers"), ("iam", "ec2:DescribeVpcs"), ("sts", "iam:ListUsers")] {
            let (action_text, service_text) = (action.to_owned(), service.to_owned());
            let expected = PolicyError::Foreign { action: action_text, service: service_text };
            assert_eq!(foreign(service, action), Err(expected));
        }
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert_eq!(of(&[]), Err(PolicyError::Count(0)));
        let many: Vec<String> = (0..600).map(|n| format!("ec2:DescribeThing{n}")).collect();
        assert_eq!(document("ec2", &many), Err(PolicyError::Count(600)));
    }

    #[test]
    fn what_is_too_long_is_grouped_and_what_still_is_refused() {
        let mut actions: Vec<String> = (0..100).map(|n| format!("ec2:DescribeSomeLongThingNumber{n}")).collect();
        actions.push("ec2:GetManagedPrefixListEntries".into());
        actions.push("elasticloadbalancing:DescribeTags".into());
        let text = document("ec2", &actions).expect("it is grouped");
        let grouped = r#"["ec2:Describe*","ec2:GetManagedPrefixListEntries","elasticloadbalancing:DescribeTags"]"#;
        assert!(text.contains(grouped), "{text}");
        let gets: Vec<String> = (0..100).map(|n| format!("iam:GetSomeLongThingNumber{n}")).collect();
        assert_eq!(document("iam", &gets), Err(PolicyError::TooLong));
    }
}
