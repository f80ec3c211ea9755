//! Topics: `ListTopics`, then `GetTopicAttributes` for each -> `(:AWSSNSTopic)`.
//!
//! A topic's policy may deny the account access to its attributes. Such a topic has a row with its ARN and name, and keeps
//! its known attributes.

use aws_sdk_sns::{Client, types::Topic};
use collector::{
    CollectError, Collecting, Detail, Details, Edge, Listing, Node, Sink, Value, indexed, paged, prop, unless_gone,
};
use futures::{StreamExt, stream};
use std::collections::HashMap;

const LABEL: &str = "AWSSNSTopic";
const EXTRA_LABELS: &[&str] = &["SNSTopic"];
/// Limit of concurrent calls about topics. The limiter enforces AWS's quotas.
const AT_ONCE: usize = 16;

/// Topics as `ListTopics` knows them.
pub(crate) static TOPIC: Node<Topic> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| it.topic_arn().unwrap_or_default().to_owned(),
    props: &[
        indexed("arn", |it, _| it.topic_arn().into()),
        prop("name", |it, _| it.topic_arn().and_then(|arn| arn.rsplit(':').next()).into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[Edge::account()],
    ..Node::of(LABEL)
};

/// Attributes of a topic.
#[derive(Debug, Clone)]
pub(crate) struct Attributes {
    topic: String,
    values: HashMap<String, String>,
}

impl Attributes {
    /// Text of an attribute; empty if the topic has none.
    fn text(&self, name: &str) -> Value {
        self.values.get(name).map_or("", String::as_str).into()
    }

    /// Number of an attribute; 0 if the topic has none.
    fn number(&self, name: &str) -> Value {
        self.values.get(name).map_or(Some(0), |text| text.parse::<i64>().ok()).into()
    }
}

/// Topics with their attributes.
pub(crate) static ATTRIBUTES: Node<Attributes> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| it.topic.clone(),
    props: &[
        prop("displayname", |it, _| it.text("DisplayName")),
        prop("owner", |it, _| it.text("Owner")),
        prop("subscriptionspending", |it, _| it.number("SubscriptionsPending")),
        prop("subscriptionsconfirmed", |it, _| it.number("SubscriptionsConfirmed")),
        prop("subscriptionsdeleted", |it, _| it.number("SubscriptionsDeleted")),
        prop("deliverypolicy", |it, _| it.text("DeliveryPolicy")),
        prop("effectivedeliverypolicy", |it, _| it.text("EffectiveDeliveryPolicy")),
        prop("kmsmasterkeyid", |it, _| it.text("KmsMasterKeyId")),
    ],
    ..Node::of(LABEL)
};

/// Listing of topics and their attributes.
pub(crate) const LISTING: Listing<Client> = Listing {
    name: "ListTopics",
    actions: &["sns:ListTopics", "sns:GetTopicAttributes"],
    feeds: &[&TOPIC, &ATTRIBUTES],
    collect,
};

fn collect<'a>(sns: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let (mut pages, mut details) = (paged!(sns.list_topics(), next_token), Details::default());
        while let Some(page) = pages.next().await {
            let asked = stream::iter(page?.topics.into_iter().flatten()).map(|topic| asked(sns.clone(), topic));
            let mut answers = asked.buffered(AT_ONCE);
            while let Some((topic, attributes)) = answers.next().await {
                let item = format!("attributes of {}", topic.topic_arn().unwrap_or_default());
                match details.take(&item, attributes)? {
                    Detail::Gone => {}
                    Detail::Failed => sink.emit(&TOPIC, &topic).await?,
                    Detail::Read(attributes) => {
                        sink.emit(&TOPIC, &topic).await?;
                        sink.emit(&ATTRIBUTES, &attributes).await?;
                    }
                }
            }
        }
        details.end()
    })
}

/// A topic with its attributes; `Ok(None)` if it was deleted meanwhile.
async fn asked(sns: Client, topic: Topic) -> (Topic, Result<Option<Attributes>, CollectError>) {
    let attributes = attributes(&sns, topic.topic_arn().unwrap_or_default()).await;
    (topic, attributes)
}

async fn attributes(sns: &Client, topic: &str) -> Result<Option<Attributes>, CollectError> {
    let Some(answer) = unless_gone(sns.get_topic_attributes().topic_arn(topic).send().await)? else { return Ok(None) };
    let values = answer.attributes.ok_or_else(|| CollectError::without("attributes"))?;
    Ok(Some(Attributes { topic: topic.to_owned(), values }))
}

#[cfg(test)]
mod tests {
    use super::{ATTRIBUTES, Attributes, HashMap, LISTING, TOPIC, Topic};
    use collector::testing::{render, render_batches, run_listing};
    use expect_test::expect;

    const ARN: &str = "arn:aws:sns:us-east-1:111111111111:orders.fifo";

    #[test]
    fn a_full_topic_leaves_nothing_null() {
        expect![[r#"
            (:AWSSNSTopic:SNSTopic {id: "arn:aws:sns:us-east-1:111111111111:orders.fifo"})
              arn (indexed) = "arn:aws:sns:us-east-1:111111111111:orders.fifo"
              name = "orders.fifo"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&TOPIC, &Topic::builder().topic_arn(ARN).build(), &[]));
    }

    fn with(values: &[(&str, &str)]) -> String {
        let values: HashMap<_, _> = values.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect();
        render(&ATTRIBUTES, &Attributes { topic: ARN.into(), values }, &[])
    }

    #[test]
    fn full_attributes_leave_nothing_null() {
        expect![[r#"
            (:AWSSNSTopic:SNSTopic {id: "arn:aws:sns:us-east-1:111111111111:orders.fifo"})
              displayname = "Bestellungen für alle"
              owner = "111111111111"
              subscriptionspending = 1
              subscriptionsconfirmed = 2
              subscriptionsdeleted = 3
              deliverypolicy = "{\"http\":{}}"
              effectivedeliverypolicy = "{\"http\":{\"disableSubscriptionOverrides\":false}}"
              kmsmasterkeyid = "alias/aws/sns"
        "#]]
        .assert_eq(&with(&[
            ("DisplayName", "Bestellungen für alle"),
            ("Owner", "111111111111"),
            ("SubscriptionsPending", "1"),
            ("SubscriptionsConfirmed", "2"),
            ("SubscriptionsDeleted", "3"),
            ("DeliveryPolicy", r#"{"http":{}}"#),
            ("EffectiveDeliveryPolicy", r#"{"http":{"disableSubscriptionOverrides":false}}"#),
            ("KmsMasterKeyId", "alias/aws/sns"),
        ]));
    }

    #[test]
    fn attributes_that_a_topic_does_not_have_are_empty() {
        let plain = with(&[("Owner", "111111111111")]);
        assert!(plain.contains(r#"kmsmasterkeyid = """#) && plain.contains("subscriptionspending = 0"), "{plain}");
    }

    const TOPICS: &str =
        "<Topics><member><TopicArn>a</TopicArn></member><member><TopicArn>b</TopicArn></member></Topics>";
    const OWNED: &str = "<Attributes><entry><key>Owner</key><value>1</value></entry></Attributes>";

    /// Result of the listing, and its rows: ids with their owner, where it is known.
    async fn listed(answers: &[&str]) -> (Result<(), String>, Vec<String>) {
        let (ended, batches) = run_listing(&crate::SERVICE, &LISTING, answers).await;
        let rows = render_batches(&batches);
        let told = rows.lines().filter(|line| line.starts_with("(:AWSSNSTopic:") || line.contains("owner"));
        let told = told.map(|line| line.replace("AWSSNSTopic:SNSTopic", "").trim().to_owned());
        (ended, told.collect())
    }

    const A: &str = r#"(: {id: "a"})"#;
    const B: &str = r#"(: {id: "b"})"#;
    const OWNER: &str = r#"owner = "1""#;

    fn rows(rows: &[&str]) -> Vec<String> {
        rows.iter().map(|&row| row.to_owned()).collect()
    }

    #[tokio::test]
    async fn a_topic_that_is_gone_has_no_row() {
        let gone = "!NotFound Topic does not exist";
        assert_eq!(listed(&[TOPICS, gone, OWNED]).await, (Ok(()), rows(&[B, B, OWNER])));
    }

    #[tokio::test]
    async fn a_topic_that_is_denied_has_its_other_properties() {
        let denied = "!AuthorizationError User: u is not authorized to perform: SNS:GetTopicAttributes";
        let (ended, told) = listed(&[TOPICS, denied, OWNED]).await;
        assert!(ended.expect_err("it is denied").starts_with("attributes of a: AuthorizationError: User: u "));
        assert_eq!(told, rows(&[A, B, B, OWNER]));
        let (ended, told) = listed(&[TOPICS, "", OWNED]).await;
        assert_eq!(ended, Err("attributes of a: AWS returned neither attributes nor an error".to_owned()));
        assert_eq!(told, rows(&[A, B, B, OWNER]));
    }
}
