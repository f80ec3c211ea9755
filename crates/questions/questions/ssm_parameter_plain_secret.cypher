// title: Parameters whose names look secret, in plain text
// why: Everyone who may read parameters reads it, and so does everyone who reads the log of a deployment.
// service: ssm
// severity: medium
// maturity: experimental
// asset: AWSSSMParameter
// id: parameter
// identity: account, region, parameter
// frameworks: mitre:T1552
// parameters:
//   words = ["password", "passwd", "secret", "token", "apikey", "api_key", "api-key", "private_key", "private-key",
//     "credential"]: parts of names that look secret
// count: MATCH (parameter:AWSSSMParameter) RETURN count(parameter) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(parameter:AWSSSMParameter)
WHERE parameter.type <> 'SecureString' AND any(word IN $words WHERE toLower(parameter.name) CONTAINS word)
RETURN account.id AS account, parameter.region AS region, parameter.arn AS parameter, parameter.name AS name,
       parameter.type AS type, parameter.lastmodifieduser AS modified_by
ORDER BY account, region, parameter
