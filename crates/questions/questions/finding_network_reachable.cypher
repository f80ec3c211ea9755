// title: Ports that Inspector reaches from the internet
// why: Inspector follows routes, gateways and network ACLs, which the analysis of exposure does not.
// service: inspector2
// severity: medium
// maturity: stable
// asset: AWSEC2Instance
// id: instance
// identity: account, region, instance, protocol, ports
// frameworks: mitre:T1133
// count: MATCH (instance:AWSEC2Instance) WHERE instance.state = 'running' RETURN count(instance) AS checked

MATCH (account:AWSAccount)-[:MEMBER]->(finding:AWSInspectorFinding)-[:AFFECTS]->(instance:AWSEC2Instance)
WHERE finding.status = 'ACTIVE' AND finding.type = 'NETWORK_REACHABILITY'
RETURN DISTINCT account.id AS account, finding.region AS region, instance.instanceid AS instance,
       finding.protocol AS protocol, finding.portrange AS ports, finding.severity AS severity_of_aws
ORDER BY account, region, instance, protocol, ports
