// title: Subscriptions that deliver messages to accounts outside of the survey
// why: Their owners read every message of the topic. Addresses of mail and web sites have no account and do not count.
// service: sns
// severity: medium
// maturity: stable
// asset: AWSSNSTopicSubscription
// id: subscription
// identity: account, region, topic, endpoint
// frameworks: mitre:T1537
// count: MATCH (subscription:AWSSNSTopicSubscription) RETURN count(subscription) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(subscription:AWSSNSTopicSubscription)
WHERE split(subscription.topic_arn, ':')[4] = account.id AND subscription.endpoint STARTS WITH 'arn:'
  AND NOT EXISTS {
    MATCH (known:AWSAccount {id: split(subscription.endpoint, ':')[4]}) WHERE known.inscope OR known.org_id IS NOT NULL
  }
RETURN account.id AS account, split(subscription.topic_arn, ':')[3] AS region, subscription.arn AS subscription,
       subscription.topic_arn AS topic, subscription.endpoint AS endpoint, subscription.protocol AS protocol
ORDER BY account, region, topic, endpoint
