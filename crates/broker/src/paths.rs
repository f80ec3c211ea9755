//! Paths in environment variables, expanded like botocore: first variables, then the home directory.

use crate::environment::Environment;
use std::path::PathBuf;

/// Replaces `$NAME`, `${NAME}`, `~` and `~user`. Unknown names stay unchanged.
pub fn expand(path: &str, env: &Environment) -> PathBuf {
    let path = with_variables(path, env);
    let Some(rest) = path.strip_prefix('~') else { return path.into() };
    let (user, rest) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let home = if user.is_empty() { env.home().map(str::to_owned) } else { home_of(user) };
    let Some(home) = home else { return path.into() };
    let expanded = format!("{}{rest}", home.trim_end_matches('/'));
    // As in Python, an empty home directory is the root.
    if expanded.is_empty() { "/".into() } else { expanded.into() }
}

/// Replaces variables once, as Python's `expandvars`: their values are not expanded again, and unknown names stay.
fn with_variables(path: &str, env: &Environment) -> String {
    let mut expanded = String::new();
    let mut rest = path;
    while let Some((before, after)) = rest.split_once('$') {
        expanded.push_str(before);
        let (name, after_name) = variable(after);
        match env.raw(name) {
            Some(value) if after_name.len() < after.len() => expanded.push_str(value),
            _ => {
                expanded.push('$');
                expanded.push_str(&after[..after.len() - after_name.len()]);
            }
        }
        rest = after_name;
    }
    expanded + rest
}

/// Splits a text after the variable name at its start, which may be in braces.
fn variable(text: &str) -> (&str, &str) {
    if let Some((name, after)) = text.strip_prefix('{').and_then(|text| text.split_once('}')) {
        return (name, after);
    }
    let is_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
    text.split_at(text.find(|char| !is_name(char)).unwrap_or(text.len()))
}

#[cfg(unix)]
fn home_of(user: &str) -> Option<String> {
    use uzers::os::unix::UserExt;
    uzers::get_user_by_name(user)?.home_dir().to_str().map(str::to_owned)
}

#[cfg(not(unix))]
fn home_of(_: &str) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_and_homes_are_expanded() {
        let env: Environment = [("HOME", "/home/me/"), ("PLACE", "/$HOME"), ("EMPTY", "")].into_iter().collect();
        for (path, expected) in [
            ("~/config", "/home/me/config"),
            ("~", "/home/me"),
            ("/a/~/b", "/a/~/b"),
            ("$HOME/x", "/home/me//x"),
            ("${HOME}x", "/home/me/x"),
            ("$PLACE/x", "/$HOME/x"),
            ("$EMPTY/x", "/x"),
            ("$NONE/x", "$NONE/x"),
            ("${NONE}/$PLACE", "${NONE}//$HOME"),
            ("$/x${", "$/x${"),
            ("${NONE$PLACE}", "${NONE$PLACE}"),
            ("${NONE$PLACE", "${NONE/$HOME"),
            ("$NONE$PLACE", "$NONE/$HOME"),
            ("${}$$PLACE", "${}$/$HOME"),
            ("~nobody-of-this-name/x", "~nobody-of-this-name/x"),
        ] {
            assert_eq!(expand(path, &env), PathBuf::from(expected), "{path}");
        }
    }

    #[test]
    fn an_empty_home_is_the_root() {
        for (home, path, expected) in [("", "~", "/"), ("", "~/x", "/x"), ("/", "~", "/"), (" ", "~/x", " /x")] {
            let env: Environment = [("HOME", home)].into_iter().collect();
            assert_eq!(expand(path, &env), PathBuf::from(expected), "{home:?} {path}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn the_home_of_another_user_is_known() {
        let root = expand("~root/x", &Environment::default());
        assert!(root.is_absolute() && root.ends_with("x"), "{}", root.display());
    }
}
