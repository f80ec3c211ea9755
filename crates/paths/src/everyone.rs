//! Assets that everyone reaches without a network path: public buckets, functions and roles, as in the questions about them.

use crate::hop::{BUCKET, FUNCTION, ROLE};
use graph::{GraphError, GraphStore, parameters};
use neo4rs::DeError;

/// Labels of such assets, each with the statement that finds them. A statement returns `element`, `reason` and `doubt`.
pub(crate) const EVERYONE: [(&str, &str); 3] = [(BUCKET, BUCKETS), (FUNCTION, FUNCTIONS), (ROLE, ROLES)];

/// A bucket, as the question `s3_bucket_public` has it. The block is the account's, whatever its region.
const BUCKETS: &str = "UNWIND $elements AS element \
    MATCH (bucket:AWSS3Bucket {anonymous_access: true}) WHERE elementId(bucket) = element \
    OPTIONAL MATCH (bucket)<-[:RESOURCE]-(account:AWSAccount) \
    OPTIONAL MATCH (known:AWSS3AccountPublicAccessBlock) WHERE known.id STARTS WITH account.id + ':' \
    WITH element, bucket, known ORDER BY known.id \
    WITH element, bucket, collect(known) AS blocks \
    WITH element, bucket, coalesce([known IN blocks WHERE known.region = bucket.region][0], blocks[0]) AS block \
    WITH element, bucket, \
      coalesce(bucket.restrict_public_buckets, false) OR coalesce(block.restrict_public_buckets, false) \
        AS policy_is_blocked, \
      coalesce(bucket.ignore_public_acls, false) OR coalesce(block.ignore_public_acls, false) \
        OR coalesce(bucket.object_ownership, '') = 'BucketOwnerEnforced' AS acl_is_ignored \
    WITH element, bucket, NOT acl_is_ignored AND EXISTS { MATCH (bucket)<-[:APPLIES_TO]-(acl:AWSS3Acl) \
        WHERE acl.uri ENDS WITH '/groups/global/AllUsers' OR acl.uri ENDS WITH '/groups/global/AuthenticatedUsers' } \
        AS by_acl, \
      NOT policy_is_blocked AND EXISTS { MATCH (bucket)-[:POLICY_STATEMENT]->(s:AWSS3PolicyStatement) \
        WHERE s.effect = 'Allow' AND (s.principal IS NULL OR s.principal CONTAINS '*') } AS by_policy \
    WHERE by_acl OR by_policy \
    RETURN element, CASE WHEN by_policy THEN 'its policy admits everyone' \
        ELSE 'its access control list admits everyone' END AS reason, \
      CASE WHEN EXISTS { (bucket)-[:POLICY_STATEMENT]->(:AWSS3PolicyStatement {effect: 'Deny'}) } \
        THEN 'the bucket policy has a statement that denies' END AS doubt";

/// A function, as the question `lambda_public` has it.
const FUNCTIONS: &str = "UNWIND $elements AS element MATCH (function:AWSLambda) WHERE elementId(function) = element \
    AND function.anonymous_access RETURN element, 'its policy lets everyone call it' AS reason, null AS doubt";

/// A role, as the question `role_trusts_everyone` has it.
const ROLES: &str = "UNWIND $elements AS element MATCH (role:AWSRole) WHERE elementId(role) = element \
    AND any(statement IN split(role._groma_trust, '},{') WHERE statement CONTAINS '\"effect\":\"Allow\"' \
      AND statement CONTAINS '\"condition\":null' AND statement CONTAINS '[\"AWS\",\"*\"]') \
    RETURN element, 'its trust policy admits every AWS account' AS reason, null AS doubt";

/// An asset that everyone reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Public {
    /// Id in the database.
    pub(crate) element: String,
    /// Reason.
    pub(crate) reason: String,
    /// Reason for which it is only possible.
    pub(crate) doubt: Option<String>,
}

/// Returns those of the assets that everyone reaches. `statement`: that of their label in [`EVERYONE`].
///
/// # Errors
/// The graph cannot be read.
pub(crate) async fn everyone(
    store: &GraphStore,
    statement: &str,
    elements: &[String],
) -> Result<Vec<Public>, GraphError> {
    let rows = store.rows(parameters::query(statement, [("elements", parameters::texts(elements))])).await?;
    let read = |row: &neo4rs::Row| -> Result<Public, DeError> {
        Ok(Public { element: row.get("element")?, reason: row.get("reason")?, doubt: row.get("doubt")? })
    };
    Ok(rows.iter().map(read).collect::<Result<_, _>>()?)
}
