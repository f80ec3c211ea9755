//! The session policy of a lease: exactly the requested actions, each of which the catalog lists for the service's
//! collector.

use std::{collections::BTreeSet, fmt::Write};

/// STS's limit of a session policy, in characters (STS API reference, `AssumeRole`, `Policy`).
const LIMIT: usize = 2_048;
/// Limit of actions in one request; far above the number of any service.
const MOST_ACTIONS: usize = 512;
/// Limit of characters of a rejected action in the answer.
const MOST_SHOWN: usize = 128;

/// A refused policy.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// An action that the service's collector never calls.
    #[error(
        "{action:?} is not among the actions that this broker grants to the collector of {service}; if the collector is newer \
         than the broker, update the broker"
    )]
    NotCatalogued {
        /// The action, cut short.
        action: String,
        /// The service that the lease is for.
        service: String,
    },
    /// No action, or far too many.
    #[error("one lease request names {0} actions")]
    Count(usize),
    /// The document is too long for STS.
    #[error("the actions do not fit into a session policy, which may have {LIMIT} characters")]
    TooLong,
}

/// Returns the policy document of a lease of this service for these actions.
///
/// # Errors
/// [`PolicyError`].
pub fn document(service: &str, actions: &[String]) -> Result<String, PolicyError> {
    if actions.is_empty() || actions.len() > MOST_ACTIONS {
        return Err(PolicyError::Count(actions.len()));
    }
    let known = catalog::service(service).map(|service| service.actions.as_slice()).unwrap_or_default();
    if let Some(other) = actions.iter().find(|action| !known.contains(action)) {
        let action = other.chars().take(MOST_SHOWN).collect();
        return Err(PolicyError::NotCatalogued { action, service: service.to_owned() });
    }
    let text = write(&actions.iter().map(String::as_str).collect());
    if text.len() <= LIMIT { Ok(text) } else { Err(PolicyError::TooLong) }
}

/// Returns a policy that allows only `GetCallerIdentity`, for testing whether a role can be assumed.
pub fn of_nothing() -> String {
    write(&BTreeSet::from(["sts:GetCallerIdentity"]))
}

/// Actions contain only letters, digits and `:`, so they need no escaping.
fn write(actions: &BTreeSet<&str>) -> String {
    let mut list = String::new();
    for (index, action) in actions.iter().enumerate() {
        let comma = if index == 0 { "" } else { "," };
        // Writing to a `String` cannot fail.
        let _ = write!(list, "{comma}\"{action}\"");
    }
    format!(r#"{{"Version":"2012-10-17","Statement":[{{"Effect":"Allow","Action":[{list}],"Resource":"*"}}]}}"#)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Actions that return secrets or credentials, although they look like reading: AWS's models mark members of their
    /// answers as sensitive, or their documentation does. Two of that kind are catalogued for the rest of their answers:
    /// `ec2:DescribeLaunchTemplateVersions` and `autoscaling:DescribeLaunchConfigurations` return user data.
    const SECRET: [&str; 20] = [
        "ec2:DescribeInstanceAttribute",
        "ec2:DescribeVerifiedAccessTrustProviders",
        "ec2:DescribeVpnConnections",
        "ec2:GetConsoleOutput",
        "ec2:GetConsoleScreenshot",
        "ec2:GetLaunchTemplateData",
        "ec2:GetPasswordData",
        "ec2:GetVpnConnectionDeviceSampleConfiguration",
        "iam:GetCredentialReport",
        "inspector2:BatchGetCodeSnippet",
        "ssm:GetParameter",
        "ssm:GetParameterHistory",
        "ssm:GetParameters",
        "ssm:GetParametersByPath",
        "sts:AssumeRole",
        "sts:GetDelegatedAccessToken",
        "sts:GetFederationToken",
        "sts:GetServiceBearerToken",
        "sts:GetSessionToken",
        "sts:GetWebIdentityToken",
    ];

    fn of(service: &str, actions: &[&str]) -> Result<String, PolicyError> {
        document(service, &actions.iter().map(|action| (*action).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn the_requested_actions_sorted() {
        assert_eq!(
            of("ec2", &["ec2:DescribeVpcs", "autoscaling:DescribeAutoScalingGroups", "ec2:DescribeVpcs"]).unwrap(),
            r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["autoscaling:DescribeAutoScalingGroups","ec2:DescribeVpcs"],"Resource":"*"}]}"#
        );
    }

    #[test]
    fn other_actions_are_refused() {
        let others = [
            "*",
            "ec2:*",
            "ec2:Describe*",
            "ec2:TerminateInstances",
            "ec2:describevpcs",
            "ec2:DescribeVpcs\",\"ec2:DeleteVpc",
            "iam:ListUsers",
            "",
        ];
        for action in others.into_iter().chain(SECRET) {
            let refused = PolicyError::NotCatalogued { action: action.to_owned(), service: "ec2".to_owned() };
            assert_eq!(of("ec2", &["ec2:DescribeVpcs", action]), Err(refused), "{action}");
        }
        for (service, action) in [("iam", "ec2:DescribeVpcs"), ("sts", "iam:ListUsers"), ("e", "c2"), ("", "")] {
            assert!(matches!(of(service, &[action]), Err(PolicyError::NotCatalogued { .. })), "{service} {action}");
        }
    }

    #[test]
    fn catalogued_actions_read_and_none_of_these_secrets() {
        for action in catalog::services().iter().flat_map(|service| &service.actions) {
            let (_, name) = action.split_once(':').expect("a service and a name");
            let reading = ["BatchGet", "Describe", "Get", "List", "Search"].iter().any(|verb| name.starts_with(verb));
            // It only creates a report that no other caller reads.
            assert!(reading || action == "iam:GenerateServiceLastAccessedDetails", "{action}");
            assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{action}");
            assert!(!SECRET.contains(&action.as_str()), "{action}");
        }
    }

    #[test]
    fn nothing_and_too_much_are_refused() {
        assert_eq!(of("ec2", &[]), Err(PolicyError::Count(0)));
        assert_eq!(document("ec2", &vec!["ec2:DescribeVpcs".to_owned(); 600]), Err(PolicyError::Count(600)));
    }
}
