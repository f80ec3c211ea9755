//! A way into an account: where the first credentials come from and which roles are assumed with them, one after the other.
//! Secrets are not part of it, so that it can be printed.

use crate::arn::RoleArn;
use std::{fmt, path::PathBuf};

/// Where the first credentials of a route come from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Source {
    /// `AWS_ACCESS_KEY_ID` and its companions.
    Environment,
    /// Keys in a profile.
    Keys {
        /// Which.
        profile: String,
        /// Where they stand.
        file: File,
    },
    /// `credential_process` of a profile.
    Process {
        /// Which.
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
        /// Where no credentials were found; none where a profile names the instance as their source.
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

/// Where credentials were looked for before the instance was asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Searched {
    /// In the environment and the selected profile.
    Everywhere,
    /// In a profile that was named on the command line. The environment's keys do not count then.
    Profile,
}

/// What a profile says of IAM Identity Center.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Sso {
    /// Profile that says it.
    pub profile: String,
    /// Account of the permission set.
    pub account_id: String,
    /// Permission set.
    pub role_name: String,
    /// Region of the instance.
    pub region: String,
    /// Its portal.
    pub start_url: String,
    /// `[sso-session NAME]`, where the profile uses one.
    pub session: Option<String>,
}

/// Role assumed with a web identity token.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct WebIdentity {
    /// Role to assume with the token.
    pub role: RoleArn,
    /// Read anew each time: it is rotated.
    pub token_file: PathBuf,
    /// `role_session_name`.
    pub session_name: Option<String>,
    /// Region of the STS that is asked.
    pub region: String,
}

/// One role of a route.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Role {
    /// Which.
    pub arn: RoleArn,
    /// `external_id`.
    pub external_id: Option<String>,
    /// `role_session_name`.
    pub session_name: Option<String>,
    /// `duration_seconds`.
    pub duration_seconds: Option<i32>,
    /// Region of the STS that is asked.
    pub region: String,
}

/// The way into one account.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Route {
    /// Profile whose settings (region, endpoint, retries) hold.
    pub profile: Option<String>,
    /// Where it begins.
    pub source: Source,
    /// Roles to assume, the account's own last; none when the source is in the account already.
    pub roles: Vec<Role>,
}

impl Route {
    /// The account that it leads to, where that can be known without asking.
    pub fn account_id(&self) -> Option<&str> {
        match (self.roles.last(), &self.source) {
            (Some(role), _) => Some(&role.arn.account_id),
            (None, Source::WebIdentity(identity)) => Some(&identity.role.account_id),
            (None, Source::Sso(sso)) => Some(&sso.account_id),
            _ => None,
        }
    }

    /// Whether its sessions can carry a session policy: AWS takes one with each role that is assumed.
    pub fn is_narrowed(&self) -> bool {
        !self.roles.is_empty() || matches!(self.source, Source::WebIdentity(_))
    }

    /// The same way, one role further.
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
