// When an account, and its assets of some types, were last surveyed completely: `(:ModuleSyncMetadata:SyncMetadata)`.
// What the sync did not ask for, or not completely get, keeps its older word.
MATCH (scope:GromaScope {tag: $tag})
WITH scope.account AS account, scope.service AS service, scope.state = 'finished' AS complete
UNWIND ['AWSAccount'] + CASE service
  WHEN 'iam' THEN ['AWSPrincipal']
  WHEN 's3' THEN ['AWSS3Bucket']
  WHEN 's3control' THEN ['AWSS3AccountPublicAccessBlock']
  WHEN 'secretsmanager' THEN ['AWSSecretsManagerSecretVersion']
  WHEN 'sns' THEN ['AWSSNSTopic']
  ELSE []
END AS synced
WITH account, synced, collect(complete) AS parts
WHERE NOT false IN parts
WITH account, synced, 'AWSAccount_' + account + '_' + synced AS id
WHERE NOT EXISTS { MATCH (word:ModuleSyncMetadata {id: id}) WHERE word:SyncMetadata AND word.lastupdated >= $tag }
WITH account, synced, id LIMIT $chunk
MERGE (word:ModuleSyncMetadata {id: id})
ON CREATE SET word.firstseen = timestamp()
SET word:SyncMetadata, word.syncedtype = synced, word.grouptype = 'AWSAccount', word.groupid = account,
    word.lastupdated = CASE WHEN word.lastupdated > $tag THEN word.lastupdated ELSE $tag END
RETURN count(*) AS written
