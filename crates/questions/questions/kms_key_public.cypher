// title: KMS keys that everyone may use
// why: A stranger can decrypt what the key protects, or make it unreadable.
// service: kms
// severity: critical
// maturity: stable
// asset: AWSKMSKey
// id: key
// identity: account, region, key
// frameworks: aws-fsbp:KMS.5
// count: MATCH (key:AWSKMSKey) WHERE key.anonymous_access IS NOT NULL RETURN count(key) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(key:AWSKMSKey)
WHERE key.anonymous_access
RETURN account.id AS account, key.region AS region, key.arn AS key, key.description AS description,
       key.anonymous_actions AS actions, key.key_state AS state
ORDER BY account, region, key
