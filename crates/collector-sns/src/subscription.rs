//! Subscriptions: `ListSubscriptions` -> `(:AWSSNSTopicSubscription)`.

use aws_sdk_sns::{Client, types::Subscription};
use collector::{Collecting, Edge, Listing, Node, Sink, indexed, one, paged, prop};
use siphasher::sip::SipHasher13;
use std::hash::{Hash, Hasher};

/// Subscriptions that belong to the account, also those to topics of other accounts.
pub(crate) static SUBSCRIPTION: Node<Subscription> = Node {
    extra_labels: &["SNSTopicSubscription"],
    id: |it, _| id(it),
    props: &[
        indexed("arn", |it, _| it.subscription_arn().into()),
        prop("topic_arn", |it, _| it.topic_arn().into()),
        prop("endpoint", |it, _| it.endpoint().into()),
        prop("owner", |it, _| it.owner().into()),
        prop("protocol", |it, _| it.protocol().into()),
    ],
    edges: &[Edge::account(), Edge::out("HAS_SUBSCRIPTION", "AWSSNSTopic", "id", |it, _| one(it.topic_arn()))],
    ..Node::of("AWSSNSTopicSubscription")
};

/// ARN of a subscription. In its place AWS returns `PendingConfirmation` for all subscriptions that are not confirmed,
/// and `Deleted` for some that are deleted. The id then also has the parts that distinguish subscriptions; of endpoint
/// and owner only a hash, because an endpoint may contain a token.
fn id(it: &Subscription) -> String {
    let arn = it.subscription_arn().unwrap_or_default();
    if arn.starts_with("arn:") {
        return arn.to_owned();
    }
    let [topic, protocol] = [it.topic_arn(), it.protocol()].map(Option::unwrap_or_default);
    let mut hasher = SipHasher13::new();
    (it.endpoint(), it.owner()).hash(&mut hasher);
    format!("{topic}:{arn}:{protocol}:{:016x}", hasher.finish())
}

/// Listing of a region's subscriptions.
pub(crate) const LISTING: Listing<Client> =
    Listing { name: "ListSubscriptions", actions: &["sns:ListSubscriptions"], feeds: &[&SUBSCRIPTION], collect };

fn collect<'a>(sns: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(sns.list_subscriptions(), next_token);
        while let Some(page) = pages.next().await {
            sink.emit_all(&SUBSCRIPTION, page?.subscriptions()).await?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{SUBSCRIPTION, Subscription, id};
    use collector::testing::render;
    use expect_test::expect;

    fn subscription(arn: &str, endpoint: &str) -> Subscription {
        Subscription::builder()
            .subscription_arn(arn)
            .topic_arn("arn:aws:sns:us-east-1:222222222222:orders")
            .endpoint(endpoint)
            .owner("111111111111")
            .protocol("email")
            .build()
    }

    #[test]
    fn a_full_subscription_leaves_nothing_null() {
        let full = subscription("arn:aws:sns:us-east-1:222222222222:orders:1234abcd", "a@example.com");
        expect![[r#"
            (:AWSSNSTopicSubscription:SNSTopicSubscription {id: "arn:aws:sns:us-east-1:222222222222:orders:1234abcd"})
              arn (indexed) = "arn:aws:sns:us-east-1:222222222222:orders:1234abcd"
              topic_arn = "arn:aws:sns:us-east-1:222222222222:orders"
              endpoint = "a@example.com"
              owner = "111111111111"
              protocol = "email"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:HAS_SUBSCRIPTION]->(:AWSSNSTopic {id: "arn:aws:sns:us-east-1:222222222222:orders"})
        "#]]
        .assert_eq(&render(&SUBSCRIPTION, &full, &[]));
    }

    #[test]
    fn subscriptions_without_an_arn_are_distinguished() {
        let ids = ["a@example.com", "b@example.com"].map(|endpoint| id(&subscription("PendingConfirmation", endpoint)));
        assert_ne!(ids[0], ids[1]);
        for id in ids {
            let hash = id.strip_prefix("arn:aws:sns:us-east-1:222222222222:orders:PendingConfirmation:email:");
            assert!(hash.is_some_and(|hash| hash.len() == 16 && !hash.contains('@')), "{id}");
        }
    }
}
