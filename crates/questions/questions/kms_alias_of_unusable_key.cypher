// title: Aliases of KMS keys that cannot be used
// why: Software that encrypts by the name of the alias fails, or will.
// service: kms
// severity: low
// maturity: stable
// asset: AWSKMSAlias
// id: alias
// identity: account, region, alias
// count: MATCH (alias:AWSKMSAlias)-[:KNOWN_AS]->(:AWSKMSKey) RETURN count(DISTINCT alias) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(alias:AWSKMSAlias)-[:KNOWN_AS]->(key:AWSKMSKey)
WHERE NOT key.key_state IN ['Enabled', 'Creating', 'Updating']
RETURN account.id AS account, alias.region AS region, alias.arn AS alias, alias.alias_name AS name, key.arn AS key,
       key.key_state AS state
ORDER BY account, region, alias
