// title: Functions with a layer of an account outside of the survey
// why: The owner of a layer chooses code that runs with the function's role.
// service: lambda
// severity: medium
// maturity: stable
// asset: AWSLambda
// id: function
// identity: account, region, function, layer
// frameworks: mitre:T1195.002
// parameters:
//   accounts = ["017000801446", "580247275435", "901920570463", "336392948345", "184161586896", "200266452380",
//     "753240598075", "177933569100", "015030872274", "133490724326", "427196147048", "590474943231",
//     "997803712105", "345057560386", "133256977650", "780235371811", "187925254637", "933737806257",
//     "044395824272", "665172237481", "176022468876", "738900069198"]: other trusted accounts, such as those of AWS
// count: MATCH (function:AWSLambda) RETURN count(function) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(function:AWSLambda)-[:HAS]->(layer:AWSLambdaLayer)
WHERE NOT split(layer.arn, ':')[4] IN $accounts
  AND NOT EXISTS {
    MATCH (known:AWSAccount {id: split(layer.arn, ':')[4]}) WHERE known.inscope OR known.org_id IS NOT NULL
  }
RETURN account.id AS account, function.region AS region, function.arn AS function, layer.arn AS layer,
       split(layer.arn, ':')[4] AS layer_account
ORDER BY account, region, function, layer
