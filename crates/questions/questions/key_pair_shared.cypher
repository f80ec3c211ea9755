// title: Key pairs that hold the key of another key pair
// why: One lost private key then opens the instances of all of them, perhaps in several accounts.
// service: ec2
// severity: low
// maturity: stable
// asset: AWSEC2KeyPair
// id: key_pair
// identity: account, region, key_pair
// frameworks: mitre:T1078.004
// needs: analysis
// count: MATCH (pair:AWSEC2KeyPair) RETURN count(pair) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(pair:AWSEC2KeyPair)-[:MATCHING_FINGERPRINT]-(twin:AWSEC2KeyPair)
WITH account, pair, twin ORDER BY twin.arn
RETURN account.id AS account, pair.region AS region, pair.arn AS key_pair, collect(DISTINCT twin.arn) AS same_key,
       COUNT { (pair)-[:SSH_LOGIN_TO]->(:AWSEC2Instance) } AS instances
ORDER BY account, region, key_pair
