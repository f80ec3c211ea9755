//! Notifications of buckets: `GetBucketNotificationConfiguration`. Only topics are in the graph, as in Cartography; queues,
//! functions and EventBridge are not.

use crate::settings::{Setting, of_buckets};
use aws_sdk_s3::types::TopicConfiguration;
use collector::{Edge, Node, many};

/// Buckets with the topics that they notify.
pub(crate) static NOTIFICATION: Node<Setting<Vec<TopicConfiguration>>> = Node {
    edges: &[Edge::out("NOTIFIES", "AWSSNSTopic", "arn", |it, _| {
        many(it.value.iter().flatten().map(|topic| Some(topic.topic_arn())))
    })],
    ..of_buckets()
};

#[cfg(test)]
mod tests {
    use super::{NOTIFICATION, TopicConfiguration};
    use crate::settings::testing::of_logs;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn each_topic_is_notified() {
        let topic = |name: &str| {
            let topic = TopicConfiguration::builder().topic_arn(format!("arn:aws:sns:us-east-1:111111111111:{name}"));
            topic.events("s3:ObjectCreated:*".into()).build().expect("full")
        };
        expect![[r#"
            (:AWSS3Bucket:S3Bucket:ObjectStorage {id: "logs"})
              -[:NOTIFIES]->(:AWSSNSTopic {arn: "arn:aws:sns:us-east-1:111111111111:created"})
              -[:NOTIFIES]->(:AWSSNSTopic {arn: "arn:aws:sns:us-east-1:111111111111:removed"})
        "#]]
        .assert_eq(&render(&NOTIFICATION, &of_logs(Some(vec![topic("created"), topic("removed")])), &[]));
    }
}
