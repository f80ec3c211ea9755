// title: SAML providers whose metadata expires soon
// why: Sign-in through the provider then stops for all people at the same time.
// service: iam
// severity: low
// maturity: stable
// asset: AWSSAMLProvider
// id: provider
// identity: account, provider
// parameters:
//   days = 30: days until the end
// count: MATCH (provider:AWSSAMLProvider) RETURN count(provider) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(provider:AWSSAMLProvider)
WHERE provider.valid_until < datetime() + duration({days: $days})
RETURN account.id AS account, provider.arn AS provider, provider.name AS name,
       toString(date(provider.valid_until)) AS expires
ORDER BY account, provider
