// title: Accounts whose root user has an access key
// why: The key can do everything, and no policy limits it. Anyone who copies it owns the account.
// service: iam
// severity: critical
// maturity: stable
// asset: AWSAccount
// id: account
// identity: account
// frameworks: cis-aws-3.0:1.4, aws-fsbp:IAM.4, mitre:T1078.004
// count: MATCH (account:AWSAccount) WHERE account.account_access_keys_present IS NOT NULL RETURN count(account) AS
//   checked

MATCH (account:AWSAccount)
WHERE account.account_access_keys_present > 0
RETURN account.id AS account, account.name AS name, account.account_access_keys_present AS keys
ORDER BY account
