//! A route into an account: the source of the first credentials, and the roles assumed with them in turn. It contains
//! no secrets and can be logged.

use crate::arn::RoleArn;
use std::{fmt, path::PathBuf};

/// Source of the first credentials of a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// `AWS_ACCESS_KEY_ID` and related variables.
    Environment,
    /// Static keys in a profile.
    Keys {
        /// Name of the profile.
        profile: String,
        /// File with the keys.
        file: File,
    },
    /// `credential_process` of a profile.
    Process {
        /// Name of the profile.
        profile: String,
    },
    /// The cache of `aws sso login`.
    Sso(Sso),
    /// An OIDC token for a role: IRSA, or `web_identity_token_file`.
    WebIdentity(WebIdentity),
    /// The credentials endpoint of ECS, or of EKS Pod Identity.
    EcsContainer,
    /// The instance profile, by IMDSv2.
    Ec2InstanceMetadata {
        /// Set if instance metadata is only the fallback; `None` if a profile names it as its source.
        last_resort: Option<Searched>,
    },
}

/// One of the AWS files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum File {
    /// `~/.aws/config`.
    Config,
    /// `~/.aws/credentials`.
    Credentials,
}

/// Sources searched before the fallback to instance metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Searched {
    /// Environment and selected profile.
    Everywhere,
    /// Only a profile named on the command line. Keys in the environment do not count then.
    Profile,
}

/// IAM Identity Center settings of a profile.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sso {
    /// Name of the profile.
    pub profile: String,
    /// Account of the permission set.
    pub account_id: String,
    /// Name of the permission set.
    pub role_name: String,
    /// Region of the Identity Center instance.
    pub region: String,
    /// URL of its portal.
    pub start_url: String,
    /// Name of the `[sso-session NAME]`, if the profile uses one.
    pub session: Option<String>,
}

/// Role assumed with a web identity token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebIdentity {
    /// Role to assume.
    pub role: RoleArn,
    /// File with the token. Read again for each use, because the token is rotated.
    pub token_file: PathBuf,
    /// `role_session_name`.
    pub session_name: Option<String>,
    /// Region of the STS endpoint.
    pub region: String,
}

/// A role of a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Role {
    /// ARN of the role.
    pub arn: RoleArn,
    /// `external_id`.
    pub external_id: Option<String>,
    /// `role_session_name`.
    pub session_name: Option<String>,
    /// `duration_seconds`.
    pub duration_seconds: Option<i32>,
    /// Region of the STS endpoint.
    pub region: String,
}

/// Route into one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Route {
    /// Profile whose settings (region, endpoint, retries) apply.
    pub profile: Option<String>,
    /// Source of the first credentials.
    pub source: Source,
    /// Roles to assume in turn, the account's own last. Empty if the source is already in the account.
    pub roles: Vec<Role>,
}

impl Route {
    /// Returns the account id if it is known without a call.
    pub fn account_id(&self) -> Option<&str> {
        match (self.roles.last(), &self.source) {
            (Some(role), _) => Some(&role.arn.account_id),
            (None, Source::WebIdentity(identity)) => Some(&identity.role.account_id),
            (None, Source::Sso(sso)) => Some(&sso.account_id),
            _ => None,
        }
    }

    /// Whether a session policy can narrow its sessions: AWS accepts one with each assumed role.
    pub fn is_narrowed(&self) -> bool {
        !self.roles.is_empty() || matches!(self.source, Source::WebIdentity(_))
    }

    /// Appends a role to the route.
    #[must_use]
    pub fn then(mut self, role: Role) -> Self {
        self.roles.push(role);
        self
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment => f.write_str("the environment's keys"),
            Self::Keys { profile, .. } => write!(f, "the keys of profile {profile}"),
            Self::Process { profile } => write!(f, "the credential_process of profile {profile}"),
            Self::Sso(Sso { profile, role_name, .. }) => {
                write!(f, "IAM Identity Center's {role_name} of profile {profile}")
            }
            Self::WebIdentity(identity) => write!(f, "the web identity of {}", identity.role),
            Self::EcsContainer => f.write_str("the container's role"),
            Self::Ec2InstanceMetadata { .. } => f.write_str("the instance's role"),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.source)?;
        self.roles.iter().try_for_each(|role| write!(f, " → {}", role.arn))
    }
}
