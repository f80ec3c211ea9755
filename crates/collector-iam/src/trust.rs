//! Whom roles trust: services, identity providers and other accounts, read from the roles' trust policies.

use crate::{
    policy_document::{self, Statement},
    statement::unreadable,
};
use collector::{CollectError, Edge, Node, Place, Sink, copied, indexed, one, prop};
use std::collections::HashSet;

/// An AWS service, the same for all accounts.
pub static SERVICE_PRINCIPAL: Node<Trusted> = Node {
    extra_labels: &["AWSPrincipal", "ServiceAccount"],
    shared: |_| true,
    id: |it, _| it.arn.clone(),
    props: &[indexed("arn", |it, _| (&it.arn).into()), prop("type", |_, _| "Service".into())],
    ontology: &[copied("_ont_name", "arn")],
    ..Node::of("AWSServicePrincipal")
};

/// An identity provider: the account's own (SAML, OpenID Connect), or one that every account may name, such as
/// `cognito-identity.amazonaws.com`.
pub static FEDERATED_PRINCIPAL: Node<Trusted> = Node {
    extra_labels: &["AWSPrincipal"],
    shared: |it| it.kind != Kind::OwnProvider,
    id: |it, _| it.arn.clone(),
    props: &[indexed("arn", |it, _| (&it.arn).into()), prop("type", |_, _| "Federated".into())],
    edges: &[Edge::account()],
    ..Node::of("AWSFederatedPrincipal")
};

/// Another account. It may be surveyed as well, or be known from here alone.
pub static OTHER_ACCOUNT: Node<Trusted> = Node {
    shared: |_| true,
    id: |it, _| it.account.clone(),
    props: &[prop("_ont_source", |_, _| "aws".into())],
    ..Node::of("AWSAccount")
};

/// That account as a whole, as trust policies name it.
pub static OTHER_ROOT_PRINCIPAL: Node<Trusted> = Node {
    extra_labels: &["AWSPrincipal"],
    shared: |_| true,
    id: |it, _| it.root_arn(),
    props: &[indexed("arn", |it, _| it.root_arn().into())],
    edges: &[Edge::incoming("RESOURCE", "AWSAccount", "id", |it, _| one(Some(&it.account)))],
    ..Node::of("AWSRootPrincipal")
};

/// Somebody whom a role trusts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// What it is.
    pub kind: Kind,
    /// ARN or name.
    pub arn: String,
    /// Account of the ARN, or empty.
    pub account: String,
    /// The trust policy never lets it assume the role: no statement allows it, its account or everyone, or one without a
    /// condition denies it.
    pub denied: bool,
    /// Every statement that allows it has a condition, or one that denies it has.
    pub conditional: bool,
}

/// What a trusted principal is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// An AWS service.
    Service,
    /// An identity provider of the account.
    OwnProvider,
    /// Any other identity provider.
    OtherProvider,
    /// A root principal of another account.
    OtherRoot,
    /// A principal that has, if anywhere, a node of its own.
    Principal,
}

impl Trusted {
    /// Reads a principal of a trust policy. None for what no node can stand for: everyone (`*`), the unique id that IAM
    /// leaves of a deleted principal, kinds that trust policies do not have.
    fn new(kind: &str, value: &str, place: &Place) -> Option<Self> {
        let account = if value.starts_with("arn:") { value.split(':').nth(4).unwrap_or_default() } else { "" };
        let own = account == place.account_id;
        let kind = match kind {
            "Service" => Kind::Service,
            "Federated" if own => Kind::OwnProvider,
            "Federated" => Kind::OtherProvider,
            // Cartography knows a root by this word anywhere in the ARN, and so takes an account from `role/chroot`.
            "AWS" if value.contains("root") && !own && !account.is_empty() => Kind::OtherRoot,
            "AWS" if value.starts_with("arn:") => Kind::Principal,
            _ => return None,
        };
        Some(Self { kind, arn: value.to_owned(), account: account.to_owned(), denied: false, conditional: false })
    }

    /// Whether these name it, its account (as such or as its root), or everyone.
    fn is_among(&self, values: &HashSet<&str>) -> bool {
        let account = |value: &&str| !self.account.is_empty() && (*value == self.account || *value == self.root_arn());
        values.contains("*") || values.contains(self.arn.as_str()) || values.iter().any(account)
    }

    /// Whether some of a role's sessions are denied.
    fn has_sessions_in(&self, decisions: &Decisions<'_>) -> bool {
        let Some((_, path)) = self.arn.split_once(":role/") else { return false };
        let name = path.rsplit('/').next().unwrap_or(path);
        let sessions = format!(":sts::{}:assumed-role/{name}/", self.account);
        decisions.denied.iter().chain(&decisions.at_times).any(|value| value.contains(&sessions))
    }

    fn root_arn(&self) -> String {
        let partition = self.arn.split(':').nth(1).unwrap_or_default();
        format!("arn:{partition}:iam::{}:root", self.account)
    }
}

/// What was already said of trusted principals, so that a service that a thousand roles trust is one row.
#[derive(Debug, Default)]
pub struct Said(HashSet<String>);

impl Said {
    /// Emits those of them that are new.
    ///
    /// # Errors
    /// When the sink does not take one.
    pub async fn emit(&mut self, sink: &mut Sink, trusted: &[Trusted]) -> Result<(), CollectError> {
        for one in trusted {
            if one.kind == Kind::Principal || !self.0.insert(one.arn.clone()) {
                continue;
            }
            match one.kind {
                Kind::Service => sink.emit(&SERVICE_PRINCIPAL, one).await?,
                Kind::OtherRoot => {
                    sink.emit(&OTHER_ACCOUNT, one).await?;
                    sink.emit(&OTHER_ROOT_PRINCIPAL, one).await?;
                }
                _ => sink.emit(&FEDERATED_PRINCIPAL, one).await?,
            }
        }
        Ok(())
    }
}

/// Whom a trust policy names, each once, in the order of the document. Statements that deny count as well, as in
/// Cartography, and are told apart by [`Trusted::denied`].
///
/// # Errors
/// When it is no policy document.
pub fn read(document: &str, place: &Place) -> Result<Vec<Trusted>, CollectError> {
    let statements = policy_document::parse(document).map_err(|error| unreadable(&error))?;
    let with = |wanted: &dyn Fn(&Statement) -> bool| -> HashSet<&str> {
        statements.iter().filter(|it| wanted(it)).flat_map(values).collect()
    };
    let of = |actions: &[&str]| {
        let lets = |it: &Statement| has_effect(it, "Allow") && assumes(it, actions);
        let forbids = |it: &Statement| has_effect(it, "Deny") && assumes(it, actions);
        Decisions {
            allowed: with(&lets),
            freely: with(&|it| lets(it) && !is_conditional(it)),
            denied: with(&|it| forbids(it) && !is_conditional(it)),
            at_times: with(&|it| forbids(it) && is_conditional(it)),
        }
    };
    let (plain, federated) =
        (of(&["sts:assumerole"]), of(&["sts:assumerolewithsaml", "sts:assumerolewithwebidentity"]));
    let mut known = HashSet::new();
    let principals = statements.iter().flat_map(|statement| &statement.principals);
    let trusted = principals.filter_map(|(kind, value)| Trusted::new(kind, value, place));
    let trusted = trusted.filter(|trusted| known.insert(trusted.arn.clone()));
    let decided = |it: Trusted| {
        let is_federated = matches!(it.kind, Kind::OwnProvider | Kind::OtherProvider);
        let decisions = if is_federated { &federated } else { &plain };
        Trusted {
            denied: !it.is_among(&decisions.allowed) || it.is_among(&decisions.denied),
            conditional: !it.is_among(&decisions.freely)
                || it.is_among(&decisions.at_times)
                || it.has_sessions_in(decisions),
            ..it
        }
    };
    Ok(trusted.map(decided).collect())
}

/// What a trust policy says of some actions, each as the principals that it names.
struct Decisions<'a> {
    allowed: HashSet<&'a str>,
    /// Without a condition.
    freely: HashSet<&'a str>,
    /// Without a condition.
    denied: HashSet<&'a str>,
    /// Denied under a condition.
    at_times: HashSet<&'a str>,
}

fn has_effect(statement: &Statement, effect: &str) -> bool {
    statement.effect.as_deref() == Some(effect)
}

fn is_conditional(statement: &Statement) -> bool {
    statement.condition.as_ref().is_some_and(|text| !["", "[]", "[{}]"].contains(&text.as_str()))
}

fn values(statement: &Statement) -> impl Iterator<Item = &str> {
    statement.principals.iter().map(|(_, value)| value.as_str())
}

/// Whether it is about one of these actions.
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

/// IAM's wildcards: `*` is any text, `?` one character. Takes at most the product of both lengths.
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
    use super::{
        FEDERATED_PRINCIPAL, Kind, OTHER_ACCOUNT, OTHER_ROOT_PRINCIPAL, SERVICE_PRINCIPAL, Said, Trusted, read,
    };
    use collector::{
        Sink,
        testing::{place, render},
    };
    use expect_test::expect;

    fn trusted(kind: &str, value: &str) -> Option<Trusted> {
        Trusted::new(kind, value, &place())
    }

    #[test]
    fn full_principals_leave_nothing_null() {
        let service = trusted("Service", "ec2.amazonaws.com").expect("a service");
        expect![[r#"
            (:AWSServicePrincipal:AWSPrincipal:ServiceAccount {id: "ec2.amazonaws.com"})
              arn (indexed) = "ec2.amazonaws.com"
              type = "Service"
              _ont_name (indexed) = "ec2.amazonaws.com"
              _ont_source = "aws"
        "#]]
        .assert_eq(&render(&SERVICE_PRINCIPAL, &service, &[]));
        let provider = trusted("Federated", "arn:aws:iam::111111111111:saml-provider/okta").expect("a provider");
        expect![[r#"
            (:AWSFederatedPrincipal:AWSPrincipal {id: "arn:aws:iam::111111111111:saml-provider/okta"})
              arn (indexed) = "arn:aws:iam::111111111111:saml-provider/okta"
              type = "Federated"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&FEDERATED_PRINCIPAL, &provider, &[]));
        let root = trusted("AWS", "arn:aws-cn:iam::222222222222:root").expect("a root");
        expect![[r#"
            (:AWSAccount {id: "222222222222"})
              _ont_source = "aws"
        "#]]
        .assert_eq(&render(&OTHER_ACCOUNT, &root, &[]));
        expect![[r#"
            (:AWSRootPrincipal:AWSPrincipal {id: "arn:aws-cn:iam::222222222222:root"})
              arn (indexed) = "arn:aws-cn:iam::222222222222:root"
              <-[:RESOURCE]-(:AWSAccount {id: "222222222222"})
        "#]]
        .assert_eq(&render(&OTHER_ROOT_PRINCIPAL, &root, &[]));
    }

    #[test]
    fn principals_are_told_apart() {
        let kind = |kind, value| trusted(kind, value).map(|it| it.kind);
        assert_eq!(kind("Federated", "cognito-identity.amazonaws.com"), Some(Kind::OtherProvider));
        assert_eq!(kind("Federated", "arn:aws:iam::222222222222:saml-provider/okta"), Some(Kind::OtherProvider));
        assert_eq!(kind("AWS", "arn:aws:iam::111111111111:root"), Some(Kind::Principal));
        assert_eq!(kind("AWS", "arn:aws:iam::222222222222:role/app"), Some(Kind::Principal));
        assert_eq!(kind("AWS", "*"), None);
        assert_eq!(kind("AWS", "AROAEXAMPLE"), None);
        assert_eq!(kind("CanonicalUser", "arn:x"), None);
    }

    #[test]
    fn whoever_is_named_is_trusted_once() {
        let document = r#"{"Statement":[
            {"Effect":"Allow","Principal":{"Service":["b","a"]}},
            {"Effect":"Deny","Principal":{"AWS":"arn:aws:iam::222222222222:root","Service":"a"}}]}"#;
        let arns: Vec<_> = read(document, &place()).expect("a policy").into_iter().map(|it| it.arn).collect();
        assert_eq!(arns, ["b", "a", "arn:aws:iam::222222222222:root"]);
        let error = read("{", &place()).expect_err("no JSON");
        assert!(error.message.starts_with("the document is not JSON: "), "{error}");
    }

    #[test]
    fn what_a_deny_is_about_counts() {
        let of = |statements: &str| {
            let trusted = read(&format!(r#"{{"Statement":[{statements}]}}"#), &place()).expect("a policy");
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
        // Its account is trusted, and it is denied under a condition.
        let root = "arn:aws:iam::1:root";
        let deny = r#""Principal":{"AWS":"arn:aws:iam::1:user/a"},"Action":"sts:AssumeRole","Condition":{"Bool":{"aws:MultiFactorAuthPresent":"false"}}"#;
        let both = format!(r#"{},{{"Effect":"Deny",{deny}}}"#, allow(root));
        assert_eq!(of(&both), [(root.to_owned(), false, false), (user.to_owned(), false, true)]);
        // One session of a role is denied.
        let session = r#"{"Effect":"Deny","Action":"*","Principal":{"AWS":"arn:aws:sts::1:assumed-role/app/s"}}"#;
        assert_eq!(of(&format!("{},{session}", allow(role)))[0], (role.to_owned(), false, true));
    }

    #[test]
    fn who_is_only_denied_is_told_apart() {
        let denied = |statements: &str| {
            let trusted = read(&format!(r#"{{"Statement":[{statements}]}}"#), &place()).expect("a policy");
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
        let trusted = read(&document, &place()).expect("a policy");
        let conditional: Vec<_> = trusted.iter().filter(|it| it.conditional).map(|it| it.arn.as_str()).collect();
        assert_eq!(conditional, ["arn:aws:iam::1:user/a"]);
        let document = r#"{"Statement":[
            {"Effect":"Allow","Action":"sts:TagSession","Principal":{"AWS":"arn:aws:iam::1:user/a"}},
            {"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"arn:aws:iam::1:user/a"},
             "Condition":{"StringEquals":{"sts:ExternalId":"x"}}}]}"#;
        let trusted = read(document, &place()).expect("a policy");
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

    #[tokio::test]
    async fn a_service_of_many_roles_is_one_row() {
        let (mut sink, mut said) = (Sink::to_memory(place()), Said::default());
        let service = [trusted("Service", "ec2.amazonaws.com").expect("a service")];
        for _ in 0..3 {
            said.emit(&mut sink, &service).await.expect("memory takes all");
        }
        let batches = sink.into_batches().await.expect("memory");
        assert_eq!(batches[0].nodes[0].rows.len(), 1);
    }
}
