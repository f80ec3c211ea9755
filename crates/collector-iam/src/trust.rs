//! Trusted principals of roles: services, identity providers and other accounts, read from trust policies.

use collector::{CollectError, Edge, Node, Place, Sink, copied, indexed, one, prop};
use std::collections::HashSet;

/// AWS services, the same for all accounts.
pub(crate) static SERVICE_PRINCIPAL: Node<Trusted> = Node {
    extra_labels: &["AWSPrincipal", "ServiceAccount"],
    shared: |_| true,
    id: |it, _| it.arn.clone(),
    props: &[indexed("arn", |it, _| (&it.arn).into()), prop("type", |_, _| "Service".into())],
    ontology: &[copied("_ont_name", "arn")],
    ..Node::of("AWSServicePrincipal")
};

/// Identity providers: the account's own (SAML, OpenID Connect), or public ones such as
/// `cognito-identity.amazonaws.com`.
pub(crate) static FEDERATED_PRINCIPAL: Node<Trusted> = Node {
    extra_labels: &["AWSPrincipal"],
    shared: |it| it.kind != Kind::OwnProvider,
    id: |it, _| it.arn.clone(),
    props: &[indexed("arn", |it, _| (&it.arn).into()), prop("type", |_, _| "Federated".into())],
    edges: &[Edge::account()],
    ..Node::of("AWSFederatedPrincipal")
};

/// Other accounts. They may also be surveyed, or be known only from trust policies.
pub(crate) static OTHER_ACCOUNT: Node<Trusted> = Node {
    shared: |_| true,
    id: |it, _| it.account.clone(),
    props: &[prop("_ont_source", |_, _| "aws".into())],
    ..Node::of("AWSAccount")
};

/// Root principals of other accounts, as trust policies name them.
pub(crate) static OTHER_ROOT_PRINCIPAL: Node<Trusted> = Node {
    extra_labels: &["AWSPrincipal"],
    shared: |_| true,
    id: |it, _| it.root_arn(),
    props: &[indexed("arn", |it, _| it.root_arn().into())],
    edges: &[Edge::incoming("RESOURCE", "AWSAccount", "id", |it, _| one(Some(&it.account)))],
    ..Node::of("AWSRootPrincipal")
};

/// A principal in a trust policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trusted {
    /// Kind of the principal.
    pub(crate) kind: Kind,
    /// ARN or name.
    pub(crate) arn: String,
    /// Account of the ARN, or empty.
    pub(crate) account: String,
    /// The trust policy never lets it assume the role. Either no statement allows the principal, its account or
    /// everyone, or a statement without a condition denies it.
    pub(crate) denied: bool,
    /// The decision depends on a condition, a session name or the effect of `NotPrincipal`.
    pub(crate) conditional: bool,
}

/// Kind of a trusted principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// An AWS service.
    Service,
    /// An identity provider of the account.
    OwnProvider,
    /// Any other identity provider.
    OtherProvider,
    /// Root principal of another account.
    OtherRoot,
    /// A principal with its own node, if it has any.
    Principal,
}

impl Trusted {
    /// Reads a principal of a trust policy. Returns `None` for principals that have no node: everyone (`*`), the unique
    /// id of a deleted principal, and kinds that trust policies do not have.
    pub(crate) fn new(kind: &str, value: &str, place: &Place) -> Option<Self> {
        let account = if value.starts_with("arn:") { value.split(':').nth(4).unwrap_or_default() } else { "" };
        let own = account == place.account_id;
        let kind = match kind {
            "Service" => Kind::Service,
            "Federated" if own => Kind::OwnProvider,
            "Federated" => Kind::OtherProvider,
            // Like Cartography, recognizes a root by this word anywhere in the ARN, so also reads an account from
            // `role/chroot`.
            "AWS" if value.contains("root") && !own && !account.is_empty() => Kind::OtherRoot,
            "AWS" if value.starts_with("arn:") => Kind::Principal,
            _ => return None,
        };
        Some(Self { kind, arn: value.to_owned(), account: account.to_owned(), denied: false, conditional: false })
    }

    /// ARN of its account's root principal.
    pub(crate) fn root_arn(&self) -> String {
        let partition = self.arn.split(':').nth(1).unwrap_or_default();
        format!("arn:{partition}:iam::{}:root", self.account)
    }
}

/// Principals already emitted, so that a service that a thousand roles trust is one row.
#[derive(Debug, Default)]
pub(crate) struct Said(HashSet<String>);

impl Said {
    /// Emits the principals that were not emitted before.
    ///
    /// # Errors
    /// Fails if the sink rejects a row.
    pub(crate) async fn emit(&mut self, sink: &mut Sink, trusted: &[Trusted]) -> Result<(), CollectError> {
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

#[cfg(test)]
mod tests {
    use super::{FEDERATED_PRINCIPAL, Kind, OTHER_ACCOUNT, OTHER_ROOT_PRINCIPAL, SERVICE_PRINCIPAL, Said, Trusted};
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
