// title: Accounts that do not block public buckets completely
// why: The block of the account is the one setting that no mistake with a single bucket can undo. It is the same in
//   every region. An account that never set it blocks nothing; its region is `global`.
// service: s3
// severity: medium
// maturity: stable
// asset: AWSS3AccountPublicAccessBlock
// id: account
// identity: account
// frameworks: aws-fsbp:S3.1, cis-aws-3.0:2.1.4
// needs: analysis
// count: CALL () {
//   MATCH (sync:ModuleSyncMetadata) WHERE sync.syncedtype = 'AWSS3AccountPublicAccessBlock' RETURN sync.groupid AS id
//   UNION MATCH (block:AWSS3AccountPublicAccessBlock) RETURN block.account_id AS id
//   } RETURN count(id) AS checked

// Accounts whose block was read in every region, which may have none, and those with a block in some region.
CALL () {
  MATCH (sync:ModuleSyncMetadata)
  WHERE sync.syncedtype = 'AWSS3AccountPublicAccessBlock'
  RETURN sync.groupid AS account_id
  UNION
  MATCH (known:AWSS3AccountPublicAccessBlock)
  RETURN known.account_id AS account_id
}
OPTIONAL MATCH (block:AWSS3AccountPublicAccessBlock)
WHERE block.id STARTS WITH account_id + ':'
WITH account_id, collect(block) AS blocks, min(block.region) AS region
WITH account_id, region, [name
    IN ['block_public_acls', 'ignore_public_acls', 'block_public_policy', 'restrict_public_buckets']
    WHERE size(blocks) = 0 OR any(block IN blocks WHERE NOT coalesce(block[name], false))] AS missing
WHERE size(missing) > 0
RETURN account_id AS account, coalesce(region, 'global') AS region, missing AS missing
ORDER BY account
