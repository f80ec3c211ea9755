// title: KMS keys whose imported key material expires soon
// why: AWS deletes the material at that time. Encrypted data is then unreadable until you import the material again.
// service: kms
// severity: medium
// maturity: stable
// asset: AWSKMSKey
// id: key
// identity: account, region, key
// parameters:
//   days = 30: days until the end
// count: MATCH (key:AWSKMSKey) WHERE key.origin = 'EXTERNAL' RETURN count(key) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(key:AWSKMSKey)
WHERE key.origin = 'EXTERNAL' AND key.valid_to < datetime().epochSeconds + $days * 86400
RETURN account.id AS account, key.region AS region, key.arn AS key, key.description AS description,
       toString(date(datetime({epochSeconds: key.valid_to}))) AS expires
ORDER BY account, region, key
