//! Keys of KMS, as Secrets Manager names them.

/// Name of the key that AWS manages for Secrets Manager, in the versions of a secret.
const MANAGED: &str = "DefaultEncryptionKey";

/// Id of a key from its ARN or id: secrets made in the console have an id (Secrets Manager API Reference,
/// `DescribeSecret`), and the replicas of a multi-Region key share theirs. `None` for an alias, and for the key that AWS
/// manages.
pub(crate) fn id(key: &str) -> Option<&str> {
    let id = key.split_once(":key/").map_or(key, |(_, id)| id);
    (id != MANAGED && !id.contains([':', '/'])).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn ids_and_arns_of_keys_have_an_id() {
        let arn = "arn:aws:kms:us-east-1:111111111111:key/mrk-1234abcd";
        assert_eq!([arn, "mrk-1234abcd"].map(id), [Some("mrk-1234abcd"); 2]);
        let alias = "arn:aws:kms:us-east-1:111111111111:alias/shared";
        assert_eq!([alias, "alias/shared", "DefaultEncryptionKey"].map(id), [None; 3]);
    }
}
