// title: KMS keys that are about to be deleted
// why: Whatever the key encrypts is lost afterwards, without an exception.
// service: kms
// severity: medium
// maturity: stable
// asset: AWSKMSKey
// id: key
// identity: account, region, key
// frameworks: aws-fsbp:KMS.3, mitre:T1485
// count: MATCH (key:AWSKMSKey) WHERE key.key_manager = 'CUSTOMER' RETURN count(key) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(key:AWSKMSKey)
WHERE key.key_state IN ['PendingDeletion', 'PendingReplicaDeletion']
RETURN account.id AS account, key.region AS region, key.arn AS key, key.description AS description,
       CASE WHEN key.deletion_date IS NULL THEN null ELSE toString(date(datetime({epochSeconds: key.deletion_date}))) END AS deleted_on,
       COUNT { (key)<-[:ENCRYPTED_BY]-() } AS uses
ORDER BY account, region, key
