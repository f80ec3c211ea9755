MATCH (user:AWSUser)-[:AWS_ACCESS_KEY]->(key:AWSAccountAccessKey {status: 'Active'})
WHERE key.createdate_dt < datetime() - duration({years: 1})
MATCH (account:AWSAccount)-[:RESOURCE]->(user)
RETURN key.accesskeyid AS key, user.name AS user, account.name AS account, toString(date(key.createdate_dt)) AS created,
       coalesce(toString(date(key.lastuseddate_dt)), 'never') AS last_used
ORDER BY created, key
