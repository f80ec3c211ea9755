//! SAML providers: `ListSAMLProviders` -> `(:AWSSAMLProvider)`.

use crate::{Iam, principals::name};
use aws_sdk_iam::types::SamlProviderListEntry;
use collector::{Collecting, Edge, Listing, Node, Sink, copied, fixed, indexed, prop};

/// SAML providers. Their names come from the ARNs, because the list has none.
pub(crate) static SAML_PROVIDER: Node<SamlProviderListEntry> = Node {
    extra_labels: &["IdentityProvider"],
    id: |it, _| it.arn().unwrap_or_default().to_owned(),
    props: &[
        indexed("arn", |it, _| it.arn().into()),
        indexed("name", |it, _| it.arn().map(name).into()),
        prop("create_date", |it, _| it.create_date().into()),
        prop("valid_until", |it, _| it.valid_until().into()),
    ],
    ontology: &[copied("_ont_name", "name"), fixed("_ont_protocol", "SAML")],
    edges: &[Edge::account()],
    ..Node::of("AWSSAMLProvider")
};

/// Listing of SAML providers.
pub(crate) const LISTING: Listing<Iam> =
    Listing { name: "ListSAMLProviders", actions: &["iam:ListSAMLProviders"], feeds: &[&SAML_PROVIDER], collect };

fn collect<'a>(iam: &'a Iam, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        // This API operation has no pages.
        let answer = iam.sdk.list_saml_providers().send().await?;
        sink.emit_all(&SAML_PROVIDER, answer.saml_provider_list()).await
    })
}

#[cfg(test)]
mod tests {
    use super::{SAML_PROVIDER, SamlProviderListEntry};
    use crate::testing::time;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_provider_leaves_nothing_null() {
        let provider = SamlProviderListEntry::builder()
            .arn("arn:aws:iam::111111111111:saml-provider/okta")
            .create_date(time())
            .valid_until(time())
            .build();
        expect![[r#"
            (:AWSSAMLProvider:IdentityProvider {id: "arn:aws:iam::111111111111:saml-provider/okta"})
              arn (indexed) = "arn:aws:iam::111111111111:saml-provider/okta"
              name (indexed) = "okta"
              create_date = time(1714525323000000)
              valid_until = time(1714525323000000)
              _ont_name (indexed) = "okta"
              _ont_protocol (indexed) = "SAML"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&SAML_PROVIDER, &provider, &[]));
    }
}
