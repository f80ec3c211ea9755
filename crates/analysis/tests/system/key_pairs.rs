//! Key pairs.

use crate::world::{check, edges};
use expect_test::expect;

const MAKE: &str = "WITH '00:11:22:33:44:55:66:77:88:99:aa:bb:cc:dd:ee:ff' AS md5 \
    CREATE (a:AWSEC2KeyPair {id: 'a', keyfingerprint: md5}), (b:AWSEC2KeyPair {id: 'b', keyfingerprint: md5}), \
    (c:AWSEC2KeyPair {id: 'c', keyfingerprint: md5}), \
    (d:AWSEC2KeyPair {id: 'd', keyfingerprint: 'sha', user_uploaded: true, duplicate_keyfingerprint: true}), \
    (:AWSEC2KeyPair {id: 'e'}), (:AWSEC2KeyPair {id: 'f'}), \
    (c)-[:MATCHING_FINGERPRINT {lastupdated: 50, firstseen: 7}]->(a), \
    (d)-[:MATCHING_FINGERPRINT {lastupdated: 50, firstseen: 7}]->(a)";

#[tokio::test]
async fn uploaded_and_duplicate_keys_are_marked() -> anyhow::Result<()> {
    let question = "MATCH (k:AWSEC2KeyPair) RETURN k.id AS a, k.user_uploaded AS b, k.duplicate_keyfingerprint AS c \
        ORDER BY a";
    let expected = expect![[r"
        a true true
        b true true
        c true true
        d null null
        e null null
        f null null
    "]];
    check(&["key_pairs"], MAKE, question, expected).await
}

#[tokio::test]
async fn two_pairs_with_one_key_have_one_edge() -> anyhow::Result<()> {
    let expected = expect![[r#"
        a MATCHING_FINGERPRINT b [["lastupdated",100]] true
        b MATCHING_FINGERPRINT c [["lastupdated",100]] true
        c MATCHING_FINGERPRINT a [["lastupdated",100]] true
    "#]];
    check(&["matching_key_pairs"], MAKE, &edges("MATCHING_FINGERPRINT"), expected).await
}
