//! Default encryption of buckets: `GetBucketEncryption`.

use crate::settings::{Setting, of_buckets};
use aws_sdk_s3::types::{ServerSideEncryptionByDefault, ServerSideEncryptionRule};
use collector::{Edge, Node, Value, copied, kms_key_id, one, prop};

/// Buckets with their default encryption. The key is an ARN, an id or an alias, as the bucket has it. An alias leads to no
/// key, because KMS resolves it in the account of each caller (Amazon S3 API Reference, `PutBucketEncryption`).
pub(crate) static ENCRYPTION: Node<Setting<ServerSideEncryptionRule>> = Node {
    props: &[
        prop("default_encryption", |it, _| default(it).is_some().into()),
        prop("encryption_algorithm", |it, _| {
            Value::text(default(it).map(ServerSideEncryptionByDefault::sse_algorithm))
        }),
        prop("encryption_key_id", |it, _| key(it).into()),
        prop("bucket_key_enabled", |it, _| default(it).and_then(|_| it.value.as_ref()?.bucket_key_enabled()).into()),
    ],
    ontology: &[copied("_ont_encrypted", "default_encryption")],
    edges: &[Edge::out("ENCRYPTED_BY", "AWSKMSKey", "id", |it, _| one(key(it).and_then(kms_key_id)))],
    ..of_buckets()
};

fn default(it: &Setting<ServerSideEncryptionRule>) -> Option<&ServerSideEncryptionByDefault> {
    it.value.as_ref()?.apply_server_side_encryption_by_default()
}

fn key(it: &Setting<ServerSideEncryptionRule>) -> Option<&str> {
    default(it)?.kms_master_key_id()
}

#[cfg(test)]
mod tests {
    use super::{ENCRYPTION, ServerSideEncryptionByDefault, ServerSideEncryptionRule};
    use crate::settings::testing::of_logs;
    use collector::testing::render;
    use expect_test::expect;

    fn rule(key: &str) -> ServerSideEncryptionRule {
        let default = ServerSideEncryptionByDefault::builder().sse_algorithm("aws:kms".into()).kms_master_key_id(key);
        ServerSideEncryptionRule::builder()
            .apply_server_side_encryption_by_default(default.build().expect("full"))
            .bucket_key_enabled(true)
            .build()
    }

    #[test]
    fn full_encryption_leaves_nothing_null() {
        expect![[r#"
            (:AWSS3Bucket:S3Bucket:ObjectStorage {id: "logs"})
              default_encryption = true
              encryption_algorithm = "aws:kms"
              encryption_key_id = "arn:aws:kms:us-east-1:111111111111:key/1234abcd"
              bucket_key_enabled = true
              _ont_encrypted (indexed) = true
              _ont_source = "aws"
              -[:ENCRYPTED_BY]->(:AWSKMSKey {id: "1234abcd"})
        "#]]
        .assert_eq(&render(&ENCRYPTION, &of_logs(Some(rule("arn:aws:kms:us-east-1:111111111111:key/1234abcd"))), &[]));
    }

    #[test]
    fn an_alias_leads_to_no_key() {
        let rendered = render(&ENCRYPTION, &of_logs(Some(rule("alias/shared"))), &[]);
        assert!(rendered.contains(r#"encryption_key_id = "alias/shared""#) && !rendered.contains("ENCRYPTED_BY"));
    }

    #[test]
    fn a_bucket_without_encryption_has_the_defaults() {
        let null = ["encryption_algorithm", "encryption_key_id", "bucket_key_enabled"];
        let rendered = render(&ENCRYPTION, &of_logs(None), &null);
        assert!(
            rendered.contains("default_encryption = false") && rendered.contains("_ont_encrypted (indexed) = false")
        );
    }
}
