// title: Secrets that an instance of the internet may read
// why: A stranger who takes the instance over reads the secret with its role.
// service: secretsmanager
// severity: high
// maturity: stable
// asset: AWSSecretsManagerSecret
// id: secret
// identity: account, region, secret, instance
// frameworks: mitre:T1552.005
// needs: analysis
// count: MATCH (secret:AWSSecretsManagerSecret) RETURN count(secret) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(secret:AWSSecretsManagerSecret)<-[read:GET_SECRET]-(role:AWSRole)
      <-[:STS_ASSUMEROLE_ALLOW]-(instance:AWSEC2Instance)
WHERE instance.exposed_internet AND instance.state = 'running'
RETURN DISTINCT account.id AS account, secret.region AS region, secret.arn AS secret, instance.instanceid AS instance,
       role.arn AS role, read.certainty AS certainty, instance.exposed_internet_type AS exposed_by
ORDER BY account, region, secret, instance
