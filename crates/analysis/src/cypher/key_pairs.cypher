// Which key pairs were made elsewhere (`user_uploaded`), and which hold the key of another (`duplicate_keyfingerprint`).
// AWS fingerprints an uploaded key with MD5, 47 characters, and a key of its own making with a longer hash.
MATCH (pair:AWSEC2KeyPair)
WITH pair.keyfingerprint AS fingerprint, collect(pair) AS pairs
UNWIND pairs AS pair
WITH pair, CASE WHEN size(fingerprint) = 47 THEN true END AS uploaded,
     CASE WHEN fingerprint IS NOT NULL AND size(pairs) > 1 THEN true END AS duplicate
WHERE (pair.user_uploaded IS NULL) <> (uploaded IS NULL) OR pair.user_uploaded <> uploaded
   OR (pair.duplicate_keyfingerprint IS NULL) <> (duplicate IS NULL) OR pair.duplicate_keyfingerprint <> duplicate
WITH pair, uploaded, duplicate LIMIT $chunk
SET pair.user_uploaded = uploaded, pair.duplicate_keyfingerprint = duplicate
RETURN count(*) AS written
