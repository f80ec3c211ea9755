//! Generated AWS files. The same seed gives the same files.

use super::Case;
use std::fmt::Write;

const HEADINGS: &[&str] = &[
    "default",
    "DEFAULT",
    "profile a",
    "profile b",
    "profile 'c d'",
    "profile \"q\"",
    "profile\u{a0}e",
    "profile\tt",
    "profile é",
    "profile it's",
    "a",
    "b",
    "sso-session s",
    "services x",
    "plugins",
    "profile f]g",
    "profile #h",
    "profile i=j",
];
const KEYS: &[&str] = &[
    "region",
    "Role_Arn",
    "aws_access_key_id",
    "s3",
    "key with space",
    "schlüssel",
    "ΑΣ",
    "a%b",
    "x\u{b}y",
    "$z",
    "\"k\"",
    "[l",
];
const SEPARATORS: &[&str] = &["=", " = ", ":", " : ", "\t=\t", "= ", " =", "\u{a0}=\u{2003}", "\u{1c}:\u{1f}"];
const VALUES: &[&str] = &[
    "x", "Y", " ", "#", ";", "=", ":", "%", "%(x)s", "$HOME", "\"", "'", "\t", "\u{b}", "\u{c}", "\u{1c}", "\u{1f}",
    "\u{85}", "\u{a0}", "\u{2028}", "\u{3000}", "é", "[", "]", "\\", "\u{feff}", "\u{200b}",
];
const INDENTS: &[&str] = &["  ", "\t", " ", "    ", "\u{a0}", "\u{2003} ", "\u{1c}"];
const ENDS: &[&str] = &["\n", "\n", "\n", "\r\n", "\r"];
const BETWEEN: &[&str] = &["# comment = x", "; comment", "  # indented", "", "", " \t ", "\u{a0}", "\u{1c}#"];

/// `SplitMix64`.
pub(super) struct Random(pub(super) u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit as u64).expect("less than the limit")
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }

    /// True in this many of a hundred cases.
    fn percent(&mut self, share: usize) -> bool {
        self.below(100) < share
    }

    fn value(&mut self) -> String {
        (0..self.below(5)).map(|_| self.pick(VALUES)).collect()
    }

    /// Writes an AWS file with all kinds of lines. Most of them are valid.
    fn file(&mut self) -> String {
        let (mut text, mut headings) = (String::new(), HEADINGS.to_vec());
        for _ in 0..self.below(5) {
            let heading = headings.swap_remove(self.below(headings.len()));
            let indent = if self.percent(15) { self.pick(INDENTS) } else { "" };
            let after = if self.percent(15) { self.pick(&["; c", " # c", "x", "]"]) } else { "" };
            self.line(&mut text, &format!("{indent}[{heading}]{after}"));
            self.body(&mut text);
        }
        text
    }

    fn body(&mut self, text: &mut String) {
        let mut keys = KEYS.to_vec();
        for _ in 0..self.below(5) {
            if self.percent(25) {
                let between = self.pick(BETWEEN);
                self.line(text, between);
            }
            let key = if self.percent(98) { keys.swap_remove(self.below(keys.len())) } else { self.pick(KEYS) };
            let indent = if self.percent(15) { self.pick(INDENTS) } else { "" };
            let separator = if self.percent(99) { self.pick(SEPARATORS) } else { "" };
            let is_nested = self.percent(25);
            let value = if is_nested { String::new() } else { self.value() };
            self.line(text, &format!("{indent}{key}{separator}{value}"));
            for _ in 0..if is_nested || self.percent(15) { self.below(4) } else { 0 } {
                let line = if self.percent(20) {
                    self.pick(BETWEEN).to_owned()
                } else {
                    format!("{}{indent}{}={}", self.pick(INDENTS), self.pick(KEYS), self.value())
                };
                self.line(text, &line);
            }
        }
    }

    fn line(&mut self, text: &mut String, line: &str) {
        text.push_str(line);
        text.push_str(self.pick(ENDS));
    }

    /// Writes a profile with some of the keys for credentials.
    fn profile(&mut self) -> String {
        let mut text = String::new();
        let mut some = |random: &mut Self, share: usize, key: &str, values: &[&str]| {
            if random.percent(share) {
                let value = if random.percent(4) { "" } else { random.pick(values) };
                writeln!(text, "{key} = {value}").expect("a String takes any text");
            }
        };
        some(
            self,
            45,
            "role_arn",
            &["arn:aws:iam::222222222222:role/r", "arn:aws:iam::333333333333:role/a/b", "nonsense"],
        );
        some(self, 45, "source_profile", &["a", "b", "c", "default", "missing"]);
        some(self, 10, "credential_source", &["Environment", "EcsContainer", "Ec2InstanceMetadata", "Other"]);
        some(self, 10, "web_identity_token_file", &["/token"]);
        some(self, 10, "external_id", &["x-1"]);
        some(self, 10, "role_session_name", &["name"]);
        some(self, 10, "duration_seconds", &["900", "43200", "+7200", "1h", "-1", "99999"]);
        some(self, 4, "mfa_serial", &["m"]);
        let keys = if self.percent(45) { 90 } else { 5 };
        some(self, keys, "aws_access_key_id", &["A", "B"]);
        some(self, keys, "aws_secret_access_key", &["S", "U"]);
        some(self, keys / 2, "aws_session_token", &["T"]);
        some(self, keys / 9, "aws_security_token", &["O"]);
        some(self, 20, "credential_process", &["command 'a b'"]);
        some(self, 4, "login_session", &["l"]);
        let sso = if self.percent(20) { 90 } else { 2 };
        some(self, sso, "sso_account_id", &["1"]);
        some(self, sso, "sso_role_name", &["r"]);
        some(self, sso / 2, "sso_session", &["s", "s", "t"]);
        some(self, sso / 2, "sso_region", &["x"]);
        some(self, sso / 2, "sso_start_url", &["u", "v"]);
        text
    }

    fn profiles(&mut self, headings: &[&str]) -> String {
        let sections: Vec<_> = headings.iter().filter(|_| self.percent(60)).copied().collect();
        let sections: Vec<_> = sections.into_iter().map(|heading| format!("[{heading}]\n{}", self.profile())).collect();
        sections.concat()
    }

    fn environment(&mut self) -> Vec<(String, Option<String>)> {
        let mut env = Vec::new();
        for (share, name, values) in [
            (15, "AWS_ACCESS_KEY_ID", &["E", ""] as &[_]),
            (15, "AWS_SECRET_ACCESS_KEY", &["S"]),
            (15, "AWS_SESSION_TOKEN", &["T", ""]),
            (5, "AWS_SECURITY_TOKEN", &["O"]),
            (10, "AWS_PROFILE", &["a", "b", "default", "missing", ""]),
            (10, "AWS_DEFAULT_PROFILE", &["a", "c", "missing"]),
            (15, "AWS_WEB_IDENTITY_TOKEN_FILE", &["/env", "/env", ""]),
            (15, "AWS_ROLE_ARN", &["arn:aws:iam::444444444444:role/e", "nonsense", ""]),
            (10, "AWS_ROLE_SESSION_NAME", &["e", ""]),
            (15, "AWS_CONTAINER_CREDENTIALS_FULL_URI", &["http://127.0.0.1:1"]),
            (15, "AWS_EC2_METADATA_DISABLED", &["true", "TRUE", "false", "1"]),
        ] {
            if self.percent(share) {
                env.push((name.to_owned(), Some(self.pick(values).to_owned())));
            }
        }
        env
    }

    /// Files of arbitrary lines.
    pub(super) fn lines(&mut self) -> Case {
        let (config, credentials) = (self.file(), self.file());
        Case { config: Some(config.into()), credentials: Some(credentials.into()), env: Vec::new(), sources: false }
    }

    /// Profiles that refer to each other.
    pub(super) fn ways(&mut self) -> Case {
        let headings = ["default", "profile a", "profile b", "profile c", "sso-session s"];
        let (config, credentials) = (self.profiles(&headings), self.profiles(&["default", "a", "c"]));
        Case {
            config: Some(config.into()),
            credentials: Some(credentials.into()),
            env: self.environment(),
            sources: true,
        }
    }
}
