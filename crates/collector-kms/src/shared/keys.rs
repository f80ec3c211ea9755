//! Keys of a region: their ids, and the description of one key.

use aws_sdk_kms::{
    Client,
    operation::list_keys::{ListKeysError, ListKeysOutput},
    types::{KeyManagerType, KeyMetadata},
};
use collector::{CollectError, Pages, paged, unless_gone};
use events::FailureClass;

/// Limit of concurrent calls about keys in a listing. The limiter enforces AWS's quotas.
pub(crate) const AT_ONCE: usize = 16;

/// Pages of all keys: those of the account, and those that AWS manages for services in the account.
pub(crate) fn pages(kms: &Client) -> Pages<ListKeysOutput, ListKeysError> {
    paged!(kms.list_keys().limit(1000), next_marker)
}

/// Ids of the keys on a page.
pub(crate) fn ids(page: ListKeysOutput) -> impl Iterator<Item = String> {
    page.keys.into_iter().flatten().filter_map(|key| key.key_id)
}

/// Describes a key. Returns `None` if the key was deleted.
///
/// # Errors
/// Fails if the call fails, or its answer has no metadata.
pub(crate) async fn describe(kms: &Client, id: &str) -> Result<Option<KeyMetadata>, CollectError> {
    let Some(answer) = unless_gone(kms.describe_key().key_id(id).send().await)? else { return Ok(None) };
    answer.key_metadata.map(Some).ok_or_else(|| CollectError::without("metadata"))
}

/// Whether AWS manages the key. Its policy then cannot be changed.
pub(crate) fn is_of_aws(key: &KeyMetadata) -> bool {
    key.key_manager() == Some(&KeyManagerType::Aws)
}

/// Whether the key's own policy denied the call, and not a policy of the caller or its organization. The message ends with
/// `because no resource-based policy allows the … action` or `with an explicit deny in a resource-based policy` ("Troubleshoot
/// access denied error messages", AWS IAM User Guide).
pub(crate) fn is_denied_by_key(error: &CollectError) -> bool {
    error.class == FailureClass::AccessDenied && error.message.contains("resource-based policy")
}
