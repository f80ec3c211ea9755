//! Keys of KMS, as the answers of all services name them.

/// Id of the KMS key that `name`, its ARN or id, names. The replicas of a multi-Region key share their id. `None` for an
/// alias and its ARN.
pub fn kms_key_id(name: &str) -> Option<&str> {
    let id = name.split_once(":key/").map_or(name, |(_, id)| id);
    (!id.contains([':', '/'])).then_some(id)
}

#[cfg(test)]
mod tests {
    use super::kms_key_id;

    #[test]
    fn ids_and_arns_of_keys_have_an_id() {
        let arn = "arn:aws:kms:us-east-1:111111111111:key/mrk-1234abcd";
        assert_eq!([arn, "mrk-1234abcd"].map(kms_key_id), [Some("mrk-1234abcd"); 2]);
    }

    #[test]
    fn aliases_have_none() {
        let arn = "arn:aws:kms:us-east-1:111111111111:alias/shared";
        assert_eq!([arn, "alias/shared"].map(kms_key_id), [None; 2]);
    }
}
