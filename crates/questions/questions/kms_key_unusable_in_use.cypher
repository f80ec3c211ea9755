// title: KMS keys that cannot be used, with data that they encrypt
// why: Secrets, parameters, buckets, volumes or snapshots of the key cannot be read. Volumes and snapshots name their
//   key by ARN.
// service: kms
// severity: medium
// maturity: stable
// asset: AWSKMSKey
// id: key
// identity: account, region, key
// count: MATCH (key:AWSKMSKey) RETURN count(key) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(key:AWSKMSKey)
WHERE NOT key.key_state IN ['Enabled', 'Creating', 'Updating']
MATCH (key)<-[:ENCRYPTED_BY]-(user)
RETURN account.id AS account, key.region AS region, key.arn AS key, key.key_state AS state,
       count(DISTINCT user) AS uses, min(user.arn) AS for_example
ORDER BY account, region, key
