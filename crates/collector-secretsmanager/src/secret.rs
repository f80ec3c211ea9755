//! Secrets: `ListSecrets`, then `ListSecretVersionIds` for each -> `(:AWSSecretsManagerSecret)` and
//! `(:AWSSecretsManagerSecretVersion)`.
//!
//! `ListSecrets` leaves out secrets that are scheduled for deletion, so `deleted_date` is always null.

use crate::{
    key,
    version::{VERSION, Version, versions},
};
use aws_sdk_secretsmanager::{Client, types::SecretListEntry};
use collector::{
    CollectError, Collecting, Detail, Details, Edge, Listing, Node, Prop, Sink, copied, indexed, one, paged, prop,
    seconds,
};
use futures::{StreamExt, stream};

/// Limit of concurrent calls about secrets. The limiter enforces AWS's quotas.
const AT_ONCE: usize = 16;

/// Secrets, replicas among them.
pub(crate) static SECRET: Node<SecretListEntry> = Node {
    extra_labels: &["SecretsManagerSecret", "Secret"],
    id: |it, _| it.arn().unwrap_or_default().to_owned(),
    props: PROPS,
    ontology: &[
        copied("_ont_created_at", "created_date"),
        copied("_ont_name", "name"),
        copied("_ont_rotation_enabled", "rotation_enabled"),
        copied("_ont_updated_at", "last_changed_date"),
    ],
    edges: &[
        Edge::account(),
        Edge::out("ENCRYPTED_BY", "AWSKMSKey", "id", |it, _| one(it.kms_key_id().and_then(key::id))),
    ],
    ..Node::of("AWSSecretsManagerSecret")
};

const PROPS: &[Prop<SecretListEntry>] = &[
    indexed("arn", |it, _| it.arn().into()),
    indexed("name", |it, _| it.name().into()),
    prop("description", |it, _| it.description().into()),
    prop("rotation_enabled", |it, _| it.rotation_enabled().into()),
    prop("rotation_lambda_arn", |it, _| it.rotation_lambda_arn().into()),
    prop("rotation_rules_automatically_after_days", |it, _| {
        it.rotation_rules().and_then(|rules| rules.automatically_after_days()).into()
    }),
    prop("created_date", |it, _| seconds(it.created_date())),
    prop("last_rotated_date", |it, _| seconds(it.last_rotated_date())),
    prop("last_changed_date", |it, _| seconds(it.last_changed_date())),
    prop("last_accessed_date", |it, _| seconds(it.last_accessed_date())),
    prop("deleted_date", |it, _| seconds(it.deleted_date())),
    prop("kms_key_id", |it, _| it.kms_key_id().into()),
    prop("owning_service", |it, _| it.owning_service().into()),
    prop("primary_region", |it, _| it.primary_region().into()),
    prop("region", |_, place| (&place.region).into()),
];

/// Listing of secrets and their versions.
pub(crate) const LISTING: Listing<Client> = Listing {
    name: "ListSecrets",
    actions: &["secretsmanager:ListSecrets", "secretsmanager:ListSecretVersionIds"],
    feeds: &[&SECRET, &VERSION],
    collect,
};

fn collect<'a>(client: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let (mut pages, mut details) = (paged!(client.list_secrets().max_results(100), next_token), Details::default());
        while let Some(page) = pages.next().await {
            let asked = stream::iter(page?.secret_list.into_iter().flatten()).map(|secret| asked(client, secret));
            let mut answers = asked.buffered(AT_ONCE);
            while let Some((secret, versions)) = answers.next().await {
                let item = format!("versions of {}", secret.arn().unwrap_or_default());
                match details.take(&item, versions)? {
                    Detail::Gone => {}
                    Detail::Failed => sink.emit(&SECRET, &secret).await?,
                    Detail::Read(versions) => {
                        sink.emit(&SECRET, &secret).await?;
                        sink.emit_all(&VERSION, &versions).await?;
                    }
                }
            }
        }
        details.end()
    })
}

/// A secret with its versions; `Ok(None)` if it was deleted meanwhile.
async fn asked(
    client: &Client,
    secret: SecretListEntry,
) -> (SecretListEntry, Result<Option<Vec<Version>>, CollectError>) {
    let versions = versions(client, secret.arn().unwrap_or_default()).await;
    (secret, versions)
}

#[cfg(test)]
mod tests {
    use super::{LISTING, SECRET, SecretListEntry};
    use aws_sdk_secretsmanager::{primitives::DateTime, types::RotationRulesType};
    use collector::{
        Sink,
        testing::{Canned, node_ids, place, render},
    };
    use expect_test::expect;

    #[test]
    fn a_full_secret_leaves_nothing_null() {
        let secret = SecretListEntry::builder()
            .arn("arn:aws:secretsmanager:us-east-1:111111111111:secret:orders-AbCdEf")
            .name("orders")
            .description("password of the orders")
            .rotation_enabled(true)
            .rotation_lambda_arn("arn:aws:lambda:us-east-1:111111111111:function:rotate")
            .rotation_rules(RotationRulesType::builder().automatically_after_days(30).build())
            .created_date(DateTime::from_secs_f64(1_700_000_000.75))
            .last_rotated_date(DateTime::from_secs(1_710_000_000))
            .last_changed_date(DateTime::from_secs(1_720_000_000))
            .last_accessed_date(DateTime::from_secs(1_730_000_000))
            .deleted_date(DateTime::from_secs(1_740_000_000))
            .kms_key_id("arn:aws:kms:us-east-1:111111111111:key/1234abcd")
            .owning_service("rds")
            .primary_region("eu-west-1")
            .build();
        expect![[r#"
            (:AWSSecretsManagerSecret:SecretsManagerSecret:Secret {id: "arn:aws:secretsmanager:us-east-1:111111111111:secret:orders-AbCdEf"})
              arn (indexed) = "arn:aws:secretsmanager:us-east-1:111111111111:secret:orders-AbCdEf"
              name (indexed) = "orders"
              description = "password of the orders"
              rotation_enabled = true
              rotation_lambda_arn = "arn:aws:lambda:us-east-1:111111111111:function:rotate"
              rotation_rules_automatically_after_days = 30
              created_date = 1700000000
              last_rotated_date = 1710000000
              last_changed_date = 1720000000
              last_accessed_date = 1730000000
              deleted_date = 1740000000
              kms_key_id = "arn:aws:kms:us-east-1:111111111111:key/1234abcd"
              owning_service = "rds"
              primary_region = "eu-west-1"
              region = "us-east-1"
              _ont_created_at (indexed) = 1700000000
              _ont_name (indexed) = "orders"
              _ont_rotation_enabled (indexed) = true
              _ont_updated_at (indexed) = 1720000000
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ENCRYPTED_BY]->(:AWSKMSKey {id: "1234abcd"})
        "#]]
        .assert_eq(&render(&SECRET, &secret, &[]));
    }

    const SECRETS: &str = r#"{"SecretList": [{"ARN": "a"}, {"ARN": "b"}]}"#;
    const FIRST: &str = r#"{"Versions": [{"VersionId": "1"}], "NextToken": "more"}"#;
    const SECOND: &str = r#"{"Versions": [{"VersionId": "2"}], "NextToken": ""}"#;

    /// Result of the listing, and the nodes that it writes. Every request for versions asks for those without a label.
    async fn listed(answers: &[&str]) -> (Result<(), String>, Vec<String>) {
        let server = Canned::answering(answers);
        let mut sink = Sink::to_memory(place());
        let ended = (LISTING.collect)(&(crate::SERVICE.connect)(&server.connection()), &mut sink).await;
        let requests = server.requests();
        assert_eq!(requests.len(), answers.len());
        let mut of_versions = requests.iter().filter(|request| request.operation == "ListSecretVersionIds");
        assert!(of_versions.all(|request| request.body().contains(r#""IncludeDeprecated":true"#)));
        let batches = sink.into_batches().await.expect("in memory");
        let mut ids: Vec<_> = node_ids(&batches).map(str::to_owned).collect();
        ids.sort();
        (ended.map_err(|error| error.message), ids)
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    #[tokio::test]
    async fn all_pages_of_versions_are_read() {
        let one = r#"{"SecretList": [{"ARN": "a"}]}"#;
        assert_eq!(listed(&[one, FIRST, SECOND]).await, (Ok(()), ids(&["a", "a:version:1", "a:version:2"])));
    }

    #[tokio::test]
    async fn a_secret_that_is_gone_has_no_row() {
        let gone = "!ResourceNotFoundException Secrets Manager can't find the specified secret.";
        assert_eq!(listed(&[SECRETS, gone, SECOND]).await, (Ok(()), ids(&["b", "b:version:2"])));
    }

    #[tokio::test]
    async fn a_secret_whose_versions_are_denied_has_its_other_properties() {
        let denied = "!AccessDeniedException no resource-based policy allows it";
        let error = "versions of a: AccessDeniedException: no resource-based policy allows it".to_owned();
        assert_eq!(listed(&[SECRETS, denied, SECOND]).await, (Err(error), ids(&["a", "b", "b:version:2"])));
    }
}
