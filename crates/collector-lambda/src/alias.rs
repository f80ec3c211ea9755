//! Aliases of a function: `ListAliases` -> `(:AWSLambdaFunctionAlias)`.

use crate::function::LABEL;
use aws_sdk_lambda::{Client, types::AliasConfiguration};
use collector::{CollectError, Edge, Node, indexed, one, paged, prop, unless_gone};

/// An alias, with the ARN of its function.
#[derive(Debug, Clone)]
pub(crate) struct Alias {
    function: String,
    alias: AliasConfiguration,
}

/// Aliases.
pub(crate) static ALIAS: Node<Alias> = Node {
    id: |it, _| it.alias.alias_arn().unwrap_or_default().to_owned(),
    props: &[
        indexed("arn", |it, _| it.alias.alias_arn().into()),
        prop("aliasname", |it, _| it.alias.name().into()),
        prop("functionversion", |it, _| it.alias.function_version().into()),
        prop("description", |it, _| it.alias.description().into()),
        prop("revisionid", |it, _| it.alias.revision_id().into()),
        prop("functionarn", |it, _| (&it.function).into()),
    ],
    edges: &[Edge::account(), Edge::incoming("KNOWN_AS", LABEL, "id", |it, _| one(Some(&it.function)))],
    ..Node::of("AWSLambdaFunctionAlias")
};

/// Reads the aliases of a function. Returns `None` if the function was deleted.
///
/// # Errors
/// Fails if a page cannot be read.
pub(crate) async fn read(client: &Client, arn: &str) -> Result<Option<Vec<Alias>>, CollectError> {
    let mut pages = paged!(client.list_aliases().function_name(arn).max_items(10_000), next_marker);
    let mut aliases = Vec::new();
    while let Some(page) = pages.next().await {
        let Some(page) = unless_gone(page)? else { return Ok(None) };
        let page = page.aliases.into_iter().flatten();
        aliases.extend(page.map(|alias| Alias { function: arn.to_owned(), alias }));
    }
    Ok(Some(aliases))
}

#[cfg(test)]
mod tests {
    use super::{ALIAS, Alias, AliasConfiguration, read};
    use collector::testing::{Canned, render};
    use expect_test::expect;

    #[test]
    fn a_full_alias_leaves_nothing_null() {
        let alias = AliasConfiguration::builder()
            .alias_arn("arn:aws:lambda:us-east-1:111111111111:function:orders:live")
            .name("live")
            .function_version("3")
            .description("in use")
            .revision_id("1234abcd")
            .build();
        let alias = Alias { function: "arn:aws:lambda:us-east-1:111111111111:function:orders".into(), alias };
        expect![[r#"
            (:AWSLambdaFunctionAlias {id: "arn:aws:lambda:us-east-1:111111111111:function:orders:live"})
              arn (indexed) = "arn:aws:lambda:us-east-1:111111111111:function:orders:live"
              aliasname = "live"
              functionversion = "3"
              description = "in use"
              revisionid = "1234abcd"
              functionarn = "arn:aws:lambda:us-east-1:111111111111:function:orders"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:KNOWN_AS]-(:AWSLambda {id: "arn:aws:lambda:us-east-1:111111111111:function:orders"})
        "#]]
        .assert_eq(&render(&ALIAS, &alias, &[]));
    }

    #[tokio::test]
    async fn all_pages_are_read() {
        let pages = [r#"{"Aliases": [{"Name": "a"}], "NextMarker": "more"}"#, r#"{"Aliases": [{"Name": "b"}]}"#];
        let server = Canned::answering(&pages);
        let aliases = read(&(crate::SERVICE.connect)(&server.connection()).sdk, "arn").await.expect("answered");
        let names: Vec<_> = aliases.iter().flatten().filter_map(|it| it.alias.name()).collect();
        assert_eq!(names, ["a", "b"]);
        assert!(server.requests()[1].uri.contains("Marker=more"));
    }
}
