//! Registry of all listings of this collector.

use crate::{subscription, topic};
use aws_sdk_sns::Client;
use collector::{Bucket, Quota, Service, connect};

/// SNS with its listings. A survey makes one call for each page of topics and of subscriptions, and one for each topic.
pub static SERVICE: Service<Client> = Service {
    title: "SNS",
    assets: "topics and subscriptions",
    listings: &[topic::LISTING, subscription::LISTING],
    quotas: QUOTAS,
    cartography: &["sns"],
    ..Service::regional("sns", connect!(aws_sdk_sns))
};

const SNS: &str = "AWS, Amazon SNS API Reference, `ListTopics` and `ListSubscriptions`: \"This action is throttled at \
                   30 transactions per second (TPS)\"";

/// AWS publishes no quota of `GetTopicAttributes`.
static QUOTAS: &[Quota] = &[
    Quota { apis: &["ListSubscriptions", "ListTopics"], ..Quota::of("sns", Bucket::published(30, 30, SNS)) },
    Quota::of("sns", Bucket::learned(60, 30)),
];

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::testing::{Api, TwoPages, check_service};

    const A: &str = "<Topics><member><TopicArn>arn:aws:sns:us-east-1:111111111111:a</TopicArn></member></Topics>";
    const A_OF_TWO: &str = "<Topics><member><TopicArn>arn:aws:sns:us-east-1:111111111111:a</TopicArn></member></Topics>\
                            <NextToken>more</NextToken>";
    const B: &str = "<Topics><member><TopicArn>arn:aws:sns:us-east-1:111111111111:b</TopicArn></member></Topics>";
    const ATTRIBUTES: &str = "<Attributes><entry><key>Owner</key><value>111111111111</value></entry></Attributes>";

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let api = Api {
            answers: &[("ListTopics", &[A, ATTRIBUTES])],
            two_pages: &[
                TwoPages {
                    listing: "ListTopics",
                    answers: &[A_OF_TWO, ATTRIBUTES, B, ATTRIBUTES],
                    ids: &["arn:aws:sns:us-east-1:111111111111:a", "arn:aws:sns:us-east-1:111111111111:b"],
                },
                TwoPages {
                    listing: "ListSubscriptions",
                    answers: &[
                        "<Subscriptions><member><SubscriptionArn>arn:a</SubscriptionArn></member></Subscriptions>\
                     <NextToken>more</NextToken>",
                        "<Subscriptions><member><SubscriptionArn>arn:b</SubscriptionArn></member></Subscriptions>",
                    ],
                    ids: &["arn:a", "arn:b"],
                },
            ],
            ..Api::default()
        };
        check_service(&SERVICE, &api).await;
        assert_eq!(SERVICE.actions(), ["sns:GetTopicAttributes", "sns:ListSubscriptions", "sns:ListTopics"]);
    }
}
