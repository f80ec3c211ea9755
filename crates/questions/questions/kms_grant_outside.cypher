// title: Grants of KMS keys to accounts outside of the survey
// why: A grant appears in no policy. Its holder can use the key until it is withdrawn.
// service: kms
// severity: high
// maturity: stable
// asset: AWSKMSGrant
// id: grant
// identity: account, region, grant
// frameworks: mitre:T1199
// count: MATCH (grant:AWSKMSGrant) RETURN count(grant) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(grant:AWSKMSGrant)-[:APPLIED_ON]->(key:AWSKMSKey)
WHERE grant.grantee_principal STARTS WITH 'arn:'
  AND NOT EXISTS {
    MATCH (known:AWSAccount {id: split(grant.grantee_principal, ':')[4]})
        WHERE known.inscope OR known.org_id IS NOT NULL
  }
RETURN account.id AS account, key.region AS region, grant.grant_id AS grant, key.arn AS key,
       grant.grantee_principal AS grantee, grant.operations AS operations
ORDER BY account, region, grant
