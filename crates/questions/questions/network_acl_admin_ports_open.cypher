// title: Network ACLs that let the whole internet reach a port of administration
// why: A network ACL is the second protection of a subnet, behind the security groups. The rule with the lowest number
//   decides, so rules behind a denial do not count.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSEC2NetworkAcl
// id: network_acl
// identity: account, region, network_acl, rule_number, port
// frameworks: cis-aws-3.0:5.1, aws-fsbp:EC2.21
// parameters:
//   ports = [22, 3389]: ports of administration
// count: MATCH (acl:AWSEC2NetworkAcl) RETURN count(acl) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(acl:AWSEC2NetworkAcl)<-[:MEMBER_OF_NACL]-(rule:AWSEC2NetworkAclRule)
WHERE rule.egress = false AND rule.ruleaction = 'allow' AND rule.protocol IN ['-1', '6']
  AND (rule.cidrblock = '0.0.0.0/0' OR rule.ipv6cidrblock = '::/0')
UNWIND [port IN $ports WHERE rule.protocol = '-1' OR (rule.fromport <= port AND port <= rule.toport)] AS port
WITH account, acl, rule, port
WHERE NOT EXISTS {
  MATCH (acl)<-[:MEMBER_OF_NACL]-(denial:AWSEC2NetworkAclRule)
  WHERE denial.egress = false AND denial.ruleaction = 'deny' AND denial.rulenumber < rule.rulenumber
    AND (denial.cidrblock = rule.cidrblock OR denial.ipv6cidrblock = rule.ipv6cidrblock)
    AND (denial.protocol = '-1' OR (denial.protocol = '6' AND denial.fromport <= port AND port <= denial.toport))
}
RETURN account.id AS account, acl.region AS region, acl.network_acl_id AS network_acl, rule.rulenumber AS rule_number,
       port AS port, acl.is_default AS is_default, COUNT { (acl)-[:PART_OF_SUBNET]->(:AWSEC2Subnet) } AS subnets
ORDER BY account, region, network_acl, rule_number, port
