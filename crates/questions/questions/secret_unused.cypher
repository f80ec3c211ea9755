// title: Secrets that are not read any longer
// why: A forgotten secret still opens a door.
// service: secretsmanager
// severity: low
// maturity: stable
// asset: AWSSecretsManagerSecret
// id: secret
// identity: account, region, secret
// frameworks: aws-fsbp:SecretsManager.3
// parameters:
//   days = 90: days without a reader
// count: MATCH (secret:AWSSecretsManagerSecret) WHERE secret.deleted_date IS NULL RETURN count(secret) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(secret:AWSSecretsManagerSecret)
WHERE secret.deleted_date IS NULL
  AND coalesce(secret.last_accessed_date, secret.created_date) < datetime().epochSeconds - $days * 86400
RETURN account.id AS account, secret.region AS region, secret.arn AS secret, secret.name AS name,
       CASE WHEN secret.last_accessed_date IS NULL THEN 'never'
       ELSE toString(date(datetime({epochSeconds: secret.last_accessed_date}))) END AS last_read
ORDER BY account, region, secret
