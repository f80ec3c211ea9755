// title: Topics without encryption at rest
// why: SNS keeps messages until their delivery. With a key of KMS, only its users can read them.
// service: sns
// severity: low
// maturity: stable
// asset: AWSSNSTopic
// id: topic
// identity: account, region, topic
// count: MATCH (topic:AWSSNSTopic) WHERE topic.owner IS NOT NULL RETURN count(topic) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(topic:AWSSNSTopic)
// A topic whose attributes could not be read has no owner.
WHERE topic.owner IS NOT NULL AND coalesce(topic.kmsmasterkeyid, '') = ''
RETURN account.id AS account, topic.region AS region, topic.arn AS topic, topic.name AS name,
       topic.subscriptionsconfirmed AS subscriptions
ORDER BY account, region, topic
