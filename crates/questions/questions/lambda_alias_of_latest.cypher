// title: Aliases of functions that name no fixed version
// why: Every upload of code is live immediately, without a step in which it can be tested or withdrawn.
// service: lambda
// severity: informational
// maturity: stable
// asset: AWSLambdaFunctionAlias
// id: alias
// identity: account, region, alias
// count: MATCH (alias:AWSLambdaFunctionAlias) RETURN count(alias) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(alias:AWSLambdaFunctionAlias)
WHERE alias.functionversion = '$LATEST'
MATCH (function:AWSLambda)-[:KNOWN_AS]->(alias)
RETURN account.id AS account, function.region AS region, alias.arn AS alias, alias.aliasname AS name,
       function.name AS function
ORDER BY account, region, alias
