// title: Queues that everyone may use
// why: A stranger can read or remove messages, or send false ones. A statement with a condition does not count.
// service: sqs
// severity: high
// maturity: experimental
// asset: AWSSQSQueue
// id: queue
// identity: account, region, queue
// frameworks: aws-fsbp:SQS.3
// count: MATCH (queue:AWSSQSQueue) WHERE queue.created_timestamp IS NOT NULL RETURN count(queue) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(queue:AWSSQSQueue)
WHERE queue.policy IS NOT NULL
WITH account, queue, replace(replace(replace(queue.policy, ' ', ''), '\n', ''), '\t', '') AS text
// Each part has one statement at most: between two statements of a list is `},{`, within one it is not.
WHERE any(part IN split(text, '},{') WHERE part CONTAINS '"Effect":"Allow"' AND NOT part CONTAINS '"Condition":'
          AND any(everyone IN ['"Principal":"*"', '"Principal":{"AWS":"*"}', '"Principal":{"AWS":["*"]}']
              WHERE part CONTAINS everyone))
RETURN account.id AS account, queue.region AS region, queue.arn AS queue, queue.url AS url
ORDER BY account, region, queue
