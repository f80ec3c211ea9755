// When an account, and the principals in it, were last surveyed completely: `(:ModuleSyncMetadata:SyncMetadata)`.
// What the sync did not ask for, or not completely get, keeps its older word.
MATCH (scope:GromaScope {tag: $tag})
WITH scope.account AS account, scope.service AS service, scope.state = 'finished' AS complete
CALL {
  WITH account, service, complete
  RETURN 'AWSAccount' AS synced
  UNION ALL
  WITH account, service, complete
  WITH service WHERE service = 'iam'
  RETURN 'AWSPrincipal' AS synced
}
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
