//! Environment variables of AWS's tools, read once, so that the code below is a pure function of them.

use std::{collections::BTreeMap, fmt};

/// All variables, because the paths of the AWS files may contain any of them. Values are never printed: some are keys.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

/// Static keys from variables or a profile.
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
    /// Variables of this process. If `HOME` is missing, it is set to the user's home directory.
    pub fn of_process() -> Self {
        let home = std::env::home_dir().map(|home| ("HOME".into(), home.into_os_string()));
        // A variable that is not Unicode is not one of AWS's.
        home.into_iter()
            .chain(std::env::vars_os())
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// Returns the value of a variable; `None` if it is empty. As in botocore, whitespace is a value.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.raw(name).filter(|value| !value.is_empty())
    }

    /// Returns the value of a variable, which may be empty.
    pub fn raw(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str)
    }

    /// Returns the selected profile. As in botocore, a blank name selects a profile that does not exist, which is an
    /// error.
    ///
    /// If both variables are set, boto3 and the AWS CLI before version 2 use `AWS_DEFAULT_PROFILE`; version 2 and the
    /// other SDKs use `AWS_PROFILE`. Groma follows boto3, with which Cartography reads the same configuration.
    pub fn profile(&self) -> Option<&str> {
        self.raw("AWS_DEFAULT_PROFILE").or_else(|| self.raw("AWS_PROFILE"))
    }

    /// Returns `AWS_DEFAULT_PROFILE` and `AWS_PROFILE` if they name different profiles. The first one is used.
    pub fn two_profiles(&self) -> Option<(&str, &str)> {
        Some((self.raw("AWS_DEFAULT_PROFILE")?, self.raw("AWS_PROFILE")?)).filter(|(followed, other)| followed != other)
    }

    /// Returns `AWS_ACCESS_KEY_ID` and related variables, trimmed. As in botocore, the older name of the token has
    /// precedence.
    ///
    /// # Errors
    /// Names the variable that is missing or blank. As in botocore, a blank value is used instead of the next source,
    /// but AWS rejects it.
    pub fn keys(&self) -> Result<StaticKeys<'_>, &'static str> {
        let value = |name: &'static str| self.get(name).map(str::trim).filter(|it| !it.is_empty()).ok_or(name);
        let token = ["AWS_SECURITY_TOKEN", "AWS_SESSION_TOKEN"].into_iter().find(|name| self.get(name).is_some());
        Ok(StaticKeys {
            id: value("AWS_ACCESS_KEY_ID")?,
            secret: value("AWS_SECRET_ACCESS_KEY")?,
            token: token.map(value).transpose()?,
        })
    }

    /// Directory for `~`: any value of `HOME`, as in Python.
    pub fn home(&self) -> Option<&str> {
        self.raw("HOME").or_else(|| self.get("USERPROFILE"))
    }

    /// Whether the variable is `true` in any case. Other values count as false.
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
    fn empty_is_unset_and_whitespace_is_a_value() {
        let env: Environment = [("EMPTY", ""), ("BLANK", " ")].into_iter().collect();
        assert_eq!((env.get("EMPTY"), env.get("BLANK")), (None, Some(" ")));
    }

    #[test]
    fn keys_are_taken_without_whitespace_and_never_from_it() {
        let keys = |id: &str, secret: &str, token: &str| {
            let names = ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SECURITY_TOKEN"];
            let env: Environment = names.into_iter().zip([id, secret, token]).collect();
            env.keys().map(|keys| (keys.id.to_owned(), keys.secret.to_owned(), keys.token.map(str::to_owned)))
        };
        assert_eq!(keys("A\n", " S", ""), Ok(("A".into(), "S".into(), None)));
        assert_eq!(keys(" ", "S", "T"), Err("AWS_ACCESS_KEY_ID"));
        assert_eq!(keys("A", "", "T"), Err("AWS_SECRET_ACCESS_KEY"));
        assert_eq!(keys("A", "S", "\t"), Err("AWS_SECURITY_TOKEN"));
    }

    #[test]
    fn two_profiles_are_a_conflict_unless_they_are_one() {
        let of = |variables: &[(&str, &str)]| {
            let env: Environment = variables.iter().copied().collect();
            env.two_profiles().map(|(followed, other)| format!("{followed} {other}"))
        };
        assert_eq!(of(&[("AWS_DEFAULT_PROFILE", "a"), ("AWS_PROFILE", "b")]).as_deref(), Some("a b"));
        assert_eq!(of(&[("AWS_DEFAULT_PROFILE", "a"), ("AWS_PROFILE", "a")]), None);
        assert_eq!(of(&[("AWS_PROFILE", "b")]), None);
    }

    #[test]
    fn values_do_not_print() {
        let env: Environment = [("AWS_SECRET_ACCESS_KEY", "hush"), ("AWS_PROFILE", "p")].into_iter().collect();
        assert_eq!(format!("{env:?}"), r#"{"AWS_PROFILE", "AWS_SECRET_ACCESS_KEY"}"#);
    }
}
