// title: Running instances whose agent of Systems Manager is silent
// why: Patches and commands do not arrive, and the instance looks managed.
// service: ssm
// severity: low
// maturity: stable
// asset: AWSSSMInstanceInformation
// id: instance
// identity: account, region, instance
// count: MATCH (information:AWSSSMInstanceInformation) RETURN count(information) AS checked

MATCH (account:AWSAccount)-[:RESOURCE]->(information:AWSSSMInstanceInformation)
      <-[:HAS_INFORMATION]-(instance:AWSEC2Instance)
WHERE information.ping_status <> 'Online' AND instance.state = 'running'
RETURN account.id AS account, information.region AS region, information.instance_id AS instance,
       information.ping_status AS status, information.agent_version AS agent,
       CASE WHEN information.last_ping_date_time IS NULL THEN null
       ELSE toString(date(datetime({epochSeconds: information.last_ping_date_time}))) END AS last_heard
ORDER BY account, region, instance
