// title: Functions with a runtime that AWS no longer patches
// why: New flaws of the language and its libraries stay open.
// service: lambda
// severity: medium
// maturity: stable
// asset: AWSLambda
// id: function
// identity: account, region, function
// frameworks: aws-fsbp:Lambda.2
// parameters:
//   runtimes = ["nodejs", "nodejs4.3", "nodejs4.3-edge", "nodejs6.10", "nodejs8.10", "nodejs10.x", "nodejs12.x",
//     "nodejs14.x", "nodejs16.x", "nodejs18.x", "nodejs20.x", "python2.7", "python3.6", "python3.7", "python3.8",
//     "python3.9", "python3.10", "ruby2.5", "ruby2.7", "ruby3.2", "java8", "go1.x", "provided", "provided.al2",
//     "dotnetcore1.0", "dotnetcore2.0", "dotnetcore2.1", "dotnetcore3.1", "dotnet5.0", "dotnet6", "dotnet7",
//     "dotnet8"]: runtimes without patches
// count: MATCH (function:AWSLambda) WHERE function.runtime IS NOT NULL RETURN count(function) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(function:AWSLambda)
WHERE function.runtime IN $runtimes
RETURN account.id AS account, function.region AS region, function.arn AS function, function.runtime AS runtime,
       function.modifieddate AS modified
ORDER BY account, region, function
