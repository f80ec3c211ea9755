//! Grants: `ListGrants` for each key -> `(:AWSKMSGrant)`.
//!
//! A key may have 50,000 grants ("Resource quotas", AWS KMS Developer Guide), 100 on a page. Each page is passed on before
//! the key's next one is read.

use crate::shared::keys::{self, describe, is_denied_by_key, is_of_aws};
use aws_sdk_kms::{Client, operation::list_grants::ListGrantsOutput, types::GrantListEntry};
use collector::{
    CollectError, Collecting, Details, Edge, Listing, Node, Sink, Value, indexed, kms_key_id, one, paged, prop,
    seconds, unless_gone,
};
use futures::{
    StreamExt,
    stream::{self, BoxStream},
};

/// Grants. `KeyId` is the key's ARN. The key is found by its id: the replicas of a multi-Region key share it, and are one
/// node with the ARN of one of them.
pub(crate) static GRANT: Node<GrantListEntry> = Node {
    extra_labels: &["KMSGrant"],
    id: |it, _| it.grant_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("grant_id", |it, _| it.grant_id().into()),
        prop("name", |it, _| it.name().into()),
        prop("grantee_principal", |it, _| it.grantee_principal().into()),
        prop("creation_date", |it, _| seconds(it.creation_date())),
        prop("key_id", |it, _| it.key_id().into()),
        prop("issuing_account", |it, _| it.issuing_account().into()),
        prop("operations", |it, _| it.operations.as_deref().map(Value::texts).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::out("APPLIED_ON", "AWSKMSKey", "id", |it, _| one(it.key_id().and_then(kms_key_id))),
    ],
    ..Node::of("AWSKMSGrant")
};

/// Listing of all keys' grants.
pub(crate) const LISTING: Listing<Client> = Listing {
    name: "ListGrants",
    actions: &["kms:ListKeys", "kms:ListGrants", "kms:DescribeKey"],
    feeds: &[&GRANT],
    collect,
};

fn collect<'a>(kms: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let (mut pages, mut details) = (keys::pages(kms), Details::default());
        while let Some(page) = pages.next().await {
            let asked = stream::iter(keys::ids(page?)).map(|key| grants(kms.clone(), key));
            let mut answers = asked.flatten_unordered(keys::AT_ONCE);
            while let Some((key, grants)) = answers.next().await {
                if let Some(grants) = details.take(&key, grants)?.read() {
                    sink.emit_all(&GRANT, &grants).await?;
                }
            }
        }
        details.end()
    })
}

/// A page of a key's grants; `None` if the key was deleted, or AWS keeps its grants to itself.
type Page = Result<Option<Vec<GrantListEntry>>, CollectError>;

/// Pages of a key's grants, each with the key's id, up to the first error.
fn grants(kms: Client, key: String) -> BoxStream<'static, (String, Page)> {
    let pages = paged!(kms.list_grants().key_id(&key).limit(100), next_marker).into_stream();
    let read = move |page| {
        let (kms, key) = (kms.clone(), key.clone());
        async move {
            let page = match unless_gone(page) {
                Ok(page) => Ok(page.map(|page: ListGrantsOutput| page.grants.unwrap_or_default())),
                Err(error) => unless_kept_by_aws(&kms, &key, error).await,
            };
            (key, page)
        }
    };
    pages.then(read).boxed()
}

/// Turns a denial by the policy of a key that AWS manages into `None`: AWS wrote this policy, so no principal of the account
/// could ever list the grants, and the graph has none of them.
async fn unless_kept_by_aws(kms: &Client, key: &str, error: CollectError) -> Page {
    if !is_denied_by_key(&error) {
        return Err(error);
    }
    match describe(kms, key).await {
        Ok(Some(key)) if is_of_aws(&key) => Ok(None),
        _ => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::{GRANT, GrantListEntry, LISTING};
    use aws_sdk_kms::primitives::DateTime;
    use collector::testing::{node_ids, render, run_listing};
    use expect_test::expect;

    #[test]
    fn a_full_grant_leaves_nothing_null() {
        let grant = GrantListEntry::builder()
            .grant_id("grant-1")
            .name("volumes")
            .grantee_principal("arn:aws:iam::111111111111:role/app")
            .creation_date(DateTime::from_secs_f64(1_700_000_000.75))
            .key_id("arn:aws:kms:us-east-1:111111111111:key/1234abcd")
            .issuing_account("arn:aws:iam::111111111111:root")
            .operations("Decrypt".into())
            .operations("CreateGrant".into())
            .build();
        expect![[r#"
            (:AWSKMSGrant:KMSGrant {id: "grant-1"})
              grant_id (indexed) = "grant-1"
              name = "volumes"
              grantee_principal = "arn:aws:iam::111111111111:role/app"
              creation_date = 1700000000
              key_id = "arn:aws:kms:us-east-1:111111111111:key/1234abcd"
              issuing_account = "arn:aws:iam::111111111111:root"
              operations = ["Decrypt", "CreateGrant"]
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:APPLIED_ON]->(:AWSKMSKey {id: "1234abcd"})
        "#]]
        .assert_eq(&render(&GRANT, &grant, &[]));
    }

    const KEYS: &str = r#"{"Keys": [{"KeyId": "a"}, {"KeyId": "b"}]}"#;
    const ONE: &str = r#"{"Keys": [{"KeyId": "a"}]}"#;
    const OF_A: &str = r#"{"Grants": [{"GrantId": "1"}]}"#;
    const OF_B: &str = r#"{"Grants": [{"GrantId": "2"}, {"GrantId": "3"}]}"#;
    const BY_KEY: &str = "!AccessDeniedException because no resource-based policy allows the kms:ListGrants action";
    const BY_IAM: &str = "!AccessDeniedException because no identity-based policy allows the kms:ListGrants action";
    const OF_AWS: &str = r#"{"KeyMetadata": {"KeyId": "a", "KeyManager": "AWS"}}"#;
    const OF_CUSTOMER: &str = r#"{"KeyMetadata": {"KeyId": "a", "KeyManager": "CUSTOMER"}}"#;

    /// Result of the listing, and the grants that it writes.
    async fn listed(answers: &[&str]) -> (Result<(), String>, Vec<String>) {
        let (ended, batches) = run_listing(&crate::SERVICE, &LISTING, answers).await;
        (ended, node_ids(&batches).map(str::to_owned).collect())
    }

    fn ids(ids: &[&str]) -> Vec<String> {
        ids.iter().map(|&id| id.to_owned()).collect()
    }

    #[tokio::test]
    async fn all_pages_of_all_keys_are_read() {
        let first = r#"{"Grants": [{"GrantId": "1"}], "Truncated": true, "NextMarker": "more"}"#;
        let keys = r#"{"Keys": [{"KeyId": "a"}], "Truncated": true, "NextMarker": "more"}"#;
        let others = r#"{"Keys": [{"KeyId": "b"}]}"#;
        let all = listed(&[keys, first, r#"{"Grants": [{"GrantId": "9"}]}"#, others, OF_B]).await;
        assert_eq!(all, (Ok(()), ids(&["1", "9", "2", "3"])));
    }

    #[tokio::test]
    async fn a_repeated_marker_is_an_error_of_its_key() {
        let page = r#"{"Grants": [{"GrantId": "1"}], "Truncated": true, "NextMarker": "more"}"#;
        let (ended, rows) = listed(&[ONE, page, page]).await;
        assert!(ended.expect_err("an endless listing").starts_with("a: AWS returned the same page token twice"));
        assert_eq!(rows, ["1"]);
    }

    #[tokio::test]
    async fn a_key_that_is_gone_has_no_grants() {
        assert_eq!(listed(&[ONE, "!NotFoundException no such key"]).await, (Ok(()), vec![]));
    }

    #[tokio::test]
    async fn a_key_that_cannot_be_read_is_named_and_the_others_are_read() {
        let (ended, rows) = listed(&[KEYS, BY_IAM, OF_B]).await;
        assert!(ended.expect_err("a denial").starts_with("a: AccessDeniedException: because no identity"));
        assert_eq!(rows, ["2", "3"]);
        let (ended, rows) = listed(&[KEYS, OF_A, "!KMSInvalidStateException no"]).await;
        assert_eq!((ended, rows), (Err("b: KMSInvalidStateException: no".to_owned()), ids(&["1"])));
    }

    #[tokio::test]
    async fn only_keys_that_aws_manages_may_keep_their_grants_to_themselves() {
        assert_eq!(listed(&[ONE, BY_KEY, OF_AWS]).await, (Ok(()), vec![]));
        for described in [OF_CUSTOMER, "!AccessDeniedException no", "!NotFoundException no such key"] {
            let (ended, rows) = listed(&[ONE, BY_KEY, described]).await;
            assert!(ended.expect_err("a denial").starts_with("a: AccessDeniedException: because no resource"));
            assert_eq!(rows, [""; 0]);
        }
    }
}
