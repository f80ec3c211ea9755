// title: Auto Scaling groups with a launch configuration
// why: Launch configurations get no new features of EC2, such as a required token for metadata requests by default.
//   Launch templates replace them.
// service: ec2
// severity: low
// maturity: stable
// asset: AWSAutoScalingGroup
// id: group
// identity: account, region, group
// frameworks: aws-fsbp:AutoScaling.9
// count: MATCH (group:AWSAutoScalingGroup) RETURN count(group) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(group:AWSAutoScalingGroup)
      -[:HAS_LAUNCH_CONFIG]->(configuration:AWSLaunchConfiguration)
RETURN account.id AS account, group.region AS region, group.arn AS group, group.name AS name,
       min(configuration.name) AS launch_configuration,
       max(configuration.associate_public_ip_address) AS public_addresses
ORDER BY account, region, group
