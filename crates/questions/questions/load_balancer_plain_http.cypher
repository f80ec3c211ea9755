// title: Listeners of the internet that forward requests over plain HTTP
// why: Everyone on the way can read and change the requests. A listener that only redirects to HTTPS names no target
//   group and does not count.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSELBV2Listener
// id: listener
// identity: account, region, listener
// frameworks: aws-fsbp:ELB.1
// count: MATCH (:AWSLoadBalancerV2 {scheme: 'internet-facing'})-[:ELBV2_LISTENER]->(listener:AWSELBV2Listener) RETURN
//   count(listener) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(balancer:AWSLoadBalancerV2)-[:ELBV2_LISTENER]->(listener:AWSELBV2Listener)
WHERE balancer.scheme = 'internet-facing' AND listener.protocol = 'HTTP' AND listener.targetgrouparn IS NOT NULL
RETURN account.id AS account, balancer.region AS region, listener.id AS listener, balancer.name AS load_balancer,
       balancer.dnsname AS name, listener.port AS port
ORDER BY account, region, listener
