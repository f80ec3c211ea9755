// Accounts that no sync surveys, known only because others name them: `foreign`.
MATCH (account:AWSAccount)
WITH account, CASE WHEN account.inscope IS NULL THEN true END AS foreign
WHERE (account.foreign IS NULL) <> (foreign IS NULL) OR account.foreign <> foreign
WITH account, foreign LIMIT $chunk
SET account.foreign = foreign
RETURN count(*) AS written
