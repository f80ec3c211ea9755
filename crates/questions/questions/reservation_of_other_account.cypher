// title: Running instances that another account started
// why: Services of AWS, such as Auto Scaling, start instances for an account, and appear with an account of their own.
//   Any other account is a surprise.
// service: ec2
// severity: informational
// maturity: experimental
// asset: AWSEC2Reservation
// id: reservation
// identity: account, region, reservation
// count: MATCH (reservation:AWSEC2Reservation) RETURN count(reservation) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(reservation:AWSEC2Reservation)
WHERE reservation.requesterid IS NOT NULL AND reservation.requesterid <> reservation.ownerid
MATCH (reservation)<-[:MEMBER_OF_EC2_RESERVATION]-(instance:AWSEC2Instance)
// Auto Scaling starts the members of its groups.
WHERE instance.state = 'running' AND NOT EXISTS { (instance)-[:MEMBER_AUTO_SCALE_GROUP]->(:AWSAutoScalingGroup) }
WITH account, reservation, instance ORDER BY instance.instanceid
RETURN account.id AS account, reservation.region AS region, reservation.reservationid AS reservation,
       reservation.requesterid AS requester, collect(instance.instanceid) AS instances
ORDER BY account, region, reservation
