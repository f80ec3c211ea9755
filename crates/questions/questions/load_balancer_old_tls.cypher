// title: Listeners that accept old versions of TLS
// why: TLS 1.0 and 1.1 have known weaknesses, and no client needs them any longer.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSELBV2Listener
// id: listener
// identity: account, region, listener
// frameworks: aws-fsbp:ELB.17
// parameters:
//   policies = ["ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-2015-05", "ELBSecurityPolicy-TLS-1-0-2015-04"]:
//     policies that accept TLS 1.0
//   parts = ["TLS-1-1-", "FS-2018-06", "FS-1-1-", "TLS13-1-0-", "TLS13-1-1-"]: parts of names of such policies
// count: MATCH (listener:AWSELBV2Listener) WHERE listener.ssl_policy IS NOT NULL RETURN count(listener) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(listener:AWSELBV2Listener)<-[:ELBV2_LISTENER]-(balancer:AWSLoadBalancerV2)
WHERE listener.ssl_policy IN $policies OR any(part IN $parts WHERE listener.ssl_policy CONTAINS part)
RETURN account.id AS account, balancer.region AS region, listener.id AS listener, balancer.name AS load_balancer,
       listener.port AS port, listener.ssl_policy AS policy, balancer.scheme AS scheme
ORDER BY account, region, listener
