// title: Accounts that do not block public buckets completely
// why: The block of the account is the one setting that no mistake with a single bucket can undo. It is the same in
//   every region.
// service: s3
// severity: medium
// maturity: stable
// asset: AWSS3AccountPublicAccessBlock
// id: account
// identity: account
// frameworks: aws-fsbp:S3.1, cis-aws-3.0:2.1.4
// count: MATCH (block:AWSS3AccountPublicAccessBlock) RETURN count(DISTINCT block.account_id) AS checked

MATCH (block:AWSS3AccountPublicAccessBlock)
WITH block.account_id AS account_id, collect(block) AS blocks
WITH account_id, [name IN ['block_public_acls', 'ignore_public_acls', 'block_public_policy', 'restrict_public_buckets']
                  WHERE any(block IN blocks WHERE NOT coalesce(block[name], false))] AS missing, blocks
WHERE size(missing) > 0
RETURN account_id AS account, reduce(first = null, block IN blocks |
         CASE WHEN first IS NULL OR block.region < first THEN block.region ELSE first END) AS region, missing AS missing
ORDER BY account
