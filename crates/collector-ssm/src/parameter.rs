//! Parameters: `DescribeParameters` -> `(:AWSSSMParameter)`. This call returns no value of a parameter.

use crate::{
    aliases::{Aliases, is_alias},
    clients::Clients,
};
use aws_sdk_ssm::types::{ParameterInlinePolicy, ParameterMetadata, ParameterType};
use collector::{
    Collecting, Details, Edge, Json, Listing, Node, Place, Prop, Sink, Value, When, copied, indexed, kms_key_id, one,
    paged, prop, seconds,
};

/// A parameter, with the id of its key.
#[derive(Debug, Clone)]
pub(crate) struct Parameter {
    metadata: ParameterMetadata,
    key: Option<String>,
}

/// Parameters of the account. Those that other accounts share with it are not listed.
pub(crate) static PARAMETER: Node<Parameter> = Node {
    extra_labels: &["SSMParameter"],
    labels_when: &[When { label: "Secret", holds: |it| it.metadata.r#type() == Some(&ParameterType::SecureString) }],
    id: |it, _| it.metadata.arn().unwrap_or_default().to_owned(),
    props: PROPS,
    ontology: &[copied("_ont_name", "name"), copied("_ont_updated_at", "lastmodifieddate")],
    edges: &[Edge::account(), Edge::out("ENCRYPTED_BY", "AWSKMSKey", "id", |it, _| one(it.key.as_ref()))],
    ..Node::of("AWSSSMParameter")
};

const PROPS: &[Prop<Parameter>] = &[
    indexed("arn", |it, _| it.metadata.arn().into()),
    prop("name", |it, _| it.metadata.name().into()),
    // `DescribeParameters` returns none; Cartography has the property.
    prop("value", |_, _| Value::Null),
    prop("description", |it, _| it.metadata.description().into()),
    prop("type", |it, _| Value::text(it.metadata.r#type())),
    prop("keyid", |it, _| it.metadata.key_id().into()),
    prop("kms_key_id_short", |it, _| it.metadata.key_id().and_then(kms_key_id).into()),
    prop("version", |it, _| it.metadata.version().into()),
    prop("lastmodifieddate", |it, _| seconds(it.metadata.last_modified_date())),
    prop("tier", |it, _| Value::text(it.metadata.tier())),
    prop("lastmodifieduser", |it, _| it.metadata.last_modified_user().into()),
    prop("datatype", |it, _| it.metadata.data_type().into()),
    prop("allowedpattern", |it, _| it.metadata.allowed_pattern().into()),
    prop("policies_json", |it, _| policies(it.metadata.policies()).to_string().into()),
    prop("region", |_, place| (&place.region).into()),
];

fn policies(policies: &[ParameterInlinePolicy]) -> Json {
    let policy = |it: &ParameterInlinePolicy| {
        let fields =
            [("PolicyText", it.policy_text()), ("PolicyType", it.policy_type()), ("PolicyStatus", it.policy_status())];
        let present =
            fields.into_iter().filter_map(|(name, text)| Some((name.to_owned(), Json::String(text?.to_owned()))));
        Json::Object(present.collect())
    };
    Json::List(policies.iter().map(policy).collect())
}

/// Listing of parameters.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeParameters",
    actions: &["ssm:DescribeParameters", "kms:ListAliases"],
    feeds: &[&PARAMETER],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(clients.ssm.describe_parameters().max_results(50), next_token);
        let (mut details, mut aliases) = (Details::default(), None);
        while let Some(page) = pages.next().await {
            let page = page?.parameters.unwrap_or_default();
            if aliases.is_none() && page.iter().filter_map(ParameterMetadata::key_id).any(is_alias) {
                let read = Aliases::read(&clients.kms).await.map(Some);
                aliases = Some(details.take("aliases of keys", read)?.read().unwrap_or_default());
            }
            for metadata in page {
                let key =
                    metadata.key_id().and_then(|key| key_of(key, aliases.as_ref(), sink.place())).map(str::to_owned);
                sink.emit(&PARAMETER, &Parameter { metadata, key }).await?;
            }
        }
        details.end()
    })
}

/// Id of the key that `key`, the id, ARN or alias of a key, names.
fn key_of<'a>(key: &'a str, aliases: Option<&'a Aliases>, place: &Place) -> Option<&'a str> {
    kms_key_id(key).or_else(|| aliases?.key_id(key, place))
}

#[cfg(test)]
mod tests {
    use super::{LISTING, PARAMETER, Parameter, ParameterInlinePolicy, ParameterMetadata, ParameterType};
    use aws_sdk_ssm::{primitives::DateTime, types::ParameterTier};
    use collector::{
        Sink,
        testing::{Canned, place, render, render_batches},
    };
    use expect_test::expect;

    #[test]
    fn a_full_parameter_leaves_nothing_null() {
        let policy = ParameterInlinePolicy::builder()
            .policy_text(r#"{"Type":"Expiration"}"#)
            .policy_type("Expiration")
            .policy_status("Pending");
        let metadata = ParameterMetadata::builder()
            .arn("arn:aws:ssm:us-east-1:111111111111:parameter/orders/password")
            .name("/orders/password")
            .description("password of the orders")
            .r#type(ParameterType::SecureString)
            .key_id("arn:aws:kms:us-east-1:111111111111:key/1234abcd")
            .version(7)
            .last_modified_date(DateTime::from_secs_f64(1_700_000_000.75))
            .tier(ParameterTier::Advanced)
            .last_modified_user("arn:aws:iam::111111111111:user/alice")
            .data_type("text")
            .allowed_pattern("^.{8,}$")
            .policies(policy.build())
            .build();
        let parameter = Parameter { metadata, key: Some("1234abcd".to_owned()) };
        expect![[r#"
            (:AWSSSMParameter:SSMParameter:Secret {id: "arn:aws:ssm:us-east-1:111111111111:parameter/orders/password"})
              arn (indexed) = "arn:aws:ssm:us-east-1:111111111111:parameter/orders/password"
              name = "/orders/password"
              value = null
              description = "password of the orders"
              type = "SecureString"
              keyid = "arn:aws:kms:us-east-1:111111111111:key/1234abcd"
              kms_key_id_short = "1234abcd"
              version = 7
              lastmodifieddate = 1700000000
              tier = "Advanced"
              lastmodifieduser = "arn:aws:iam::111111111111:user/alice"
              datatype = "text"
              allowedpattern = "^.{8,}$"
              policies_json = "[{\"PolicyText\": \"{\\\"Type\\\":\\\"Expiration\\\"}\", \"PolicyType\": \"Expiration\", \"PolicyStatus\": \"Pending\"}]"
              region = "us-east-1"
              _ont_name (indexed) = "/orders/password"
              _ont_updated_at (indexed) = 1700000000
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ENCRYPTED_BY]->(:AWSKMSKey {id: "1234abcd"})
        "#]].assert_eq(&render(&PARAMETER, &parameter, &["value"]));
    }

    const PAGE: &str = r#"{"Parameters": [
        {"ARN": "plain", "Type": "String"}, {"ARN": "default", "Type": "SecureString", "KeyId": "alias/aws/ssm"},
        {"ARN": "own", "Type": "SecureString", "KeyId": "1234abcd"}], "NextToken": "more"}"#;
    const LAST: &str = r#"{"Parameters": [{"ARN": "again", "Type": "SecureString", "KeyId": "alias/aws/ssm"}]}"#;
    const ALIASES: &str = r#"{"Aliases": [
        {"AliasArn": "arn:aws:kms:us-east-1:111111111111:alias/aws/ssm", "TargetKeyId": "5678efab"}]}"#;

    /// Result of the listing, its calls, and its nodes with their labels and keys.
    async fn listed(answers: &[&str]) -> (Result<(), String>, Vec<String>, Vec<String>) {
        let server = Canned::answering(answers);
        let mut sink = Sink::to_memory(place());
        let ended = (LISTING.collect)(&(crate::SERVICE.connect)(&server.connection()), &mut sink).await;
        let calls = server.requests().into_iter().map(|request| request.operation).collect();
        let rows = render_batches(&sink.into_batches().await.expect("in memory"));
        let telling = rows.lines().filter(|line| !line.starts_with(' ') && !line.contains("RESOURCE"));
        (ended.map_err(|error| error.message), calls, telling.map(str::to_owned).collect())
    }

    #[tokio::test]
    async fn aliases_are_read_once_and_only_for_parameters_that_name_one() {
        let (ended, calls, rows) = listed(&[PAGE, ALIASES, LAST]).await;
        assert_eq!(
            (ended, calls),
            (Ok(()), ["DescribeParameters", "ListAliases", "DescribeParameters"].map(str::to_owned).into())
        );
        expect![[r#"
            (:AWSSSMParameter:SSMParameter {id: "plain"}) !Secret
            (:AWSSSMParameter:SSMParameter:Secret {id: "default"})
            (:AWSSSMParameter:SSMParameter:Secret {id: "own"})
            (:AWSSSMParameter:SSMParameter:Secret {id: "again"})
            (:AWSSSMParameter {id: "default"})-[:ENCRYPTED_BY]->(:AWSKMSKey {id: "5678efab"})
            (:AWSSSMParameter {id: "own"})-[:ENCRYPTED_BY]->(:AWSKMSKey {id: "1234abcd"})
            (:AWSSSMParameter {id: "again"})-[:ENCRYPTED_BY]->(:AWSKMSKey {id: "5678efab"})"#]]
        .assert_eq(&rows.join("\n"));
        let plain = r#"{"Parameters": [{"ARN": "plain", "Type": "String"}]}"#;
        assert_eq!(listed(&[plain]).await.1, ["DescribeParameters"]);
    }

    #[tokio::test]
    async fn without_aliases_parameters_are_listed_and_the_error_is_named() {
        let (ended, calls, rows) = listed(&[PAGE, "!AccessDeniedException no", LAST]).await;
        assert_eq!((ended, calls.len()), (Err("aliases of keys: AccessDeniedException: no".to_owned()), 3));
        assert_eq!(rows.iter().filter(|row| row.contains("AWSSSMParameter")).count(), 5, "{rows:?}");
    }
}
