//! Key pairs: `DescribeKeyPairs` -> `(:AWSEC2KeyPair)`.

use crate::Clients;
use aws_sdk_ec2::types::KeyPairInfo;
use collector::{Collecting, Edge, Listing, Node, Place, Sink, indexed, prop};

/// Key pairs as `DescribeKeyPairs` knows them. The analysis sets `user_uploaded` and `duplicate_keyfingerprint`.
pub(crate) static KEY_PAIR: Node<KeyPairInfo> = Node {
    extra_labels: LABELS,
    id: |it, place| arn(it.key_name().unwrap_or_default(), place),
    props: &[
        indexed("arn", |it, place| it.key_name().map(|name| arn(name, place)).into()),
        prop("keyname", |it, _| it.key_name().into()),
        indexed("keyfingerprint", |it, _| it.key_fingerprint().into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[Edge::account()],
    ..Node::of("AWSEC2KeyPair")
};

/// Key pairs that instances mention by name.
pub(crate) static MENTION: Node<String> = Node {
    extra_labels: LABELS,
    id: |name, place| arn(name, place),
    props: &[
        indexed("arn", |name, place| arn(name, place).into()),
        prop("keyname", |name, _| name.into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[Edge::account()],
    ..Node::of("AWSEC2KeyPair")
};

const LABELS: &[&str] = &["EC2KeyPair", "KeyPair"];

/// A key pair's ARN with its name, because instances refer to it by name. (AWS's own ARNs contain the key pair's id.)
pub(crate) fn arn(name: &str, place: &Place) -> String {
    place.arn("ec2", &format!("key-pair/{name}"))
}

/// One call without pages.
pub(crate) const LISTING: Listing<Clients> =
    Listing { name: "DescribeKeyPairs", actions: &["ec2:DescribeKeyPairs"], feeds: &[&KEY_PAIR], collect };

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let answer = clients.ec2.describe_key_pairs().send().await?;
        sink.emit_all(&KEY_PAIR, answer.key_pairs()).await
    })
}

#[cfg(test)]
mod tests {
    use super::{KEY_PAIR, KeyPairInfo, MENTION};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_key_pair_leaves_nothing_null() {
        let key_pair = KeyPairInfo::builder().key_name("deploy").key_fingerprint("1f:51:ae:28").build();
        expect![[r#"
            (:AWSEC2KeyPair:EC2KeyPair:KeyPair {id: "arn:aws:ec2:us-east-1:111111111111:key-pair/deploy"})
              arn (indexed) = "arn:aws:ec2:us-east-1:111111111111:key-pair/deploy"
              keyname = "deploy"
              keyfingerprint (indexed) = "1f:51:ae:28"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&KEY_PAIR, &key_pair, &[]));
    }

    #[test]
    fn a_mentioned_key_pair_has_the_same_id() {
        expect![[r#"
            (:AWSEC2KeyPair:EC2KeyPair:KeyPair {id: "arn:aws:ec2:us-east-1:111111111111:key-pair/deploy"})
              arn (indexed) = "arn:aws:ec2:us-east-1:111111111111:key-pair/deploy"
              keyname = "deploy"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&MENTION, &"deploy".to_owned(), &[]));
    }
}
