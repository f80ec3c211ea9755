//! Queues: `ListQueues`, then `GetQueueAttributes` for each -> `(:AWSSQSQueue)`.
//!
//! A queue's policy may deny the account access to its attributes. Such a queue is named in the error. It has a row with
//! the parts of its URL, and keeps its known properties.

use crate::redrive_policy::{self, RedrivePolicy};
use aws_sdk_sqs::{Client, types::QueueAttributeName as Name};
use collector::{
    CollectError, Collecting, Detail, Details, Edge, Listing, Node, Prop, Sink, Value, indexed, one, paged, prop,
    unless_gone,
};
use events::FailureClass;
use futures::{StreamExt, stream};
use std::collections::HashMap;

/// Limit of concurrent calls about queues. The limiter enforces AWS's quotas.
const AT_ONCE: usize = 16;

/// A queue with its attributes, all of which SQS returns as texts.
#[derive(Debug, Clone)]
pub(crate) struct Queue {
    arn: String,
    url: String,
    attributes: HashMap<Name, String>,
    redrive: RedrivePolicy,
}

impl Queue {
    fn text(&self, name: &Name) -> Value {
        self.attributes.get(name).into()
    }

    /// Seconds since the Unix epoch.
    fn time(&self, name: &Name) -> Value {
        self.attributes.get(name).and_then(|text| text.parse::<i64>().ok()).into()
    }
}

const LABEL: &str = "AWSSQSQueue";
const EXTRA_LABELS: &[&str] = &["SQSQueue"];

/// Queues whose attributes cannot be read, by their URL: `https://<endpoint>/<account>/<name>`.
pub(crate) static UNREADABLE: Node<String> = Node {
    extra_labels: EXTRA_LABELS,
    id: |url, place| place.arn("sqs", name(url).unwrap_or_default()),
    props: &[
        indexed("arn", |url, place| name(url).map(|name| place.arn("sqs", name)).into()),
        prop("name", |url, _| name(url).into()),
        prop("url", |url, _| url.into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[Edge::account()],
    ..Node::of(LABEL)
};

/// Name of a queue from its URL.
fn name(url: &str) -> Option<&str> {
    let (rest, name) = url.rsplit_once('/')?;
    let (_, account) = rest.rsplit_once('/')?;
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    (is_account && !name.is_empty()).then_some(name)
}

/// Queues. Numbers and booleans are texts, as in Cartography.
pub(crate) static QUEUE: Node<Queue> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| it.arn.clone(),
    props: PROPS,
    edges: &[
        Edge::account(),
        Edge::out("HAS_DEADLETTER_QUEUE", "AWSSQSQueue", "id", |it, _| one(it.redrive.target.as_ref())),
    ],
    ..Node::of(LABEL)
};

const PROPS: &[Prop<Queue>] = &[
    indexed("arn", |it, _| (&it.arn).into()),
    prop("name", |it, _| it.arn.rsplit(':').next().into()),
    prop("url", |it, _| (&it.url).into()),
    prop("created_timestamp", |it, _| it.time(&Name::CreatedTimestamp)),
    prop("delay_seconds", |it, _| it.text(&Name::DelaySeconds)),
    prop("last_modified_timestamp", |it, _| it.time(&Name::LastModifiedTimestamp)),
    prop("maximum_message_size", |it, _| it.text(&Name::MaximumMessageSize)),
    prop("message_retention_period", |it, _| it.text(&Name::MessageRetentionPeriod)),
    prop("policy", |it, _| it.text(&Name::Policy)),
    prop("receive_message_wait_time_seconds", |it, _| it.text(&Name::ReceiveMessageWaitTimeSeconds)),
    prop("redrive_policy_dead_letter_target_arn", |it, _| it.redrive.target.as_ref().into()),
    prop("redrive_policy_max_receive_count", |it, _| it.redrive.receives.clone()),
    prop("visibility_timeout", |it, _| it.text(&Name::VisibilityTimeout)),
    prop("kms_master_key_id", |it, _| it.text(&Name::KmsMasterKeyId)),
    prop("kms_data_key_reuse_period_seconds", |it, _| it.text(&Name::KmsDataKeyReusePeriodSeconds)),
    prop("fifo_queue", |it, _| it.text(&Name::FifoQueue)),
    prop("content_based_deduplication", |it, _| it.text(&Name::ContentBasedDeduplication)),
    prop("deduplication_scope", |it, _| it.text(&Name::DeduplicationScope)),
    prop("fifo_throughput_limit", |it, _| it.text(&Name::FifoThroughputLimit)),
    prop("region", |_, place| (&place.region).into()),
];

/// Listing of queues and their attributes.
pub(crate) const LISTING: Listing<Client> = Listing {
    name: "ListQueues",
    actions: &["sqs:ListQueues", "sqs:GetQueueAttributes"],
    feeds: &[&QUEUE, &UNREADABLE],
    collect,
};

fn collect<'a>(sqs: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        // Without a page size, SQS returns at most 1,000 queues and no token (Amazon SQS API Reference, `ListQueues`).
        let (mut pages, mut details) = (paged!(sqs.list_queues().max_results(1000), next_token), Details::default());
        while let Some(page) = pages.next().await {
            let asked = stream::iter(page?.queue_urls.into_iter().flatten()).map(|url| asked(sqs.clone(), url));
            let mut answers = asked.buffered(AT_ONCE);
            while let Some((url, queue)) = answers.next().await {
                match details.take(&url, queue)? {
                    Detail::Read(queue) => sink.emit(&QUEUE, &queue).await?,
                    Detail::Failed if name(&url).is_some() => sink.emit(&UNREADABLE, &url).await?,
                    Detail::Failed | Detail::Gone => {}
                }
            }
        }
        details.end()
    })
}

/// The queue of a URL; `Ok(None)` if it was deleted meanwhile.
async fn asked(sqs: Client, url: String) -> (String, Result<Option<Queue>, CollectError>) {
    let queue = queue(&sqs, &url).await;
    (url, queue)
}

async fn queue(sqs: &Client, url: &str) -> Result<Option<Queue>, CollectError> {
    let answer = sqs.get_queue_attributes().queue_url(url).attribute_names(Name::All).send().await;
    let Some(answer) = unless_gone(answer)? else { return Ok(None) };
    let attributes = answer.attributes.unwrap_or_default();
    let arn = attributes.get(&Name::QueueArn).cloned().ok_or_else(|| CollectError::without("an ARN"))?;
    let redrive = attributes.get(&Name::RedrivePolicy).map_or("", String::as_str);
    let redrive =
        redrive_policy::parse(redrive).map_err(|error| CollectError::new(FailureClass::Service, error.to_string()))?;
    Ok(Some(Queue { arn, url: url.to_owned(), attributes, redrive }))
}

#[cfg(test)]
mod tests {
    use super::{HashMap, LISTING, Name, QUEUE, Queue, UNREADABLE, name, redrive_policy};
    use collector::testing::{node_ids, render, run_listing};
    use expect_test::expect;

    const REDRIVE: &str =
        r#"{"deadLetterTargetArn":"arn:aws:sqs:us-east-1:111111111111:dead.fifo","maxReceiveCount":5}"#;

    #[test]
    fn a_full_queue_leaves_nothing_null() {
        let attributes: HashMap<Name, String> = [
            (Name::CreatedTimestamp, "1700000000"),
            (Name::DelaySeconds, "0"),
            (Name::LastModifiedTimestamp, "1710000000"),
            (Name::MaximumMessageSize, "262144"),
            (Name::MessageRetentionPeriod, "345600"),
            (Name::Policy, r#"{"Statement":[]}"#),
            (Name::ReceiveMessageWaitTimeSeconds, "20"),
            (Name::VisibilityTimeout, "30"),
            (Name::KmsMasterKeyId, "alias/aws/sqs"),
            (Name::KmsDataKeyReusePeriodSeconds, "300"),
            (Name::FifoQueue, "true"),
            (Name::ContentBasedDeduplication, "false"),
            (Name::DeduplicationScope, "messageGroup"),
            (Name::FifoThroughputLimit, "perMessageGroupId"),
        ]
        .map(|(name, value)| (name, value.to_owned()))
        .into();
        let queue = Queue {
            arn: "arn:aws:sqs:us-east-1:111111111111:orders.fifo".into(),
            url: "https://sqs.us-east-1.amazonaws.com/111111111111/orders.fifo".into(),
            attributes,
            redrive: redrive_policy::parse(REDRIVE).expect("a policy"),
        };
        expect![[r#"
            (:AWSSQSQueue:SQSQueue {id: "arn:aws:sqs:us-east-1:111111111111:orders.fifo"})
              arn (indexed) = "arn:aws:sqs:us-east-1:111111111111:orders.fifo"
              name = "orders.fifo"
              url = "https://sqs.us-east-1.amazonaws.com/111111111111/orders.fifo"
              created_timestamp = 1700000000
              delay_seconds = "0"
              last_modified_timestamp = 1710000000
              maximum_message_size = "262144"
              message_retention_period = "345600"
              policy = "{\"Statement\":[]}"
              receive_message_wait_time_seconds = "20"
              redrive_policy_dead_letter_target_arn = "arn:aws:sqs:us-east-1:111111111111:dead.fifo"
              redrive_policy_max_receive_count = 5
              visibility_timeout = "30"
              kms_master_key_id = "alias/aws/sqs"
              kms_data_key_reuse_period_seconds = "300"
              fifo_queue = "true"
              content_based_deduplication = "false"
              deduplication_scope = "messageGroup"
              fifo_throughput_limit = "perMessageGroupId"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:HAS_DEADLETTER_QUEUE]->(:AWSSQSQueue {id: "arn:aws:sqs:us-east-1:111111111111:dead.fifo"})
        "#]]
        .assert_eq(&render(&QUEUE, &queue, &[]));
    }

    #[test]
    fn a_queue_whose_attributes_cannot_be_read_has_the_parts_of_its_url() {
        let url = "https://sqs.us-east-1.amazonaws.com/111111111111/orders".to_owned();
        expect![[r#"
            (:AWSSQSQueue:SQSQueue {id: "arn:aws:sqs:us-east-1:111111111111:orders"})
              arn (indexed) = "arn:aws:sqs:us-east-1:111111111111:orders"
              name = "orders"
              url = "https://sqs.us-east-1.amazonaws.com/111111111111/orders"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&UNREADABLE, &url, &[]));
        assert_eq!(["https://a", "https://a/orders", "https://a/111111111111/"].map(name), [None; 3]);
    }

    const URLS: &str = r#"{"QueueUrls": ["https://a/111111111111/a", "https://a/111111111111/b"]}"#;
    const A: &str = r#"{"Attributes": {"QueueArn": "a", "RedrivePolicy": ""}}"#;
    const B: &str = r#"{"Attributes": {"QueueArn": "b"}}"#;

    /// Result of the listing, and the queues that it writes.
    async fn listed(answers: &[&str]) -> (Result<(), String>, Vec<String>) {
        let (ended, batches) = run_listing(&crate::SERVICE, &LISTING, answers).await;
        (ended, node_ids(&batches).map(str::to_owned).collect())
    }

    #[tokio::test]
    async fn a_queue_that_is_gone_has_no_row() {
        assert_eq!(listed(&[URLS, A, B]).await, (Ok(()), vec!["a".to_owned(), "b".to_owned()]));
        for code in ["AWS.SimpleQueueService.NonExistentQueue", "QueueDoesNotExist"] {
            let gone = format!("!{code} The specified queue does not exist.");
            assert_eq!(listed(&[URLS, &gone, B]).await, (Ok(()), vec!["b".to_owned()]), "{code}");
        }
    }

    #[tokio::test]
    async fn a_queue_that_cannot_be_read_is_named_and_has_a_row() {
        let row = "arn:aws:sqs:us-east-1:111111111111:a".to_owned();
        for (answer, message) in [
            ("!AccessDenied Access to the resource is denied.", "AccessDenied: Access to the resource is denied."),
            ("{}", "AWS returned neither an ARN nor an error"),
            (r#"{"Attributes": {"QueueArn": "a", "RedrivePolicy": "no"}}"#, "the redrive policy is not JSON"),
        ] {
            let error = format!("https://a/111111111111/a: {message}");
            let (ended, mut ids) = listed(&[URLS, answer, B]).await;
            ids.sort();
            assert_eq!((ended, ids), (Err(error), vec![row.clone(), "b".to_owned()]));
        }
    }
}
