// title: Launch templates whose instances are open on a port of administration
// why: Each instance of the template begins with a security group that lets the whole internet in.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSLaunchTemplate
// id: launch_template
// identity: account, region, launch_template, security_group
// frameworks: mitre:T1133
// parameters:
//   ports = [22, 3389]: ports of administration
// count: MATCH (template:AWSLaunchTemplate) RETURN count(template) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(template:AWSLaunchTemplate)-[:VERSION]->(version:AWSLaunchTemplateVersion)
WHERE version.default_version
UNWIND version.security_group_ids AS group_id
MATCH (group:AWSEC2SecurityGroup {id: group_id})<-[:MEMBER_OF_EC2_SECURITY_GROUP]-(rule:AWSIpPermissionInbound)
      <-[:MEMBER_OF_IP_RULE]-(range:AWSIpRange)
WHERE range.range = '0.0.0.0/0' AND rule.protocol IN ['-1', 'tcp', '6']
  AND (rule.protocol = '-1' OR any(port IN $ports WHERE rule.fromport <= port AND port <= rule.toport))
RETURN DISTINCT account.id AS account, template.region AS region, template.id AS launch_template,
       group.id AS security_group, template.name AS name, version.version_number AS version
ORDER BY account, region, launch_template, security_group
