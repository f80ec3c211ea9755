// title: Secrets whose rotation has stopped halfway
// why: A new version waits (AWSPENDING) and is not current, so the old secret stays in use.
// service: secretsmanager
// severity: medium
// maturity: stable
// asset: AWSSecretsManagerSecret
// id: secret
// identity: account, region, secret
// frameworks: aws-fsbp:SecretsManager.2
// parameters:
//   days = 1: days that a new version may wait
// count: MATCH (secret:AWSSecretsManagerSecret) WHERE secret.rotation_enabled RETURN count(secret) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(version:AWSSecretsManagerSecretVersion)
WHERE 'AWSPENDING' IN version.version_stages AND NOT 'AWSCURRENT' IN version.version_stages
  AND version.created_date < datetime().epochSeconds - $days * 86400
MATCH (version)-[:VERSION_OF]->(secret:AWSSecretsManagerSecret)
WHERE secret.rotation_enabled
RETURN account.id AS account, secret.region AS region, secret.arn AS secret, secret.name AS name,
       toString(date(datetime({epochSeconds: min(version.created_date)}))) AS waiting_since,
       secret.rotation_lambda_arn AS function
ORDER BY account, region, secret
