//! Keys of KMS, as Secrets Manager names them.

use collector::kms_key_id;

/// Name of the key that AWS manages for Secrets Manager, in the versions of a secret.
const MANAGED: &str = "DefaultEncryptionKey";

/// Id of a key from its ARN or id: secrets made in the console have an id (Secrets Manager API Reference,
/// `DescribeSecret`). `None` for an alias, and for the key that AWS manages.
pub(crate) fn id(key: &str) -> Option<&str> {
    kms_key_id(key).filter(|&id| id != MANAGED)
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn the_managed_key_has_no_id() {
        assert_eq!(["1234abcd", "DefaultEncryptionKey"].map(id), [Some("1234abcd"), None]);
    }
}
