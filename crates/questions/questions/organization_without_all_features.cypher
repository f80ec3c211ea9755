// title: Organizations without all features
// why: Service control policies, which limit even the root users of accounts, need all features.
// service: organizations
// severity: medium
// maturity: stable
// asset: AWSOrganization
// id: organization
// identity: account, organization
// count: MATCH (organization:AWSOrganization) RETURN count(organization) AS checked

MATCH (organization:AWSOrganization)
WHERE organization.feature_set <> 'ALL'
RETURN organization.management_account_id AS account, organization.id AS organization,
       organization.feature_set AS features
ORDER BY account, organization
