// title: Secrets that have not changed for a long time
// why: The longer a secret stays, the more people and copies know it.
// service: secretsmanager
// severity: low
// maturity: stable
// asset: AWSSecretsManagerSecret
// id: secret
// identity: account, region, secret
// frameworks: aws-fsbp:SecretsManager.4
// parameters:
//   days = 90: days without a change
// count: MATCH (secret:AWSSecretsManagerSecret) WHERE secret.deleted_date IS NULL RETURN count(secret) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(secret:AWSSecretsManagerSecret)
WHERE secret.deleted_date IS NULL
WITH account, secret, reduce(latest = null, moment IN [secret.created_date, secret.last_changed_date,
       secret.last_rotated_date] | CASE WHEN latest IS NULL OR moment > latest THEN moment ELSE latest END) AS changed
WHERE changed < datetime().epochSeconds - $days * 86400
RETURN account.id AS account, secret.region AS region, secret.arn AS secret, secret.name AS name,
       toString(date(datetime({epochSeconds: changed}))) AS changed
ORDER BY account, region, secret
