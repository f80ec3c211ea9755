// title: Queues without a dead-letter queue
// why: A message that cannot be handled returns until it is deleted, and its content is lost.
// service: sqs
// severity: informational
// maturity: stable
// asset: AWSSQSQueue
// id: queue
// identity: account, region, queue
// count: MATCH (queue:AWSSQSQueue) WHERE queue.created_timestamp IS NOT NULL RETURN count(queue) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(queue:AWSSQSQueue)
// A queue whose attributes could not be read has no time of creation.
WHERE queue.created_timestamp IS NOT NULL AND queue.redrive_policy_dead_letter_target_arn IS NULL
  AND NOT EXISTS { (queue)<-[:HAS_DEADLETTER_QUEUE]-(:AWSSQSQueue) }
RETURN account.id AS account, queue.region AS region, queue.arn AS queue,
       queue.message_retention_period AS retention_seconds
ORDER BY account, region, queue
