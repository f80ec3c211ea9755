//! Public access that an account blocks: `GetPublicAccessBlock` -> `(:AWSS3AccountPublicAccessBlock)`.
//!
//! The setting is the account's. It takes effect in one region after another ("Blocking public access to your Amazon S3
//! storage", Amazon S3 User Guide), so each region is asked, and has a node as in Cartography.

use aws_sdk_s3control::{Client, error::ProvideErrorMetadata, types::PublicAccessBlockConfiguration};
use collector::{CollectError, Collecting, Edge, Listing, Node, Sink, prop};

/// Code of an account that blocks nothing.
const NONE: &str = "NoSuchPublicAccessBlockConfiguration";

/// Blocks of an account, as a region has them.
pub(crate) static PUBLIC_ACCESS_BLOCK: Node<PublicAccessBlockConfiguration> = Node {
    extra_labels: &["S3AccountPublicAccessBlock"],
    id: |_, place| format!("{}:{}", place.account_id, place.region),
    props: &[
        prop("account_id", |_, place| (&place.account_id).into()),
        prop("region", |_, place| (&place.region).into()),
        prop("block_public_acls", |it, _| it.block_public_acls.into()),
        prop("ignore_public_acls", |it, _| it.ignore_public_acls.into()),
        prop("block_public_policy", |it, _| it.block_public_policy.into()),
        prop("restrict_public_buckets", |it, _| it.restrict_public_buckets.into()),
    ],
    edges: &[Edge::account()],
    ..Node::of("AWSS3AccountPublicAccessBlock")
};

/// Listing of the account's blocks in a region.
pub(crate) const LISTING: Listing<Client> = Listing {
    name: "GetPublicAccessBlock",
    actions: &["s3:GetAccountPublicAccessBlock"],
    feeds: &[&PUBLIC_ACCESS_BLOCK],
    collect,
};

fn collect<'a>(s3control: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let account = sink.place().account_id.clone();
        match s3control.get_public_access_block().account_id(account).send().await {
            Ok(answer) => sink.emit_all(&PUBLIC_ACCESS_BLOCK, &answer.public_access_block_configuration).await,
            Err(error) if error.code() == Some(NONE) => Ok(()),
            Err(error) => Err(CollectError::from(error)),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::{LISTING, NONE, PUBLIC_ACCESS_BLOCK, PublicAccessBlockConfiguration};
    use collector::{
        Sink,
        testing::{Canned, node_ids, place, render},
    };
    use expect_test::expect;

    #[test]
    fn full_blocks_leave_nothing_null() {
        let full = PublicAccessBlockConfiguration::builder()
            .block_public_acls(true)
            .ignore_public_acls(false)
            .block_public_policy(true)
            .restrict_public_buckets(false)
            .build();
        expect![[r#"
            (:AWSS3AccountPublicAccessBlock:S3AccountPublicAccessBlock {id: "111111111111:us-east-1"})
              account_id = "111111111111"
              region = "us-east-1"
              block_public_acls = true
              ignore_public_acls = false
              block_public_policy = true
              restrict_public_buckets = false
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&PUBLIC_ACCESS_BLOCK, &full, &[]));
    }

    /// Result of the listing, and the nodes that it writes.
    async fn listed(answer: &str) -> (Result<(), String>, Vec<String>) {
        let server = Canned::answering(&[answer]);
        let mut sink = Sink::to_memory(place());
        let ended = (LISTING.collect)(&(crate::SERVICE.connect)(&server.connection()), &mut sink).await;
        let batches = sink.into_batches().await.expect("in memory");
        (ended.map_err(|error| error.message), node_ids(&batches).map(str::to_owned).collect())
    }

    #[tokio::test]
    async fn an_account_that_blocks_nothing_has_no_node() {
        let some =
            "<PublicAccessBlockConfiguration><BlockPublicAcls>true</BlockPublicAcls></PublicAccessBlockConfiguration>";
        assert_eq!(listed(some).await, (Ok(()), vec!["111111111111:us-east-1".to_owned()]));
        assert_eq!(listed(&format!("!{NONE} not found")).await, (Ok(()), vec![]));
        let denied = "AccessDenied: no".to_owned();
        assert_eq!(listed("!AccessDenied no").await, (Err(denied), vec![]));
    }
}
