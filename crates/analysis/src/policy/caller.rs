//! The caller of a request, as far as the graph knows it.

/// Value of a context key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known<'a> {
    /// Present in every request, with this value.
    Is(&'a str),
    /// Absent from every request of this caller.
    Absent,
    /// Depends on the request, or on data outside the graph.
    Unknown,
}

/// A principal, identified by its ARN.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    arn: String,
    account: String,
    organization: Option<String>,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    /// User with this name.
    User(String),
    Role,
    /// Stands for any of its members.
    Group,
    Other,
}

impl Caller {
    /// Creates a caller from an ARN of an IAM user, role or group. Nothing is known of other principals.
    pub fn of_arn(arn: &str) -> Self {
        let mut parts = arn.splitn(6, ':').skip(4);
        let account = parts.next().unwrap_or_default().to_owned();
        let named = parts.next().and_then(|resource| resource.split_once('/'));
        let kind = match named {
            Some(("user", path)) => Kind::User(path.rsplit('/').next().unwrap_or(path).to_owned()),
            Some(("role", _)) => Kind::Role,
            Some(("group", _)) => Kind::Group,
            _ => Kind::Other,
        };
        Self { arn: arn.to_owned(), account, organization: None, kind }
    }

    /// Sets the organization; `None` if the graph does not know it. The management account is a member too.
    #[must_use]
    pub fn in_organization(self, organization: Option<String>) -> Self {
        Self { organization, ..self }
    }

    /// ARN of the principal.
    pub fn arn(&self) -> &str {
        &self.arn
    }

    /// Id of its account; `None` unless it is an IAM user, role or group.
    pub fn account(&self) -> Option<&str> {
        (self.kind != Kind::Other).then_some(self.account.as_str())
    }

    /// Id of its organization, if the graph has it.
    pub fn organization(&self) -> Option<&str> {
        self.organization.as_deref()
    }

    /// Common prefix of the ARNs of its sessions, if it is a role.
    pub fn sessions(&self) -> Option<String> {
        let partition = self.arn.split(':').nth(1).filter(|_| self.kind == Kind::Role)?;
        let name = self.arn.rsplit('/').next()?;
        Some(format!("arn:{partition}:sts::{}:assumed-role/{name}/", self.account))
    }

    /// ARN of its account's root principal.
    pub fn root_arn(&self) -> String {
        format!("arn:{}:iam::{}:root", self.arn.split(':').nth(1).unwrap_or_default(), self.account)
    }

    /// Whether it is a user.
    pub fn is_user(&self) -> bool {
        matches!(self.kind, Kind::User(_))
    }

    /// Whether it makes requests: a user or a role, but not a group.
    pub fn makes_requests(&self) -> bool {
        matches!(self.kind, Kind::User(_) | Kind::Role)
    }

    /// Whether it makes requests in the account of this resource.
    pub fn is_of_account_of(&self, arn: &str) -> bool {
        self.makes_requests() && arn.split(':').nth(4) == Some(&self.account)
    }

    /// Returns the value of a lower-case context key.
    pub(super) fn value(&self, key: &str) -> Known<'_> {
        match (key, &self.kind) {
            (_, Kind::Other) => Known::Unknown,
            ("aws:principalaccount", _) => Known::Is(&self.account),
            ("aws:principalorgid", _) => self.organization().map_or(Known::Unknown, Known::Is),
            ("aws:principalisawsservice", _) => Known::Is("false"),
            ("aws:username", Kind::User(name)) => Known::Is(name),
            ("aws:principalarn", Kind::User(_) | Kind::Role) => Known::Is(&self.arn),
            ("aws:principaltype", Kind::User(_) | Kind::Group) => Known::Is("User"),
            ("aws:principaltype", Kind::Role) => Known::Is("AssumedRole"),
            // Only users have a name, and only services that call on their own behalf have a source.
            ("aws:username", Kind::Role)
            | ("aws:sourcearn" | "aws:sourceaccount" | "aws:sourceorgid" | "aws:sourceorgpaths", _) => Known::Absent,
            _ => Known::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Caller, Known};

    #[test]
    fn a_role_has_sessions_and_every_principal_an_account() {
        let (role, user) =
            (Caller::of_arn("arn:aws-cn:iam::1:role/ops/app"), Caller::of_arn("arn:aws:iam::1:user/alice"));
        assert_eq!(role.sessions().as_deref(), Some("arn:aws-cn:sts::1:assumed-role/app/"));
        assert_eq!((user.sessions(), role.root_arn()), (None, "arn:aws-cn:iam::1:root".to_owned()));
        assert_eq!((user.account(), Caller::of_arn("arn:aws:iam::1:root").account()), (Some("1"), None));
    }

    #[test]
    fn a_caller_is_told_by_its_arn() {
        let of = |arn: &str, key: &str| match Caller::of_arn(arn).value(&key.to_lowercase()) {
            Known::Is(value) => value.to_owned(),
            other => format!("{other:?}"),
        };
        let (user, role) = ("arn:aws:iam::111111111111:user/ops/alice", "arn:aws:iam::111111111111:role/app");
        let group = "arn:aws:iam::111111111111:group/dev";
        assert_eq!(of(user, "AWS:UserName"), "alice");
        assert_eq!((of(role, "aws:username"), of(group, "aws:username")), ("Absent".into(), "Unknown".into()));
        assert_eq!((of(role, "aws:PrincipalArn"), of(group, "aws:PrincipalArn")), (role.to_owned(), "Unknown".into()));
        assert_eq!(
            (of(group, "aws:PrincipalAccount"), of(role, "aws:PrincipalType")),
            ("111111111111".into(), "AssumedRole".into())
        );
        assert_eq!((of(user, "aws:SourceIp"), of(user, "aws:SourceArn")), ("Unknown".into(), "Absent".into()));
        for other in ["", "ec2.amazonaws.com", "arn:aws:iam::111111111111:root"] {
            assert_eq!(of(other, "aws:PrincipalAccount"), "Unknown");
        }
    }
}
