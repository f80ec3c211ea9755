// title: Accounts whose root user has no MFA device
// why: A password alone may protect the identity that can do everything. A member account without a password of its
//   root user (centralised root access) needs no device; the graph cannot tell it apart.
// service: iam
// severity: critical
// maturity: experimental
// asset: AWSAccount
// id: account
// identity: account
// frameworks: cis-aws-3.0:1.5, mitre:T1078.004
// count: MATCH (account:AWSAccount) WHERE account.account_mfa_enabled IS NOT NULL RETURN count(account) AS checked

MATCH (account:AWSAccount)
WHERE account.account_mfa_enabled = 0
RETURN account.id AS account, account.name AS name, account.email AS email
ORDER BY account
