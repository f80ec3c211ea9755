//! Reads a role's trust policy: the principals, and the statements for the analysis.

use crate::{
    policy_document::{self, Statement},
    statement::unreadable,
    trust::{Kind, Trusted},
};
use collector::{CollectError, Place};
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

/// A trust policy. Without text if the document cannot be parsed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TrustPolicy {
    /// Its principals without duplicates, in document order. Like Cartography, includes principals of Deny statements,
    /// marked by [`Trusted::denied`].
    pub trusted: Vec<Trusted>,
    /// Its statements as a JSON list of `{"version", "effect", "action", "notaction", "principal", "notprincipal",
    /// "condition"}`. Absent elements are null, principals are pairs of kind and value, and the condition is text as in
    /// other statements.
    pub text: Option<String>,
    /// Ids of accounts that it allows by account id, or by the name of a role session. Neither has a node.
    pub unlinked: BTreeSet<String>,
}

/// Parses a trust policy.
///
/// # Errors
/// Fails if the text is not a policy document.
pub fn read(document: &str, place: &Place) -> Result<TrustPolicy, CollectError> {
    let statements = policy_document::parse(document).map_err(|error| unreadable(&error))?;
    let text = Value::from(statements.iter().map(json).collect::<Vec<_>>()).to_string();
    let unlinked = statements.iter().filter(|it| has_effect(it, "Allow")).flat_map(unlinked).collect();
    Ok(TrustPolicy { trusted: trusted(&statements, place), text: Some(text), unlinked })
}

fn json(statement: &Statement) -> Value {
    json!({
        "version": statement.version,
        "effect": statement.effect,
        "action": statement.action,
        "notaction": statement.not_action,
        "principal": statement.principals,
        "notprincipal": statement.not_principals,
        "condition": statement.condition,
    })
}

fn unlinked(statement: &Statement) -> impl Iterator<Item = String> {
    statement.principals.iter().filter_map(|(kind, value)| {
        let is_id = value.len() == 12 && value.bytes().all(|byte| byte.is_ascii_digit());
        let account = if is_id { Some(value.as_str()) } else { account_of_session(value) };
        account.filter(|_| kind == "AWS").map(str::to_owned)
    })
}

/// Account of a role session: `111111111111` of `arn:aws:sts::111111111111:assumed-role/app/session`.
fn account_of_session(arn: &str) -> Option<&str> {
    let mut parts = arn.splitn(6, ':');
    let (_, _, service, _) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let (account, resource) = (parts.next()?, parts.next()?);
    (service == "sts" && resource.starts_with("assumed-role/")).then_some(account)
}

fn trusted(statements: &[Statement], place: &Place) -> Vec<Trusted> {
    let of = |actions| statements.iter().filter(move |it| assumes(it, actions)).map(Says::new).collect::<Vec<_>>();
    let plain = of(&["sts:assumerole"]);
    let federated = of(&["sts:assumerolewithsaml", "sts:assumerolewithwebidentity"]);
    let mut known = HashSet::new();
    let principals = statements.iter().flat_map(|statement| &statement.principals);
    let trusted = principals.filter_map(|(kind, value)| Trusted::new(kind, value, place));
    let decided = |it: Trusted| {
        let is_federated = matches!(it.kind, Kind::OwnProvider | Kind::OtherProvider);
        decide(it, if is_federated { &federated } else { &plain })
    };
    trusted.filter(|it| known.insert(it.arn.clone())).map(decided).collect()
}

fn decide(it: Trusted, statements: &[Says<'_>]) -> Trusted {
    let (mut allowed, mut freely, mut denied, mut at_times) = (false, false, false, false);
    for statement in statements {
        let (named, surely) = (statement.names(&it), statement.is_sure());
        match statement.effect {
            Some("Allow") => {
                allowed |= named != Named::No;
                freely |= named == Named::Yes && surely && statement.is_positive;
            }
            Some("Deny") => {
                denied |= named == Named::Yes && surely;
                at_times |= named == Named::Maybe || (named == Named::Yes && !surely);
            }
            _ => {}
        }
    }
    Trusted { denied: !allowed || denied, conditional: !freely || at_times, ..it }
}

/// Whether a statement applies to a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Named {
    No,
    /// Applies to some sessions of a role, or AWS does not document it.
    Maybe,
    Yes,
}

/// A statement, prepared for lookups of principals.
struct Says<'a> {
    effect: Option<&'a str>,
    condition: Option<&'a str>,
    /// Has a `Principal`, not a `NotPrincipal`.
    is_positive: bool,
    values: HashSet<&'a str>,
    sessions: Vec<&'a str>,
}

impl<'a> Says<'a> {
    fn new(statement: &'a Statement) -> Self {
        let principals = statement.not_principals.as_ref().unwrap_or(&statement.principals);
        let values: HashSet<&str> = principals.iter().map(|(_, value)| value.as_str()).collect();
        Self {
            effect: statement.effect.as_deref(),
            condition: statement.condition.as_deref(),
            is_positive: statement.not_principals.is_none(),
            sessions: values.iter().copied().filter(|value| account_of_session(value).is_some()).collect(),
            values,
        }
    }

    /// Whether it has no condition.
    fn is_sure(&self) -> bool {
        self.condition.is_none_or(|text| ["", "[]", "[{}]"].contains(&text))
    }

    /// Whether it applies to this principal. With `Principal`, it does if it names the principal, its account (by id or
    /// root) or everyone. With `NotPrincipal`, it does unless it lists both the principal and its account (IAM user
    /// guide, "IAM JSON policy elements: NotPrincipal").
    fn names(&self, it: &Trusted) -> Named {
        let account = it.account.is_empty()
            || self.values.contains(it.account.as_str())
            || self.values.contains(it.root_arn().as_str());
        let everyone = self.values.contains("*");
        let own = self.values.contains(it.arn.as_str());
        if self.is_positive {
            let is_named = everyone || own || (account && !it.account.is_empty());
            return if is_named {
                Named::Yes
            } else if self.has_session_of(it) {
                Named::Maybe
            } else {
                Named::No
            };
        }
        match (everyone, own, account) {
            (true, _, _) | (_, true, true) => Named::No,
            (_, true, false) => Named::Maybe,
            _ if self.has_session_of(it) => Named::Maybe,
            _ => Named::Yes,
        }
    }

    fn has_session_of(&self, it: &Trusted) -> bool {
        let Some((_, path)) = it.arn.split_once(":role/") else { return false };
        let name = path.rsplit('/').next().unwrap_or(path);
        let sessions = format!(":sts::{}:assumed-role/{name}/", it.account);
        self.sessions.iter().any(|value| value.contains(&sessions))
    }
}

fn has_effect(statement: &Statement, effect: &str) -> bool {
    statement.effect.as_deref() == Some(effect)
}

/// Whether it applies to one of these actions.
fn assumes(statement: &Statement, actions: &[&str]) -> bool {
    let any = |patterns: &[String], action: &str| {
        patterns.iter().any(|it| is_like(it.to_lowercase().as_bytes(), action.as_bytes()))
    };
    let is_meant = |action: &&str| match (&statement.action, &statement.not_action) {
        (Some(only), _) => any(only, action),
        (None, Some(except)) => !any(except, action),
        (None, None) => true,
    };
    actions.iter().any(is_meant)
}

/// Matches IAM's wildcards: `*` is any text, `?` one character. Takes time proportional to at most the product of both
/// lengths.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    let (mut at, mut from, mut retry) = (0, 0, None);
    while from < text.len() {
        match pattern.get(at) {
            Some(b'*') => {
                retry = Some((at, from));
                at += 1;
            }
            Some(here) if *here == b'?' || *here == text[from] => {
                at += 1;
                from += 1;
            }
            _ => {
                let Some((star, begun)) = retry else { return false };
                retry = Some((star, begun + 1));
                (at, from) = (star + 1, begun + 1);
            }
        }
    }
    pattern[at..].iter().all(|rest| *rest == b'*')
}

#[cfg(test)]
mod tests {
    use super::{TrustPolicy, read};
    use collector::testing::place;
    use expect_test::expect;

    fn policy(statements: &str) -> TrustPolicy {
        read(&format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#), &place()).expect("a policy")
    }

    /// ARNs, and whether each is denied and conditional.
    fn flags(statements: &str) -> Vec<(String, bool, bool)> {
        policy(statements).trusted.into_iter().map(|it| (it.arn, it.denied, it.conditional)).collect()
    }

    #[test]
    fn the_statements_are_kept_whole() {
        let text = policy(
            r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":["1","*"]},
                "Condition":{"StringEquals":{"z":"x","a":"y"}}},
               {"Effect":"Deny","NotAction":["sts:TagSession"],"NotPrincipal":{"AWS":"arn:aws:iam::1:root"}}"#,
        )
        .text
        .expect("read");
        expect![[r#"[{"action":["sts:AssumeRole"],"condition":"[{\"StringEquals\": {\"z\": \"x\", \"a\": \"y\"}}]","effect":"Allow","notaction":null,"notprincipal":null,"principal":[["AWS","1"],["AWS","*"]],"version":"2012-10-17"},{"action":null,"condition":null,"effect":"Deny","notaction":["sts:TagSession"],"notprincipal":[["AWS","arn:aws:iam::1:root"]],"principal":[],"version":"2012-10-17"}]"#]]
        .assert_eq(&text);
        assert_eq!(policy("").text.as_deref(), Some("[]"), "it is read, and says nothing");
    }

    #[test]
    fn accounts_of_sessions_and_ids_are_kept() {
        let of = |effect: &str| {
            let says = format!(
                r#"{{"Effect":"{effect}","Action":"sts:AssumeRole","Principal":{{"AWS":["222222222222",
                    "arn:aws:sts::333333333333:assumed-role/app/s","arn:aws:iam::444444444444:root","AROAEXAMPLE123"],
                    "Service":"555555555555"}}}}"#
            );
            policy(&says).unlinked.into_iter().collect::<Vec<_>>()
        };
        assert_eq!(of("Allow"), ["222222222222", "333333333333"]);
        assert!(of("Deny").is_empty());
    }

    #[test]
    fn a_deny_for_everyone_else_denies_whom_it_does_not_list() {
        const FREE: (bool, bool) = (false, false);
        const OPEN: (bool, bool) = (false, true);
        const DENIED: (bool, bool) = (true, false);
        let (a, b) = ("arn:aws:iam::1:role/a", "arn:aws:iam::1:user/b");
        let allow = format!(r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":["{a}","{b}"]}}}}"#);
        let but = |listed: &str, condition: &str| {
            let deny = format!(r#"{{"Effect":"Deny","Action":"*","NotPrincipal":{{"AWS":[{listed}]}}{condition}}}"#);
            let flags = flags(&format!("{allow},{deny}"));
            flags.into_iter().map(|(_, denied, conditional)| (denied, conditional)).collect::<Vec<_>>()
        };
        assert_eq!(but(&format!(r#""{a}","arn:aws:iam::1:root""#), ""), [FREE, DENIED]);
        assert_eq!(but(&format!(r#""{a}","1""#), ""), [FREE, DENIED]);
        assert_eq!(but(&format!(r#""{a}""#), ""), [OPEN, DENIED], "its account is not listed");
        assert_eq!(but(r#""arn:aws:sts::1:assumed-role/a/s","1""#, ""), [OPEN, DENIED], "one of its sessions");
        assert_eq!(but(r#""1""#, ""), [DENIED, DENIED], "the account is not the principal");
        let condition = r#","Condition":{"Null":{"k":"true"}}"#;
        assert_eq!(but(&format!(r#""{a}","1""#), condition), [FREE, OPEN]);
        assert_eq!(but(r#""*""#, ""), [FREE, FREE]);
    }

    /// AWS no longer accepts such a policy.
    #[test]
    fn an_allow_for_everyone_else_is_never_sure() {
        let allow = r#"{"Effect":"Allow","Action":"sts:AssumeRole","NotPrincipal":{"AWS":"arn:aws:iam::1:user/b"}}"#;
        let named = r#"{"Effect":"Deny","Action":"sts:TagSession","Principal":{"AWS":"arn:aws:iam::1:user/a"}}"#;
        assert_eq!(flags(&format!("{allow},{named}")), [("arn:aws:iam::1:user/a".to_owned(), false, true)]);
    }

    #[test]
    fn whoever_is_named_is_trusted_once() {
        let document = r#"{"Statement":[
            {"Effect":"Allow","Principal":{"Service":["b","a"]}},
            {"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::222222222222:root","Service":"a"}}]}"#;
        let arns: Vec<_> = read(document, &place()).expect("a policy").trusted.into_iter().map(|it| it.arn).collect();
        assert_eq!(arns, ["b", "a", "arn:aws:iam::222222222222:root"]);
        let error = read("{", &place()).expect_err("no JSON");
        assert!(error.message.starts_with("the document is not JSON: "), "{error}");
    }

    #[test]
    fn what_a_deny_is_about_counts() {
        let of = |statements: &str| {
            let trusted = read(&format!(r#"{{"Statement":[{statements}]}}"#), &place()).expect("a policy").trusted;
            trusted.into_iter().map(|it| (it.arn, it.denied, it.conditional)).collect::<Vec<_>>()
        };
        let (user, role) = ("arn:aws:iam::1:user/a", "arn:aws:iam::1:role/x/app");
        let allow =
            |who: &str| format!(r#"{{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{{"AWS":"{who}"}}}}"#);
        let but = |deny: &str| format!(r#"{},{{"Effect":"Deny",{deny}}}"#, allow(user));
        let free = vec![(user.to_owned(), false, false)];
        assert_eq!(of(&but(r#""Principal":"*","NotAction":["sts:AssumeRole","sts:TagSession"]"#)), free);
        assert_eq!(of(&but(r#""Principal":"*","Action":"sts:AssumeRoleWithSAML""#)), free);
        assert_eq!(of(&but(r#""Principal":"*","NotAction":"sts:TagSession""#)), [(user.to_owned(), true, false)]);
        // Its account is trusted, but it is denied under a condition.
        let root = "arn:aws:iam::1:root";
        let deny = r#""Principal":{"AWS":"arn:aws:iam::1:user/a"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#;
        let both = format!(r#"{},{{"Effect":"Deny",{deny}}}"#, allow(root));
        assert_eq!(of(&both), [(root.to_owned(), false, false), (user.to_owned(), false, true)]);
        // Only one session of a role is denied.
        let session = r#"{"Effect":"Deny","Action":"*","Principal":{"AWS":"arn:aws:sts::1:assumed-role/app/s"}}"#;
        assert_eq!(of(&format!("{},{session}", allow(role)))[0], (role.to_owned(), false, true));
    }

    #[test]
    fn who_is_only_denied_is_told_apart() {
        let denied = |statements: &str| {
            let trusted = read(&format!(r#"{{"Statement":[{statements}]}}"#), &place()).expect("a policy").trusted;
            trusted.into_iter().filter(|it| it.denied).map(|it| it.arn).collect::<Vec<_>>()
        };
        let allow = r#"{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":["arn:aws:iam::1:user/a","arn:aws:iam::2:user/b"]}}"#;
        let deny = |more: &str| format!(r#"{allow},{{"Effect":"Deny",{more}}}"#);
        assert!(denied(allow).is_empty());
        let mallory = r#""Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::1:user/mallory"}"#;
        assert_eq!(denied(&deny(mallory)), ["arn:aws:iam::1:user/mallory"], "only a deny names it");
        let user = r#""Action":"sts:*","Principal":{"AWS":"arn:aws:iam::1:user/a"}"#;
        assert_eq!(denied(&deny(user)), ["arn:aws:iam::1:user/a"]);
        let account = r#""Action":"sts:AssumeRole","Principal":{"AWS":"2"}"#;
        assert_eq!(denied(&deny(account)), ["arn:aws:iam::2:user/b"], "its account is denied");
        let conditional = format!(r#"{user},"Condition":{{"Bool":{{"aws:MultiFactorAuthPresent":"false"}}}}"#);
        assert!(denied(&deny(&conditional)).is_empty(), "it may apply or not");
        let document = format!(r#"{{"Statement":[{}]}}"#, deny(&conditional));
        let trusted = read(&document, &place()).expect("a policy").trusted;
        let conditional: Vec<_> = trusted.iter().filter(|it| it.conditional).map(|it| it.arn.as_str()).collect();
        assert_eq!(conditional, ["arn:aws:iam::1:user/a"]);
        let document = r#"{"Statement":[
            {"Effect":"Allow","Action":"sts:TagSession","Principal":{"AWS":"arn:aws:iam::1:user/a"}},
            {"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::1:user/a"},
             "Condition":{"StringEquals":{"sts:ExternalId":"x"}}}]}"#;
        let trusted = read(document, &place()).expect("a policy").trusted;
        assert!(trusted[0].conditional && !trusted[0].denied, "tags without a condition are not the role");
        let tags = r#""Action":"sts:TagSession","Principal":{"AWS":"arn:aws:iam::1:user/a"}"#;
        assert!(denied(&deny(tags)).is_empty(), "another action");
        for action in ["*", "sts:Assume*", "STS:*Role", "sts:AssumeRol?", "s*"] {
            let user = format!(r#""Action":"{action}","Principal":{{"AWS":"arn:aws:iam::1:user/a"}}"#);
            assert_eq!(denied(&deny(&user)), ["arn:aws:iam::1:user/a"], "{action}");
        }
        let others = r#""NotAction":"sts:TagSession","Principal":{"AWS":"arn:aws:iam::1:user/a"}"#;
        assert_eq!(denied(&deny(others)), ["arn:aws:iam::1:user/a"]);
        let tagging = r#"{"Effect":"Allow","Action":"sts:TagSession","Principal":{"AWS":"arn:aws:iam::1:user/a"}}"#;
        assert_eq!(denied(tagging), ["arn:aws:iam::1:user/a"], "tags alone assume nothing");
    }
}
