//! Aliases of keys: `ListAliases` -> `(:AWSKMSAlias)`.

use aws_sdk_kms::{Client, types::AliasListEntry};
use collector::{Collecting, Edge, Listing, Node, Sink, indexed, one, paged, prop, seconds};

/// Aliases, those that AWS manages among them.
pub(crate) static ALIAS: Node<AliasListEntry> = Node {
    extra_labels: &["KMSAlias"],
    id: |it, _| it.alias_arn().unwrap_or_default().to_owned(),
    props: &[
        indexed("arn", |it, _| it.alias_arn().into()),
        indexed("alias_name", |it, _| it.alias_name().into()),
        prop("target_key_id", |it, _| it.target_key_id().into()),
        prop("creation_date", |it, _| seconds(it.creation_date())),
        prop("last_updated_date", |it, _| seconds(it.last_updated_date())),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[Edge::account(), Edge::out("KNOWN_AS", "AWSKMSKey", "id", |it, _| one(it.target_key_id()))],
    ..Node::of("AWSKMSAlias")
};

/// Listing of a region's aliases.
pub(crate) const LISTING: Listing<Client> =
    Listing { name: "ListAliases", actions: &["kms:ListAliases"], feeds: &[&ALIAS], collect };

fn collect<'a>(kms: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(kms.list_aliases().limit(100), next_marker);
        while let Some(page) = pages.next().await {
            for alias in page?.aliases.unwrap_or_default() {
                if has_key(&alias) {
                    sink.emit(&ALIAS, &alias).await?;
                }
            }
        }
        Ok(())
    })
}

/// Whether the alias belongs to a key. AWS predefines aliases such as `alias/aws/s3` in every account; they get a key when
/// the service first needs one (AWS KMS API Reference, `ListAliases`).
fn has_key(alias: &AliasListEntry) -> bool {
    alias.target_key_id().is_some_and(|key| !key.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{ALIAS, AliasListEntry, LISTING};
    use aws_sdk_kms::primitives::DateTime;
    use collector::{
        Sink,
        testing::{Canned, node_ids, place, render},
    };
    use expect_test::expect;

    #[test]
    fn a_full_alias_leaves_nothing_null() {
        let alias = AliasListEntry::builder()
            .alias_arn("arn:aws:kms:us-east-1:111111111111:alias/orders")
            .alias_name("alias/orders")
            .target_key_id("1234abcd")
            .creation_date(DateTime::from_secs_f64(1_700_000_000.75))
            .last_updated_date(DateTime::from_secs(1_710_000_000))
            .build();
        expect![[r#"
            (:AWSKMSAlias:KMSAlias {id: "arn:aws:kms:us-east-1:111111111111:alias/orders"})
              arn (indexed) = "arn:aws:kms:us-east-1:111111111111:alias/orders"
              alias_name (indexed) = "alias/orders"
              target_key_id = "1234abcd"
              creation_date = 1700000000
              last_updated_date = 1710000000
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:KNOWN_AS]->(:AWSKMSKey {id: "1234abcd"})
        "#]]
        .assert_eq(&render(&ALIAS, &alias, &[]));
    }

    #[tokio::test]
    async fn an_alias_that_names_no_key_yet_has_no_row() {
        let server = Canned::answering(&[r#"{"Aliases": [
            {"AliasArn": "arn:aws:kms:us-east-1:111111111111:alias/aws/s3", "AliasName": "alias/aws/s3"},
            {"AliasArn": "arn:aws:kms:us-east-1:111111111111:alias/aws/ebs", "TargetKeyId": "1234abcd"}]}"#]);
        let mut sink = Sink::to_memory(place());
        (LISTING.collect)(&(crate::SERVICE.connect)(&server.connection()), &mut sink).await.expect("answered");
        let batches = sink.into_batches().await.expect("in memory");
        let ids: Vec<&str> = node_ids(&batches).collect();
        assert_eq!(ids, ["arn:aws:kms:us-east-1:111111111111:alias/aws/ebs"]);
    }
}
