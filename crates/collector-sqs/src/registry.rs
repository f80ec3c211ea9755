//! Registry of all listings of this collector.

use crate::queue;
use aws_sdk_sqs::Client;
use collector::{Bucket, Quota, Service, connect};

/// SQS with its listing. A survey makes one call for each page of queues, and one for each queue.
pub static SERVICE: Service<Client> = Service {
    title: "SQS",
    assets: "queues with their dead-letter queues",
    listings: &[queue::LISTING],
    // "Amazon SQS quotas" of the developer guide has rates for calls about messages only.
    quotas: &[Quota::of("sqs", Bucket::learned(100, 50))],
    cartography: &["sqs"],
    ..Service::regional("sqs", connect!(aws_sdk_sqs))
};

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::testing::{Api, TwoPages, check_service};

    const A: &str = r#"{"Attributes": {"QueueArn": "a"}}"#;
    const B: &str = r#"{"Attributes": {"QueueArn": "b"}}"#;

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let api = Api {
            answers: &[("ListQueues", &[r#"{"QueueUrls": ["https://a"]}"#, A])],
            page_sizes: &[("ListQueues", Some(("MaxResults", "1000")))],
            two_pages: &[TwoPages {
                listing: "ListQueues",
                answers: &[
                    r#"{"QueueUrls": ["https://a"], "NextToken": "more"}"#,
                    A,
                    r#"{"QueueUrls": ["https://b"]}"#,
                    B,
                ],
                ids: &["a", "b"],
            }],
            ..Api::default()
        };
        check_service(&SERVICE, &api).await;
        assert_eq!(SERVICE.actions(), ["sqs:GetQueueAttributes", "sqs:ListQueues"]);
    }
}
