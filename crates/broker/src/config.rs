//! Selection of accounts, and the roles to assume in them.

use crate::arn::is_account_id;

/// Role that Cartography's documentation creates in every account.
pub const DOCUMENTED_ROLE: &str = "cartography-read-only";

/// `--accounts` and related flags.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "AWS accounts")]
#[group(skip)]
pub struct Args {
    /// Accounts to survey: that of the caller, one for each AWS profile, or the whole organization [default: `profiles`
    /// with --profile, else `current`]
    #[arg(long, env = "GROMA_ACCOUNTS", value_name = "WHICH", value_enum)]
    pub accounts: Option<Accounts>,
    /// AWS profile. With `profiles`, survey only these; else the profile of the caller. May be repeated
    #[arg(long = "profile", value_name = "NAME")]
    pub profiles: Vec<String>,
    /// Role to assume in each account of the organization; with `current`, a role in the caller's account [default with
    /// organization: cartography-read-only]
    #[arg(long, env = "GROMA_ROLE", value_name = "NAME")]
    pub role: Option<String>,
    /// External id required by the trust policy of this role
    #[arg(long, env = "GROMA_EXTERNAL_ID", hide_env_values = true, value_name = "ID")]
    pub external_id: Option<String>,
    /// Survey only these parts of the organization: account ids, OU ids (ou-…) or the root (r-…)
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub include: Vec<String>,
    /// Leave out these parts of the organization
    #[arg(long, value_name = "ID", value_delimiter = ',')]
    pub exclude: Vec<String>,
    /// Lease the caller's own session or key to collectors in other processes if AWS cannot narrow it to one service.
    /// Otherwise such leases are refused. A compromised collector can then do everything that the caller can
    #[arg(long, env = "GROMA_LEASE_OWN_IDENTITY")]
    pub lease_own_identity: bool,
}

/// Accounts to survey.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Accounts {
    /// The caller's own account
    Current,
    /// The account of every profile in the AWS files except `default`
    Profiles,
    /// Every account of the caller's organization
    Organization,
}

/// Settings of [`crate::build`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BrokerConfig {
    /// Accounts to survey.
    pub scope: Scope,
    /// Handling of sessions that AWS cannot narrow.
    pub own_identity: OwnIdentity,
    /// No other process uses the bus.
    pub is_private: bool,
}

impl BrokerConfig {
    /// Settings for a bus without other collectors and brokers.
    #[must_use]
    pub fn on_private_bus(self) -> Self {
        Self { own_identity: OwnIdentity::Lease, is_private: true, ..self }
    }
}

/// Handling of sessions that AWS cannot narrow to one service: those of the caller itself, if no role is assumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OwnIdentity {
    /// Never lease them. Leases that need one are refused.
    Keep,
    /// Lease them like any other: the bus is private to this process, or the operator accepts the risk.
    Lease,
}

/// Accounts to survey, with the settings for entering them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// The caller's own account.
    Current {
        /// Profile of the caller.
        profile: Option<String>,
        /// Role in the account to assume.
        role: Option<RoleName>,
    },
    /// Accounts of profiles.
    Profiles {
        /// Only these; empty for all except `default`.
        named: Vec<String>,
    },
    /// Accounts of the caller's organization.
    Organization(Organization),
}

/// Part of an organization, with the settings for entering its accounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organization {
    /// Profile of the caller.
    pub profile: Option<String>,
    /// Role to assume in every account.
    pub role: RoleName,
    /// Only these accounts, units or root; empty for all.
    pub include: Vec<String>,
    /// Accounts and units to leave out.
    pub exclude: Vec<String>,
}

/// Name of a role without its account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleName {
    /// Name with its path.
    pub name: String,
    /// External id required by its trust policy.
    pub external_id: Option<String>,
}

/// A flag with an invalid value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// More than one profile for a single caller.
    #[error("--profile is given {0} times, but --accounts current and organization have one caller")]
    SeveralCallers(usize),
    /// A flag without effect for this choice of accounts.
    #[error("{flag} has no effect with --accounts {accounts}: it applies to {is_for}")]
    Meaningless {
        /// Name of the flag, e.g. `--role`.
        flag: &'static str,
        /// Value of `--accounts`.
        accounts: &'static str,
        /// Choices to which the flag applies.
        is_for: &'static str,
    },
    /// Not the name of a role.
    #[error("{0:?} is not the name of a role: give the name alone, without an ARN")]
    Role(String),
    /// Not a valid external id.
    #[error("the external id is not valid for STS: it must have 2 to 1224 letters, digits and _+=,.@:/-")]
    ExternalId,
    /// Not a part of an organization.
    #[error("{flag} {value:?} is neither an account id (12 digits), nor an OU's (ou-…), nor the root's (r-…)")]
    Part {
        /// Name of the flag, e.g. `--include`.
        flag: &'static str,
        /// Value of the flag.
        value: String,
    },
}

impl Args {
    /// Checks the flags.
    ///
    /// # Errors
    /// Returns all invalid values.
    pub fn validate(self) -> Result<BrokerConfig, Vec<ConfigError>> {
        let accounts =
            self.accounts.unwrap_or(if self.profiles.is_empty() { Accounts::Current } else { Accounts::Profiles });
        let mut errors = self.meaningless(accounts);
        if accounts != Accounts::Profiles && self.profiles.len() > 1 {
            errors.push(ConfigError::SeveralCallers(self.profiles.len()));
        }
        errors.extend(self.role.iter().filter(|name| !is_role_name(name)).map(|name| ConfigError::Role(name.clone())));
        errors.extend(self.external_id.iter().filter(|id| !is_external_id(id)).map(|_| ConfigError::ExternalId));
        for (flag, parts) in [("--include", &self.include), ("--exclude", &self.exclude)] {
            let wrong = parts.iter().filter(|part| !is_part(part));
            errors.extend(wrong.map(|part| ConfigError::Part { flag, value: part.clone() }));
        }
        if !errors.is_empty() {
            return Err(errors);
        }
        let own_identity = if self.lease_own_identity { OwnIdentity::Lease } else { OwnIdentity::Keep };
        Ok(BrokerConfig { scope: self.scope(accounts), own_identity, is_private: false })
    }

    fn scope(self, accounts: Accounts) -> Scope {
        let Self { profiles, role, external_id, include, exclude, .. } = self;
        let caller = profiles.first().cloned();
        let role_name = |name| RoleName { name, external_id };
        match accounts {
            Accounts::Current => Scope::Current { profile: caller, role: role.map(role_name) },
            Accounts::Profiles => Scope::Profiles { named: profiles },
            Accounts::Organization => {
                let role = role_name(role.unwrap_or_else(|| DOCUMENTED_ROLE.to_owned()));
                Scope::Organization(Organization { profile: caller, role, include, exclude })
            }
        }
    }

    /// Flags that would silently have no effect.
    fn meaningless(&self, accounts: Accounts) -> Vec<ConfigError> {
        let with_role = accounts == Accounts::Organization || accounts == Accounts::Current && self.role.is_some();
        let organization = accounts == Accounts::Organization;
        let checks = [
            (
                "--role",
                self.role.is_some() && accounts == Accounts::Profiles,
                "organization and current; profiles have role_arn",
            ),
            ("--external-id", self.external_id.is_some() && !with_role, "--role; profiles have external_id"),
            ("--include", !self.include.is_empty() && !organization, "organization"),
            ("--exclude", !self.exclude.is_empty() && !organization, "organization"),
        ];
        let accounts = match accounts {
            Accounts::Current => "current",
            Accounts::Profiles => "profiles",
            Accounts::Organization => "organization",
        };
        let wrong = checks.into_iter().filter(|(_, wrong, _)| *wrong);
        wrong.map(|(flag, _, is_for)| ConfigError::Meaningless { flag, accounts, is_for }).collect()
    }
}

/// Whether path and name are valid for IAM (IAM user guide, "IAM and STS quotas").
fn is_role_name(name: &str) -> bool {
    let segment =
        |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c));
    name.len() <= 512 && name.split('/').all(segment) && name.rsplit('/').next().is_some_and(|last| last.len() <= 64)
}

fn is_external_id(id: &str) -> bool {
    (2..=1224).contains(&id.len()) && id.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@:/-".contains(c))
}

fn is_part(part: &str) -> bool {
    let id = |rest: &str| {
        !rest.is_empty() && rest.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
    };
    is_account_id(part) || part.strip_prefix("ou-").is_some_and(id) || part.strip_prefix("r-").is_some_and(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use expect_test::{Expect, expect};

    #[derive(Parser)]
    struct Cli {
        #[command(flatten)]
        args: Args,
    }

    fn check(line: &str, expected: &Expect) {
        let args =
            Cli::try_parse_from(std::iter::once("broker").chain(line.split_whitespace())).expect("it parses").args;
        let text = match args.validate() {
            Ok(config) => format!("{:?}", config.scope),
            Err(errors) => errors.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n"),
        };
        expected.assert_eq(&text);
    }

    #[test]
    fn what_is_meant_without_saying_it() {
        check("", &expect!["Current { profile: None, role: None }"]);
        check("--profile a --profile b", &expect![[r#"Profiles { named: ["a", "b"] }"#]]);
        check("--accounts current --profile a", &expect![[r#"Current { profile: Some("a"), role: None }"#]]);
        check(
            "--accounts organization",
            &expect![[
                r#"Organization(Organization { profile: None, role: RoleName { name: "cartography-read-only", external_id: None }, include: [], exclude: [] })"#
            ]],
        );
    }

    #[test]
    fn everything_said() {
        check(
            "--accounts organization --profile hub --role audit/reader --external-id x-1 --include ou-ab12-cdef,111111111111 --exclude r-ab12",
            &expect![[
                r#"Organization(Organization { profile: Some("hub"), role: RoleName { name: "audit/reader", external_id: Some("x-1") }, include: ["ou-ab12-cdef", "111111111111"], exclude: ["r-ab12"] })"#
            ]],
        );
    }

    #[test]
    fn every_bad_value_at_once() {
        check(
            "--accounts current --profile a --profile b --role arn:aws:iam::1:role/x --external-id x --include OU --exclude 111111111111",
            &expect![[r#"
                --include has no effect with --accounts current: it applies to organization
                --exclude has no effect with --accounts current: it applies to organization
                --profile is given 2 times, but --accounts current and organization have one caller
                "arn:aws:iam::1:role/x" is not the name of a role: give the name alone, without an ARN
                the external id is not valid for STS: it must have 2 to 1224 letters, digits and _+=,.@:/-
                --include "OU" is neither an account id (12 digits), nor an OU's (ou-…), nor the root's (r-…)"#]],
        );
        check(
            "--accounts profiles --role x --external-id yy",
            &expect![[r"
            --role has no effect with --accounts profiles: it applies to organization and current; profiles have role_arn
            --external-id has no effect with --accounts profiles: it applies to --role; profiles have external_id"]],
        );
    }
}
