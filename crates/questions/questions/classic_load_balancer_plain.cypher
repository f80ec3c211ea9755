// title: Listeners of classic load balancers of the internet without encryption
// why: Everyone on the way can read and change the requests.
// service: ec2
// severity: medium
// maturity: stable
// asset: AWSLoadBalancer
// id: load_balancer
// identity: account, region, load_balancer, port
// frameworks: aws-fsbp:ELB.3
// count: MATCH (balancer:AWSLoadBalancer {scheme: 'internet-facing'}) RETURN count(balancer) AS checked

MATCH (balancer:AWSLoadBalancer {scheme: 'internet-facing'})-[:ELB_LISTENER]->(listener:AWSELBListener)
WHERE listener.protocol IN ['HTTP', 'TCP']
MATCH (account:AWSAccount)-[:RESOURCE]->(balancer)
RETURN account.id AS account, balancer.region AS region, balancer.id AS load_balancer, listener.port AS port,
       listener.protocol AS protocol, COUNT { (balancer)-[:EXPOSE]->(:AWSEC2Instance) } AS instances
ORDER BY account, region, load_balancer, port
