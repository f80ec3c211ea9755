//! Attribution of sessions in CloudTrail: which sync and which collector used them. The session name always shows it.
//! Session tags and a source identity are set only if the role's trust policy allows them.

use std::collections::HashMap;

/// Source identity of all sessions of Groma.
const SOURCE_IDENTITY: &str = "groma";
/// Longest session name (STS API reference, `RoleSessionName`).
const LONGEST_NAME: usize = 64;

/// Purpose of a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purpose {
    /// Service that is collected.
    pub service: String,
    /// Id of the sync; empty if the broker only tries a role.
    pub sync_id: String,
}

impl Purpose {
    /// Purpose of account discovery.
    pub fn discovery() -> Self {
        Self { service: "accounts".into(), sync_id: String::new() }
    }

    /// Whether the broker only tries a role: no collector gets the session.
    pub fn is_trial(&self) -> bool {
        self.sync_id.is_empty()
    }

    /// `groma-<service>-<sync>`, restricted to the characters that STS accepts. A sync id that is too long is cut at
    /// its beginning: the end of a ULID is its random part.
    pub fn session_name(&self) -> String {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
        let plain = |text: &str| text.chars().map(|c| if allowed(c) { c } else { '_' }).collect::<String>();
        let mut name = format!("{SOURCE_IDENTITY}-{}", plain(&self.service));
        name.truncate(LONGEST_NAME);
        let sync = plain(&self.sync_id);
        let room = (LONGEST_NAME - name.len()).saturating_sub(1);
        if sync.is_empty() || room == 0 {
            return name;
        }
        format!("{name}-{}", &sync[sync.len().saturating_sub(room)..])
    }

    /// Session tags: key and value.
    pub fn tags(&self) -> Vec<(&'static str, String)> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "_.:/=+-@ ".contains(c);
        let value = |text: &str| text.chars().map(|c| if allowed(c) { c } else { '_' }).take(256).collect();
        [("groma:service", &self.service), ("groma:sync", &self.sync_id)]
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|(key, text)| (key, value(text)))
            .collect()
    }
}

/// Attribution that a role allows. The first call asks for all of it. The documented trust policy allows neither tags
/// nor source identity, and AWS then denies the whole call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attribution {
    /// `sts:TagSession` is allowed.
    pub tags: bool,
    /// `sts:SetSourceIdentity` is allowed.
    pub source_identity: bool,
}

impl Attribution {
    /// Tags and source identity.
    pub const FULL: Self = Self { tags: true, source_identity: true };
    /// Session name only.
    pub const NAME_ONLY: Self = Self { tags: false, source_identity: false };

    /// Returns the attribution to try next after a denial with this message. `None` if nothing is left to omit.
    pub fn without(self, message: &str) -> Option<Self> {
        let less = match (message.contains("sts:TagSession"), message.contains("sts:SetSourceIdentity")) {
            // A trust policy with conditions on tags or the source identity denies AssumeRole itself.
            (false, false) => Self::NAME_ONLY,
            (tags, identity) => Self { tags: self.tags && !tags, source_identity: self.source_identity && !identity },
        };
        (less != self).then_some(less)
    }

    /// Returns the source identity if the role allows it.
    pub fn source_identity(self) -> Option<String> {
        self.source_identity.then(|| SOURCE_IDENTITY.to_owned())
    }
}

/// A guess needs this many roles of one name in a row that allow the same.
const ALIKE: u32 = 3;

/// Attributions that roles are known to allow.
///
/// The spokes' roles usually come from one template. So when the broker only tries roles, it guesses from others of the same
/// name: otherwise each account of a large organization costs two denied calls before the accounts are listed. Sessions
/// that collectors get are never guessed, because their calls may depend on tags or source identity.
#[derive(Debug, Default)]
pub struct Attributions {
    /// By ARN.
    roles: HashMap<String, Attribution>,
    /// By name without the account: the attribution that the last roles allowed, and how many of them in a row.
    names: HashMap<String, (Attribution, u32)>,
}

/// An attempt to assume a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Attempt {
    /// The attribution to ask for.
    pub attribution: Attribution,
    /// Guessed from other roles of the same name. If it is denied, the role may require tags or a source identity.
    pub guessed: bool,
}

impl Attempt {
    /// Returns the attempt after a denial with this message. `None` if everything was tried. A trust policy may require
    /// what those of other roles do not allow, so a denied guess is followed by the usual attempts.
    pub fn after_denial(self, message: &str) -> Option<Self> {
        match self.attribution.without(message) {
            Some(less) => Some(Self { attribution: less, ..self }),
            None if self.guessed => Some(Self { attribution: Attribution::FULL, guessed: false }),
            None => None,
        }
    }
}

impl Attributions {
    /// Returns the first attempt for a role. `may_guess`: the session is only a trial.
    pub fn first(&self, arn: &str, may_guess: bool) -> Attempt {
        if let Some(known) = self.roles.get(arn) {
            return Attempt { attribution: *known, guessed: false };
        }
        let alike = self.names.get(name(arn)).filter(|(_, roles)| may_guess && *roles >= ALIKE);
        let guess = alike.map_or(Attribution::FULL, |(attribution, _)| *attribution);
        Attempt { attribution: guess, guessed: guess != Attribution::FULL }
    }

    /// Records a successful attempt. Returns whether the role's attribution was unknown. A guess that was right proves
    /// nothing: the role may allow more.
    pub fn learn(&mut self, arn: &str, Attempt { attribution, guessed }: Attempt) -> bool {
        if guessed || self.roles.insert(arn.to_owned(), attribution) == Some(attribution) {
            return false;
        }
        let (known, roles) = self.names.entry(name(arn).to_owned()).or_insert((attribution, 0));
        *roles = if *known == attribution { *roles + 1 } else { 1 };
        *known = attribution;
        true
    }
}

/// Path and name of a role, without its account: `role/cartography-read-only`.
fn name(arn: &str) -> &str {
    arn.splitn(6, ':').nth(5).unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn trials_guess_after_three_roles_of_one_name() {
        let mut known = Attributions::default();
        let arn = |account: u32, name: &str| format!("arn:aws:iam::{account:012}:role/{name}");
        let found = |attribution| Attempt { attribution, guessed: false };
        for account in 1..=3 {
            assert_eq!(known.first(&arn(account, "reader"), true), found(Attribution::FULL));
            assert!(known.learn(&arn(account, "reader"), found(Attribution::NAME_ONLY)));
            assert!(!known.learn(&arn(account, "reader"), found(Attribution::NAME_ONLY)));
        }
        let guess = Attempt { attribution: Attribution::NAME_ONLY, guessed: true };
        assert_eq!(known.first(&arn(4, "reader"), true), guess);
        assert_eq!(known.first(&arn(4, "reader"), false), found(Attribution::FULL), "a collector's session");
        assert_eq!(known.first(&arn(4, "other"), true), found(Attribution::FULL));
        assert!(!known.learn(&arn(4, "reader"), guess));
        assert_eq!(known.first(&arn(4, "reader"), false), found(Attribution::FULL), "a guess proves nothing");
        let denied = guess.after_denial("not authorized to perform: sts:AssumeRole");
        assert_eq!(denied, Some(found(Attribution::FULL)), "it may require tags");
        assert_eq!(found(Attribution::NAME_ONLY).after_denial("sts:AssumeRole"), None);
        // One that requires tags ends the guesses until three are alike again.
        known.learn(&arn(5, "reader"), found(Attribution::FULL));
        assert_eq!(known.first(&arn(6, "reader"), true), found(Attribution::FULL));
    }

    #[test]
    fn a_session_name_says_what_it_is_for() {
        let purpose = Purpose { service: "ec2".into(), sync_id: "01K0EXAMPLE0000SYNC0000ULID".into() };
        assert_eq!(purpose.session_name(), "groma-ec2-01K0EXAMPLE0000SYNC0000ULID");
        assert_eq!(Purpose { service: "accounts".into(), sync_id: String::new() }.session_name(), "groma-accounts");
    }

    #[test]
    fn what_is_refused_is_left_out() {
        let denied = |action: &str| format!("User: u is not authorized to perform: {action} on resource: r");
        let full = Attribution::FULL;
        let no_tags = Attribution { tags: false, source_identity: true };
        assert_eq!(full.without(&denied("sts:TagSession")), Some(no_tags));
        assert_eq!(no_tags.without(&denied("sts:SetSourceIdentity")), Some(Attribution::NAME_ONLY));
        assert_eq!(full.without(&denied("sts:AssumeRole")), Some(Attribution::NAME_ONLY));
        assert_eq!(Attribution::NAME_ONLY.without(&denied("sts:AssumeRole")), None);
        assert_eq!(Attribution::NAME_ONLY.without(&denied("sts:TagSession")), None);
    }

    /// AWS need not name an action, and a denial by a proxy names none.
    #[test]
    fn a_denial_that_names_no_action_leaves_everything_out() {
        let no_tags = Attribution { tags: false, source_identity: true };
        for message in ["Access denied", ""] {
            assert_eq!(Attribution::FULL.without(message), Some(Attribution::NAME_ONLY), "{message:?}");
            assert_eq!(no_tags.without(message), Some(Attribution::NAME_ONLY), "{message:?}");
            assert_eq!(Attribution::NAME_ONLY.without(message), None, "{message:?}");
        }
    }

    proptest! {
        #[test]
        fn any_purpose_has_a_name_that_sts_takes(service in ".{0,80}", sync_id in ".{0,80}") {
            let purpose = Purpose { service, sync_id };
            let name = purpose.session_name();
            prop_assert!((2..=64).contains(&name.len()), "{name}");
            prop_assert!(name.chars().all(|c| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c)), "{name}");
            prop_assert!(purpose.tags().iter().all(|(_, value)| value.len() <= 256));
        }
    }
}
