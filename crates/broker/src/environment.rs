//! The environment variables that AWS's tools read, taken once, so that everything below is a function of them.

use std::{collections::BTreeMap, fmt};

/// `AWS_*` and the home directory. Values do not print: some are keys.
#[derive(Clone, Default)]
pub struct Environment(BTreeMap<String, String>);

impl Environment {
    /// This process's variables.
    pub fn of_process() -> Self {
        // A variable that is not Unicode cannot be one of AWS's.
        std::env::vars_os()
            .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
            .collect()
    }

    /// A variable's value; a blank one counts as not set, as in AWS's SDKs.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// A variable's value, which may be blank.
    pub fn set(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(|value| value.trim())
    }

    /// The selected profile. As in botocore, a blank name selects a profile that does not exist, which is an error.
    pub fn profile(&self) -> Option<&str> {
        self.set("AWS_DEFAULT_PROFILE").or_else(|| self.set("AWS_PROFILE"))
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
        let variables = variables.into_iter().map(|(name, value)| (name.into(), value.into()));
        let known = |name: &str| name.starts_with("AWS_") || ["HOME", "USERPROFILE"].contains(&name);
        Self(variables.filter(|(name, _): &(String, _)| known(name)).collect())
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
            [("AWS_SECRET_ACCESS_KEY", "hush"), ("AWS_PROFILE", " "), ("PATH", "/bin")].into_iter().collect();
        assert_eq!((env.get("AWS_PROFILE"), env.get("PATH")), (None, None));
        assert_eq!(format!("{env:?}"), r#"{"AWS_PROFILE", "AWS_SECRET_ACCESS_KEY"}"#);
    }
}
