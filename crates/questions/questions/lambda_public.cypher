// title: Functions that everyone may call
// why: A stranger can run the function with its role, and at the owner's cost. A function URL without authentication
//   counts, because its policy allows everyone.
// service: lambda
// severity: critical
// maturity: stable
// asset: AWSLambda
// id: function
// identity: account, region, function
// frameworks: aws-fsbp:Lambda.1, mitre:T1190
// count: MATCH (function:AWSLambda) WHERE function.anonymous_access IS NOT NULL RETURN count(function) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(function:AWSLambda)
WHERE function.anonymous_access
OPTIONAL MATCH (function)-[:ASSUMES]->(role:AWSRole)
RETURN account.id AS account, function.region AS region, function.arn AS function,
       function.anonymous_actions AS actions, min(role.arn) AS role
ORDER BY account, region, function
