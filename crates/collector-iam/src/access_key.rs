//! Access keys: `ListAccessKeys` and `GetAccessKeyLastUsed` for each user -> `(:AWSAccountAccessKey)`.

use crate::{Iam, principals::name};
use aws_sdk_iam::{
    Client,
    operation::get_access_key_last_used::GetAccessKeyLastUsedOutput,
    types::{AccessKeyLastUsed, AccessKeyMetadata},
};
use collector::{
    CollectError, Collecting, Details, Edge, Listing, Node, Sink, Value, copied, indexed, one, paged, prop, unless_gone,
};
use events::FailureClass;
use futures::{StreamExt, stream};

/// An access key of a user.
#[derive(Debug, Clone)]
pub(crate) struct AccessKey {
    /// Result of `ListAccessKeys`.
    pub(crate) metadata: AccessKeyMetadata,
    /// Result of `GetAccessKeyLastUsed`.
    pub(crate) last_used: AccessKeyLastUsed,
    /// ARN of its user.
    pub(crate) user_arn: String,
}

/// Access keys, without their secrets.
pub(crate) static ACCESS_KEY: Node<AccessKey> = Node {
    extra_labels: &["AccountAccessKey", "APIKey"],
    id: |it, _| it.metadata.access_key_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("accesskeyid", |it, _| it.metadata.access_key_id().into()),
        prop("createdate", |it, _| it.metadata.create_date().map(Value::spelled).into()),
        prop("createdate_dt", |it, _| it.metadata.create_date().into()),
        prop("status", |it, _| Value::text(it.metadata.status())),
        // `None` in Python: Cartography writes this text as the missing date of a key that was never used.
        prop("lastuseddate", |it, _| it.last_used.last_used_date().map_or_else(|| "None".into(), Value::spelled)),
        prop("lastuseddate_dt", |it, _| it.last_used.last_used_date().into()),
        prop("lastusedservice", |it, _| it.last_used.service_name().into()),
        prop("lastusedregion", |it, _| it.last_used.region().into()),
    ],
    ontology: &[
        copied("_ont_name", "accesskeyid"),
        copied("_ont_created_at", "createdate"),
        copied("_ont_last_used_at", "lastuseddate"),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("AWS_ACCESS_KEY", "AWSUser", "id", |it, _| one(Some(&it.user_arn))),
        Edge::out("OWNED_BY", "AWSUser", "id", |it, _| one(Some(&it.user_arn))),
    ],
    ..Node::of("AWSAccountAccessKey")
};

/// Listing of all users' keys.
pub(crate) const LISTING: Listing<Iam> = Listing {
    name: "ListAccessKeys",
    actions: &["iam:GetAccountAuthorizationDetails", "iam:ListAccessKeys", "iam:GetAccessKeyLastUsed"],
    feeds: &[&ACCESS_KEY],
    collect,
};

fn collect<'a>(iam: &'a Iam, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let users = iam.principals().await?.users.clone();
        let asked = stream::iter(users).map(|user| asked(iam.sdk.clone(), user));
        let (mut answers, mut details) = (asked.buffer_unordered(Iam::AT_ONCE), Details::default());
        while let Some((keys, user)) = answers.next().await {
            for (id, key) in details.take(&user, keys.map(Some))?.read().unwrap_or_default() {
                if let Some(key) = details.take(&format!("{id} of {user}"), key)?.read() {
                    sink.emit(&ACCESS_KEY, &key).await?;
                }
            }
        }
        details.end()
    })
}

/// Keys by id; `None` is a deleted key.
type Keys = Vec<(String, Result<Option<AccessKey>, CollectError>)>;

async fn asked(iam: Client, user_arn: String) -> (Result<Keys, CollectError>, String) {
    (keys(&iam, &user_arn).await, user_arn)
}

/// Lists the keys of a user; empty if the user was deleted.
async fn keys(iam: &Client, user_arn: &str) -> Result<Keys, CollectError> {
    let mut keys = Vec::new();
    let mut pages = paged!(iam.list_access_keys().user_name(name(user_arn)).max_items(1000), marker);
    while let Some(page) = pages.next().await {
        let Some(page) = unless_gone(page)? else { break };
        for metadata in page.access_key_metadata {
            keys.push((metadata.access_key_id().unwrap_or_default().to_owned(), key(iam, user_arn, metadata).await));
        }
    }
    Ok(keys)
}

/// Reads the last use of a key. Returns `None` if the key was deleted.
async fn key(iam: &Client, user_arn: &str, metadata: AccessKeyMetadata) -> Result<Option<AccessKey>, CollectError> {
    let Some(answer) = last_used(iam, user_arn, &metadata).await? else { return Ok(None) };
    let without = || CollectError::internal("GetAccessKeyLastUsed returned no last use");
    let last_used = answer.access_key_last_used.ok_or_else(without)?;
    Ok(Some(AccessKey { metadata, last_used, user_arn: user_arn.to_owned() }))
}

/// Calls `GetAccessKeyLastUsed`. Returns `None` if the key was deleted. AWS may also return AccessDenied then, because
/// it does not distinguish deleted keys from keys of other accounts.
async fn last_used(
    iam: &Client,
    user_arn: &str,
    key: &AccessKeyMetadata,
) -> Result<Option<GetAccessKeyLastUsedOutput>, CollectError> {
    let answer = unless_gone(iam.get_access_key_last_used().set_access_key_id(key.access_key_id.clone()).send().await);
    match answer {
        Err(denied) if denied.class == FailureClass::AccessDenied => {
            let mut pages = paged!(iam.list_access_keys().user_name(name(user_arn)).max_items(1000), marker);
            while let Some(page) = pages.next().await {
                let Some(page) = unless_gone(page)? else { return Ok(None) };
                if page.access_key_metadata.iter().any(|it| it.access_key_id == key.access_key_id) {
                    return Err(denied);
                }
            }
            Ok(None)
        }
        answer => answer,
    }
}

#[cfg(test)]
mod tests {
    use super::{ACCESS_KEY, AccessKey, AccessKeyLastUsed, AccessKeyMetadata, LISTING};
    use crate::testing::time;
    use aws_sdk_iam::types::builders::AccessKeyLastUsedBuilder;
    use collector::testing::{node_ids, render, run_listing};
    use expect_test::expect;

    fn key(last_used: AccessKeyLastUsedBuilder) -> AccessKey {
        let metadata = AccessKeyMetadata::builder().access_key_id("AKIA1").create_date(time()).status("Active".into());
        let user_arn = "arn:aws:iam::111111111111:user/people/alice".into();
        AccessKey { metadata: metadata.build(), last_used: last_used.build().expect("full"), user_arn }
    }

    #[test]
    fn a_full_key_leaves_nothing_null() {
        let used = AccessKeyLastUsed::builder().last_used_date(time()).service_name("s3").region("us-east-1");
        expect![[r#"
            (:AWSAccountAccessKey:AccountAccessKey:APIKey {id: "AKIA1"})
              accesskeyid (indexed) = "AKIA1"
              createdate = "2024-05-01 01:02:03+00:00"
              createdate_dt = time(1714525323000000)
              status = "Active"
              lastuseddate = "2024-05-01 01:02:03+00:00"
              lastuseddate_dt = time(1714525323000000)
              lastusedservice = "s3"
              lastusedregion = "us-east-1"
              _ont_name (indexed) = "AKIA1"
              _ont_created_at (indexed) = "2024-05-01 01:02:03+00:00"
              _ont_last_used_at (indexed) = "2024-05-01 01:02:03+00:00"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:AWS_ACCESS_KEY]-(:AWSUser {id: "arn:aws:iam::111111111111:user/people/alice"})
              -[:OWNED_BY]->(:AWSUser {id: "arn:aws:iam::111111111111:user/people/alice"})
        "#]]
        .assert_eq(&render(&ACCESS_KEY, &key(used), &[]));
    }

    #[test]
    fn a_key_never_used_says_none() {
        let unused = AccessKeyLastUsed::builder().service_name("N/A").region("N/A");
        let text = render(&ACCESS_KEY, &key(unused), &["lastuseddate_dt"]);
        assert!(text.contains("lastuseddate = \"None\"\n"), "{text}");
        assert!(text.contains("lastuseddate_dt = null\n"), "{text}");
    }

    const USERS: &str =
        "<UserDetailList><member><Arn>arn:aws:iam::111111111111:user/alice</Arn></member></UserDetailList>";
    const KEYS: &str = "<AccessKeyMetadata><member><AccessKeyId>AKIA1</AccessKeyId></member>\
                        <member><AccessKeyId>AKIA2</AccessKeyId></member></AccessKeyMetadata>";
    const SECOND: &str = "<AccessKeyMetadata><member><AccessKeyId>AKIA2</AccessKeyId></member></AccessKeyMetadata>";
    const USED: &str = "<AccessKeyLastUsed><ServiceName>s3</ServiceName><Region>us-east-1</Region></AccessKeyLastUsed>";

    /// Result of the listing, and the keys that it writes.
    async fn listed(answers: &[&str]) -> (Result<(), String>, Vec<String>) {
        let (ended, batches) = run_listing(&crate::SERVICE, &LISTING, answers).await;
        (ended, node_ids(&batches).map(str::to_owned).collect())
    }

    /// AWS returns the same error for a deleted key and for one of another account.
    #[tokio::test]
    async fn a_key_that_is_denied_is_gone_if_its_user_does_not_have_it_any_more() {
        let answers = [USERS, KEYS, "!AccessDenied no", SECOND, USED];
        assert_eq!(listed(&answers).await, (Ok(()), vec!["AKIA2".to_owned()]));
        let answers = [USERS, KEYS, "!AccessDenied no", "!NoSuchEntity the user is gone", USED];
        assert_eq!(listed(&answers).await, (Ok(()), vec!["AKIA2".to_owned()]));
    }

    #[tokio::test]
    async fn a_key_that_cannot_be_read_is_named_and_the_others_are_read() {
        let error = |message: &str| Err(format!("AKIA1 of arn:aws:iam::111111111111:user/alice: {message}"));
        let answers = [USERS, KEYS, "!AccessDenied no", KEYS, USED];
        assert_eq!(listed(&answers).await, (error("AccessDenied: no"), vec!["AKIA2".to_owned()]));
        let answers = [USERS, KEYS, "!InternalError no", USED];
        assert_eq!(listed(&answers).await, (error("InternalError: no"), vec!["AKIA2".to_owned()]));
    }
}
