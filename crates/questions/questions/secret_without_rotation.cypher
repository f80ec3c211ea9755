// title: Secrets that are not rotated automatically
// why: A leaked secret stays valid until a person changes it. Secrets that a service of AWS owns do not count.
// service: secretsmanager
// severity: medium
// maturity: stable
// asset: AWSSecretsManagerSecret
// id: secret
// identity: account, region, secret
// frameworks: aws-fsbp:SecretsManager.1
// count: MATCH (secret:AWSSecretsManagerSecret) WHERE secret.deleted_date IS NULL AND secret.owning_service IS NULL
//   RETURN count(secret) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(secret:AWSSecretsManagerSecret)
WHERE secret.deleted_date IS NULL AND secret.owning_service IS NULL AND coalesce(secret.rotation_enabled, false) = false
RETURN account.id AS account, secret.region AS region, secret.arn AS secret, secret.name AS name,
       toString(date(datetime({epochSeconds: coalesce(secret.last_changed_date, secret.created_date)}))) AS changed
ORDER BY account, region, secret
