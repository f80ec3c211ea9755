//! The environment variables that AWS's tools read, taken once, so that everything below is a function of them.

use std::{collections::BTreeMap, fmt};

/// All variables: the paths of the AWS files may name any of them. Values do not print: some are keys.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// Keys as they stand in variables or in a profile.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct StaticKeys<'a> {
    /// Access key id.
    pub id: &'a str,
    /// Secret access key.
    pub secret: &'a str,
    /// Session token.
    pub token: Option<&'a str>,
}

impl Environment {
    /// This process's variables. Without `HOME`, the home directory is that of the user.
    pub fn of_process() -> Self {
        let home = std::env::home_dir().map(|home| ("HOME".into(), home.into_os_string()));
        // A variable that is not Unicode cannot be one of AWS's.
        home.into_iter()
            .chain(std::env::vars_os())
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// A variable's value; a blank one counts as not set, as in AWS's SDKs.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.set(name).filter(|value| !value.is_empty())
    }

    /// A variable's value, which may be blank.
    pub fn set(&self, name: &str) -> Option<&str> {
        self.raw(name).map(str::trim)
    }

    /// A variable's value with the whitespace around it.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// The selected profile. As in botocore, a blank name selects a profile that does not exist, which is an error.
    ///
    /// Where both variables are set, boto3 and the AWS CLI before version 2 follow `AWS_DEFAULT_PROFILE`, version 2 and the
    /// other SDKs `AWS_PROFILE`. Followed is boto3, with which Cartography reads the same configuration.
    pub fn profile(&self) -> Option<&str> {
        self.raw("AWS_DEFAULT_PROFILE").or_else(|| self.raw("AWS_PROFILE"))
    }

    /// `AWS_ACCESS_KEY_ID` and its companions. The older name of the token goes first, as in botocore.
    pub fn keys(&self) -> Option<StaticKeys<'_>> {
        let token = self.get("AWS_SECURITY_TOKEN").or_else(|| self.get("AWS_SESSION_TOKEN"));
        Some(StaticKeys { id: self.get("AWS_ACCESS_KEY_ID")?, secret: self.get("AWS_SECRET_ACCESS_KEY")?, token })
    }

    /// Where `~` leads.
    pub fn home(&self) -> Option<&str> {
        self.get("HOME").or_else(|| self.get("USERPROFILE"))
    }

    /// Whether a variable says yes; anything but `true` in any case is no.
    pub fn is_true(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }
}

impl<N: Into<String>, V: Into<String>> FromIterator<(N, V)> for Environment {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(variables: I) -> Self {
        Self(variables.into_iter().map(|(name, value)| (name.into(), value.into())).collect())
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blank_is_unset_and_nothing_prints() {
        let env: Environment =
            [("AWS_SECRET_ACCESS_KEY", "hush"), ("AWS_PROFILE", " "), ("AWS_REGION", " x ")].into_iter().collect();
        assert_eq!((env.get("AWS_PROFILE"), env.get("AWS_REGION")), (None, Some("x")));
        assert_eq!(format!("{env:?}"), r#"{"AWS_PROFILE", "AWS_REGION", "AWS_SECRET_ACCESS_KEY"}"#);
    }
}
