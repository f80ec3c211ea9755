// title: Reserved instances that end soon
// why: The instances continue at several times the price.
// service: ec2
// severity: informational
// maturity: stable
// asset: AWSEC2ReservedInstance
// id: reservation
// identity: account, region, reservation
// parameters:
//   days = 30: days until the end
// count: MATCH (reserved:AWSEC2ReservedInstance) WHERE reserved.state = 'active' RETURN count(reserved) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(reserved:AWSEC2ReservedInstance)
WHERE reserved.state = 'active'
WITH account, reserved, datetime(replace(reserved.end, ' ', 'T')) AS end
WHERE end < datetime() + duration({days: $days})
RETURN account.id AS account, reserved.region AS region, reserved.id AS reservation, reserved.type AS type,
       reserved.count AS instances, toString(date(end)) AS ends
ORDER BY account, region, reservation
