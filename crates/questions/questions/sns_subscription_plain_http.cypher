// title: Subscriptions over plain HTTP
// why: Everyone on the way can read the messages.
// service: sns
// severity: medium
// maturity: stable
// asset: AWSSNSTopicSubscription
// id: subscription
// identity: account, region, topic, endpoint
// count: MATCH (subscription:AWSSNSTopicSubscription) RETURN count(subscription) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(subscription:AWSSNSTopicSubscription)
WHERE subscription.protocol = 'http'
RETURN account.id AS account, split(subscription.topic_arn, ':')[3] AS region, subscription.arn AS subscription,
       subscription.topic_arn AS topic, subscription.endpoint AS endpoint
ORDER BY account, region, topic, endpoint
