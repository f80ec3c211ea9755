//! Keys: `ListKeys`, then `DescribeKey` and `GetKeyPolicy` for each -> `(:AWSKMSKey)`.
//!
//! A key's policy decides whether its account may read the policy at all. A key without a readable policy has a row with
//! its other properties, and keeps the known reach of its policy.

use crate::shared::keys::{self, describe, is_denied_by_key, is_of_aws};
use aws_sdk_kms::{Client, types::KeyMetadata};
use collector::{
    CollectError, Collecting, Detail, Details, Edge, Listing, Node, Prop, Sink, Value, copied, indexed, mapped, prop,
    seconds, unless_gone,
};
use events::FailureClass;
use futures::{StreamExt, stream};

const LABEL: &str = "AWSKMSKey";
const EXTRA_LABELS: &[&str] = &["KMSKey", "EncryptionKey"];

/// Keys as `DescribeKey` knows them. A multi-Region key and its replicas have one id, so they are one node.
pub(crate) static KEY: Node<KeyMetadata> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| it.key_id().to_owned(),
    props: PROPS,
    ontology: &[
        copied("_ont_name", "arn"),
        copied("_ont_enabled", "enabled"),
        mapped(
            "_ont_key_type",
            "key_usage",
            &[
                ("ENCRYPT_DECRYPT", "encrypt_decrypt"),
                ("SIGN_VERIFY", "sign_verify"),
                ("GENERATE_VERIFY_MAC", "mac"),
                ("KEY_AGREEMENT", "key_agreement"),
            ],
        ),
    ],
    edges: &[Edge::account()],
    ..Node::of(LABEL)
};

const PROPS: &[Prop<KeyMetadata>] = &[
    indexed("arn", |it, _| it.arn().into()),
    indexed("key_id", |it, _| it.key_id().into()),
    prop("description", |it, _| it.description().into()),
    prop("enabled", |it, _| it.enabled().into()),
    prop("key_state", |it, _| Value::text(it.key_state())),
    prop("key_usage", |it, _| Value::text(it.key_usage())),
    prop("key_manager", |it, _| Value::text(it.key_manager())),
    prop("origin", |it, _| Value::text(it.origin())),
    prop("creation_date", |it, _| seconds(it.creation_date())),
    prop("deletion_date", |it, _| seconds(it.deletion_date())),
    prop("valid_to", |it, _| seconds(it.valid_to())),
    prop("custom_key_store_id", |it, _| it.custom_key_store_id().into()),
    prop("cloud_hsm_cluster_id", |it, _| it.cloud_hsm_cluster_id().into()),
    prop("expiration_model", |it, _| Value::text(it.expiration_model())),
    // The newer name of the same value (AWS KMS API Reference, `KeyMetadata`).
    prop("customer_master_key_spec", |it, _| Value::text(it.key_spec())),
    prop("encryption_algorithms", |it, _| it.encryption_algorithms.as_deref().map(Value::texts).into()),
    prop("signing_algorithms", |it, _| it.signing_algorithms.as_deref().map(Value::texts).into()),
    prop("region", |_, place| (&place.region).into()),
];

/// Reach of a key's policy.
#[derive(Debug, Clone)]
pub(crate) struct KeyPolicy {
    /// Id of the key.
    key: String,
    /// Actions that the policy allows to everyone. `None`: it is closed.
    open: Option<Vec<String>>,
}

/// Keys with the reach of their policies.
pub(crate) static POLICY: Node<KeyPolicy> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| it.key.clone(),
    props: &[
        prop("anonymous_access", |it, _| it.open.is_some().into()),
        prop("anonymous_actions", |it, _| it.open.clone().unwrap_or_default().into()),
    ],
    ..Node::of(LABEL)
};

/// Listing of keys and their policies.
pub(crate) const LISTING: Listing<Client> = Listing {
    name: "ListKeys",
    actions: &["kms:ListKeys", "kms:DescribeKey", "kms:GetKeyPolicy"],
    feeds: &[&KEY, &POLICY],
    collect,
};

fn collect<'a>(kms: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let (mut pages, mut details) = (keys::pages(kms), Details::default());
        while let Some(page) = pages.next().await {
            let asked = stream::iter(keys::ids(page?)).map(|id| asked(kms.clone(), id));
            let mut answers = asked.buffered(keys::AT_ONCE);
            while let Some((id, key)) = answers.next().await {
                if let Some(key) = details.take(&id, key)?.read() {
                    emit(key, &mut details, sink).await?;
                }
            }
        }
        details.end()
    })
}

/// A described key with the answer to `GetKeyPolicy`; `Ok(None)` if the key was deleted meanwhile.
struct Described {
    metadata: KeyMetadata,
    policy: Result<Option<KeyPolicy>, CollectError>,
}

async fn asked(kms: Client, id: String) -> (String, Result<Option<Described>, CollectError>) {
    let described = match describe(&kms, &id).await {
        Ok(Some(metadata)) => Ok(Some(Described { metadata, policy: policy(&kms, &id).await })),
        Ok(None) => Ok(None),
        Err(error) => Err(error),
    };
    (id, described)
}

/// Reads the reach of a key's policy. Returns `None` if the key was deleted.
async fn policy(kms: &Client, id: &str) -> Result<Option<KeyPolicy>, CollectError> {
    // The only name of a policy (AWS KMS API Reference, `GetKeyPolicy`).
    let answer = kms.get_key_policy().key_id(id).policy_name("default").send().await;
    let Some(answer) = unless_gone(answer)? else { return Ok(None) };
    let document = answer.policy().ok_or_else(|| CollectError::without("a policy"))?;
    let open = resource_policy::anonymous(document)
        .map_err(|error| CollectError::new(FailureClass::Service, error.to_string()))?;
    Ok(Some(KeyPolicy { key: id.to_owned(), open }))
}

async fn emit(key: Described, details: &mut Details, sink: &mut Sink) -> Result<(), CollectError> {
    let Described { metadata, policy } = key;
    // AWS wrote this policy, so no permission of the account could change the answer.
    if is_of_aws(&metadata) && policy.as_ref().is_err_and(is_denied_by_key) {
        return sink.emit(&KEY, &metadata).await;
    }
    match details.take(&format!("policy of {}", metadata.key_id()), policy)? {
        Detail::Gone => Ok(()),
        Detail::Failed => sink.emit(&KEY, &metadata).await,
        Detail::Read(policy) => {
            sink.emit(&KEY, &metadata).await?;
            sink.emit(&POLICY, &policy).await
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{KEY, KeyMetadata, KeyPolicy, LISTING, POLICY};
    use aws_sdk_kms::primitives::DateTime;
    use collector::testing::{render, render_batches, run_listing};
    use expect_test::expect;

    #[test]
    fn a_full_key_leaves_nothing_null() {
        let key = KeyMetadata::builder()
            .key_id("1234abcd")
            .arn("arn:aws:kms:us-east-1:111111111111:key/1234abcd")
            .description("orders")
            .enabled(true)
            .key_state("PendingDeletion".into())
            .key_usage("ENCRYPT_DECRYPT".into())
            .key_manager("CUSTOMER".into())
            .origin("EXTERNAL".into())
            .creation_date(DateTime::from_secs_f64(1_700_000_000.75))
            .deletion_date(DateTime::from_secs(1_710_000_000))
            .valid_to(DateTime::from_secs(1_720_000_000))
            .custom_key_store_id("cks-1")
            .cloud_hsm_cluster_id("cluster-1")
            .expiration_model("KEY_MATERIAL_EXPIRES".into())
            .key_spec("RSA_2048".into())
            .encryption_algorithms("RSAES_OAEP_SHA_256".into())
            .signing_algorithms("RSASSA_PSS_SHA_256".into())
            .build()
            .expect("full");
        expect![[r#"
            (:AWSKMSKey:KMSKey:EncryptionKey {id: "1234abcd"})
              arn (indexed) = "arn:aws:kms:us-east-1:111111111111:key/1234abcd"
              key_id (indexed) = "1234abcd"
              description = "orders"
              enabled = true
              key_state = "PendingDeletion"
              key_usage = "ENCRYPT_DECRYPT"
              key_manager = "CUSTOMER"
              origin = "EXTERNAL"
              creation_date = 1700000000
              deletion_date = 1710000000
              valid_to = 1720000000
              custom_key_store_id = "cks-1"
              cloud_hsm_cluster_id = "cluster-1"
              expiration_model = "KEY_MATERIAL_EXPIRES"
              customer_master_key_spec = "RSA_2048"
              encryption_algorithms = ["RSAES_OAEP_SHA_256"]
              signing_algorithms = ["RSASSA_PSS_SHA_256"]
              region = "us-east-1"
              _ont_name (indexed) = "arn:aws:kms:us-east-1:111111111111:key/1234abcd"
              _ont_enabled (indexed) = true
              _ont_key_type (indexed) = "encrypt_decrypt"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&KEY, &key, &[]));
    }

    #[test]
    fn a_policy_says_what_everyone_may_do() {
        let rendered = |open| render(&POLICY, &KeyPolicy { key: "1234abcd".into(), open }, &[]);
        expect![[r#"
            (:AWSKMSKey:KMSKey:EncryptionKey {id: "1234abcd"})
              anonymous_access = true
              anonymous_actions = ["kms:Decrypt"]
        "#]]
        .assert_eq(&rendered(Some(vec!["kms:Decrypt".into()])));
        expect![[r#"
            (:AWSKMSKey:KMSKey:EncryptionKey {id: "1234abcd"})
              anonymous_access = false
              anonymous_actions = []
        "#]]
        .assert_eq(&rendered(None));
    }

    const KEYS: &str = r#"{"Keys": [{"KeyId": "a"}, {"KeyId": "b"}]}"#;
    const A: &str = r#"{"KeyMetadata": {"KeyId": "a", "KeyManager": "CUSTOMER"}}"#;
    const B: &str = r#"{"KeyMetadata": {"KeyId": "b", "KeyManager": "AWS"}}"#;
    const OPEN: &str =
        r#"{"Policy": "{\"Statement\": {\"Effect\": \"Allow\", \"Principal\": \"*\", \"Action\": \"kms:*\"}}"}"#;
    const CLOSED: &str = r#"{"Policy": "{\"Statement\": []}"}"#;
    const BY_KEY: &str = "!AccessDeniedException User: u is not authorized to perform: kms:GetKeyPolicy on this resource \
                          because no resource-based policy allows the kms:GetKeyPolicy action";
    const BY_IAM: &str = "!AccessDeniedException User: u is not authorized to perform: kms:GetKeyPolicy on this resource \
                          because no identity-based policy allows the kms:GetKeyPolicy action";

    /// Result of the listing, and its rows: ids with their access, where it is known.
    async fn listed(answers: &[&str]) -> (Result<(), String>, Vec<String>) {
        let (ended, batches) = run_listing(&crate::SERVICE, &LISTING, answers).await;
        let rows = render_batches(&batches);
        let is_told = |line: &&str| line.starts_with("(:AWSKMSKey:") || line.contains("anonymous");
        let told = rows
            .lines()
            .filter(is_told)
            .map(|line| line.replace("AWSKMSKey:KMSKey:EncryptionKey", "").trim().to_owned());
        (ended, told.collect())
    }

    const ROW_A: &str = r#"(: {id: "a"})"#;
    const ROW_B: &str = r#"(: {id: "b"})"#;
    const IS_OPEN: [&str; 2] = ["anonymous_access = true", r#"anonymous_actions = ["kms:*"]"#];
    const IS_CLOSED: [&str; 2] = ["anonymous_access = false", "anonymous_actions = []"];

    fn rows(parts: &[&[&str]]) -> Vec<String> {
        parts.concat().into_iter().map(str::to_owned).collect()
    }

    #[tokio::test]
    async fn each_key_has_its_description_and_its_policy() {
        let all = rows(&[&[ROW_A, ROW_B], &[ROW_A], &IS_OPEN, &[ROW_B], &IS_CLOSED]);
        assert_eq!(listed(&[KEYS, A, OPEN, B, CLOSED]).await, (Ok(()), all));
    }

    #[tokio::test]
    async fn a_key_that_is_gone_has_no_row() {
        let of_b = rows(&[&[ROW_B], &[ROW_B], &IS_CLOSED]);
        let gone = "!NotFoundException Key does not exist";
        assert_eq!(listed(&[KEYS, gone, B, CLOSED]).await, (Ok(()), of_b.clone()));
        assert_eq!(listed(&[KEYS, A, gone, B, CLOSED]).await, (Ok(()), of_b));
    }

    #[tokio::test]
    async fn a_key_that_cannot_be_read_is_named_and_the_others_are_read() {
        let of_b = rows(&[&[ROW_B], &[ROW_B], &IS_CLOSED]);
        for refusal in [BY_KEY, "!KMSInternalException no", "!KMSInvalidStateException pending import"] {
            let error = Err(format!("a: {}", refusal.trim_start_matches('!').replacen(' ', ": ", 1)));
            assert_eq!(listed(&[KEYS, refusal, B, CLOSED]).await, (error, of_b.clone()));
        }
        let (ended, rows) = listed(&[KEYS, "{}", B, CLOSED]).await;
        assert_eq!((ended, rows), (Err("a: AWS returned neither metadata nor an error".to_owned()), of_b));
    }

    #[tokio::test]
    async fn a_key_without_a_readable_policy_keeps_its_other_properties() {
        let without_a = rows(&[&[ROW_A, ROW_B], &[ROW_B], &IS_CLOSED]);
        for (answer, message) in [
            (BY_KEY, BY_KEY.trim_start_matches('!').replacen(' ', ": ", 1)),
            ("{}", "AWS returned neither a policy nor an error".to_owned()),
            (r#"{"Policy": "no JSON"}"#, "the policy is not JSON".to_owned()),
        ] {
            let error = Err(format!("policy of a: {message}"));
            assert_eq!(listed(&[KEYS, A, answer, B, CLOSED]).await, (error, without_a.clone()));
        }
    }

    /// A permission of the caller can be granted, the policy of a key that AWS manages cannot be changed.
    #[tokio::test]
    async fn the_policy_of_a_key_that_aws_manages_may_be_unreadable() {
        let without_b = rows(&[&[ROW_A, ROW_B], &[ROW_A], &IS_OPEN]);
        assert_eq!(listed(&[KEYS, A, OPEN, B, BY_KEY]).await, (Ok(()), without_b.clone()));
        let (ended, rows) = listed(&[KEYS, A, OPEN, B, BY_IAM]).await;
        assert!(ended.expect_err("a missing permission").starts_with("policy of b: AccessDeniedException: User: u "));
        assert_eq!(rows, without_b);
    }
}
