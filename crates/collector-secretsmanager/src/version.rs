//! Versions of a secret: `ListSecretVersionIds` -> `(:AWSSecretsManagerSecretVersion)`.

use crate::key;
use aws_sdk_secretsmanager::{Client, types::SecretVersionsListEntry};
use collector::{CollectError, Edge, Node, Value, indexed, many, one, paged, prop, seconds, unless_gone};

/// A version, with the ARN of its secret.
#[derive(Debug, Clone)]
pub(crate) struct Version {
    secret: String,
    entry: SecretVersionsListEntry,
}

impl Version {
    fn arn(&self) -> String {
        format!("{}:version:{}", self.secret, self.entry.version_id().unwrap_or_default())
    }
}

/// Versions, without their values. Secrets Manager has no tags of a version; Cartography has the property.
pub(crate) static VERSION: Node<Version> = Node {
    extra_labels: &["SecretsManagerSecretVersion"],
    id: |it, _| it.arn(),
    props: &[
        indexed("arn", |it, _| it.arn().into()),
        prop("secret_id", |it, _| (&it.secret).into()),
        prop("version_id", |it, _| it.entry.version_id().into()),
        prop("version_stages", |it, _| it.entry.version_stages.as_deref().map(Value::texts).into()),
        prop("created_date", |it, _| seconds(it.entry.created_date())),
        prop("region", |_, place| (&place.region).into()),
        prop("kms_key_ids", |it, _| keys(it).map(Value::texts).into()),
        prop("tags", |_, _| Value::Null),
    ],
    edges: &[
        Edge::account(),
        Edge::out("VERSION_OF", "AWSSecretsManagerSecret", "id", |it, _| one(Some(&it.secret))),
        Edge::out("ENCRYPTED_BY", "AWSKMSKey", "id", |it, _| {
            many(keys(it).into_iter().flatten().map(|name| key::id(name)))
        }),
    ],
    ..Node::of("AWSSecretsManagerSecretVersion")
};

/// Keys that encrypt the version. `None` if Secrets Manager names no key.
fn keys(it: &Version) -> Option<&[String]> {
    it.entry.kms_key_ids.as_deref().filter(|keys| !keys.is_empty())
}

/// Reads the versions of a secret, including those without a staging label. Returns `None` if the secret was deleted.
/// Secrets Manager keeps about 100 versions, and all of the last 24 hours ("AWS Secrets Manager quotas", AWS Secrets
/// Manager User Guide).
///
/// # Errors
/// Fails if a call fails.
pub(crate) async fn versions(client: &Client, secret: &str) -> Result<Option<Vec<Version>>, CollectError> {
    let call = client.list_secret_version_ids().secret_id(secret).include_deprecated(true).max_results(100);
    let (mut pages, mut versions) = (paged!(call, next_token), Vec::new());
    while let Some(page) = pages.next().await {
        let Some(page) = unless_gone(page)? else { return Ok(None) };
        let entries = page.versions.into_iter().flatten();
        versions.extend(entries.map(|entry| Version { secret: secret.to_owned(), entry }));
    }
    Ok(Some(versions))
}

#[cfg(test)]
mod tests {
    use super::{SecretVersionsListEntry, VERSION, Version};
    use aws_sdk_secretsmanager::primitives::DateTime;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_version_leaves_nothing_null() {
        let entry = SecretVersionsListEntry::builder()
            .version_id("1234abcd")
            .version_stages("AWSCURRENT")
            .version_stages("AWSPENDING")
            .created_date(DateTime::from_secs_f64(1_700_000_000.75))
            .kms_key_ids("arn:aws:kms:us-east-1:111111111111:key/5678efab")
            .build();
        let secret = "arn:aws:secretsmanager:us-east-1:111111111111:secret:orders-AbCdEf".to_owned();
        expect![[r#"
            (:AWSSecretsManagerSecretVersion:SecretsManagerSecretVersion {id: "arn:aws:secretsmanager:us-east-1:111111111111:secret:orders-AbCdEf:version:1234abcd"})
              arn (indexed) = "arn:aws:secretsmanager:us-east-1:111111111111:secret:orders-AbCdEf:version:1234abcd"
              secret_id = "arn:aws:secretsmanager:us-east-1:111111111111:secret:orders-AbCdEf"
              version_id = "1234abcd"
              version_stages = ["AWSCURRENT", "AWSPENDING"]
              created_date = 1700000000
              region = "us-east-1"
              kms_key_ids = ["arn:aws:kms:us-east-1:111111111111:key/5678efab"]
              tags = null
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:VERSION_OF]->(:AWSSecretsManagerSecret {id: "arn:aws:secretsmanager:us-east-1:111111111111:secret:orders-AbCdEf"})
              -[:ENCRYPTED_BY]->(:AWSKMSKey {id: "5678efab"})
        "#]]
        .assert_eq(&render(&VERSION, &Version { secret, entry }, &["tags"]));
    }
}
