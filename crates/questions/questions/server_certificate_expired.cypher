// title: Server certificates in IAM that have expired, or soon will
// why: An expired certificate stops a site, or teaches its users to ignore warnings. IAM renews none.
// service: iam
// severity: medium
// maturity: stable
// asset: AWSServerCertificate
// id: certificate
// identity: account, certificate
// frameworks: cis-aws-3.0:1.19
// parameters:
//   days = 30: days until the end
// count: MATCH (certificate:AWSServerCertificate) RETURN count(certificate) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(certificate:AWSServerCertificate)
WHERE certificate.expiration < datetime() + duration({days: $days})
RETURN account.id AS account, certificate.arn AS certificate, certificate.server_certificate_name AS name,
       toString(date(certificate.expiration)) AS expires
ORDER BY account, certificate
