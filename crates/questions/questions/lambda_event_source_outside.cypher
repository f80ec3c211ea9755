// title: Functions that read from queues or streams of accounts outside of the survey
// why: The owner of the source chooses the input of the function.
// service: lambda
// severity: medium
// maturity: stable
// asset: AWSLambdaEventSourceMapping
// id: mapping
// identity: account, region, mapping
// frameworks: mitre:T1199
// count: MATCH (mapping:AWSLambdaEventSourceMapping) RETURN count(mapping) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(mapping:AWSLambdaEventSourceMapping)
WHERE mapping.eventsourcearn STARTS WITH 'arn:'
  AND NOT EXISTS {
    MATCH (known:AWSAccount {id: split(mapping.eventsourcearn, ':')[4]}) WHERE known.inscope OR known.org_id IS NOT NULL
  }
RETURN account.id AS account, split(mapping.functionarn, ':')[3] AS region, mapping.id AS mapping,
       mapping.functionarn AS function, mapping.eventsourcearn AS source, mapping.state AS state
ORDER BY account, region, mapping
