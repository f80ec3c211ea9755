//! Layers that functions use: `ListFunctions` -> `(:AWSLambdaLayer)`.

use crate::function::LABEL;
use aws_sdk_lambda::types::{FunctionConfiguration, Layer};
use collector::{CollectError, Edge, Node, Sink, one, prop};
use std::collections::HashSet;

/// A version of a layer, with the ARN of a function that uses it.
#[derive(Debug, Clone)]
pub(crate) struct Use {
    function: String,
    layer: Layer,
}

const LAYER_LABEL: &str = "AWSLambdaLayer";
const OF_FUNCTION: Edge<Use> = Edge::incoming("HAS", LABEL, "id", |it, _| one(Some(&it.function)));

/// Versions of layers, each with the first of its functions. They may belong to other accounts.
pub(crate) static LAYER: Node<Use> = Node {
    id,
    props: &[
        prop("arn", |it, _| it.layer.arn().into()),
        prop("codesize", |it, _| it.layer.code_size().into()),
        prop("signingprofileversionarn", |it, _| it.layer.signing_profile_version_arn().into()),
        prop("signingjobarn", |it, _| it.layer.signing_job_arn().into()),
        prop("functionarn", |it, _| (&it.function).into()),
    ],
    edges: &[Edge::account(), OF_FUNCTION],
    ..Node::of(LAYER_LABEL)
};

/// Versions of layers as their further functions know them. Without properties: rows may be written in any order, and
/// `functionarn` would depend on it.
pub(crate) static FURTHER_USE: Node<Use> = Node { id, edges: &[OF_FUNCTION], ..Node::of(LAYER_LABEL) };

fn id(it: &Use, _: &collector::Place) -> String {
    it.layer.arn().unwrap_or_default().to_owned()
}

/// Versions of layers that a listing has written.
#[derive(Debug, Default)]
pub(crate) struct Layers(HashSet<String>);

impl Layers {
    /// Writes the layers of a function.
    ///
    /// # Errors
    /// Fails if the bus rejects a batch.
    pub(crate) async fn emit(&mut self, function: &FunctionConfiguration, sink: &mut Sink) -> Result<(), CollectError> {
        for layer in function.layers() {
            let function = function.function_arn().unwrap_or_default().to_owned();
            let is_new = self.0.insert(layer.arn().unwrap_or_default().to_owned());
            let table = if is_new { &LAYER } else { &FURTHER_USE };
            sink.emit(table, &Use { function, layer: layer.clone() }).await?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::{FunctionConfiguration, LAYER, Layer, Layers, Use};
    use collector::{
        Sink,
        testing::{place, render, render_batches},
    };
    use expect_test::expect;

    #[test]
    fn a_full_layer_leaves_nothing_null() {
        let layer = Layer::builder()
            .arn("arn:aws:lambda:us-east-1:222222222222:layer:shared:7")
            .code_size(1234)
            .signing_profile_version_arn("arn:aws:signer:us-east-1:222222222222:/signing-profiles/p/1")
            .signing_job_arn("arn:aws:signer:us-east-1:222222222222:/signing-jobs/1")
            .build();
        let function = "arn:aws:lambda:us-east-1:111111111111:function:orders".into();
        expect![[r#"
            (:AWSLambdaLayer {id: "arn:aws:lambda:us-east-1:222222222222:layer:shared:7"})
              arn = "arn:aws:lambda:us-east-1:222222222222:layer:shared:7"
              codesize = 1234
              signingprofileversionarn = "arn:aws:signer:us-east-1:222222222222:/signing-profiles/p/1"
              signingjobarn = "arn:aws:signer:us-east-1:222222222222:/signing-jobs/1"
              functionarn = "arn:aws:lambda:us-east-1:111111111111:function:orders"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:HAS]-(:AWSLambda {id: "arn:aws:lambda:us-east-1:111111111111:function:orders"})
        "#]]
        .assert_eq(&render(&LAYER, &Use { function, layer }, &[]));
    }

    #[tokio::test]
    async fn a_shared_layer_is_linked_to_each_of_its_functions() {
        let (mut layers, mut sink) = (Layers::default(), Sink::to_memory(place()));
        for function in ["a", "b"] {
            let layer = Layer::builder().arn("shared").build();
            let function = FunctionConfiguration::builder().function_arn(function).layers(layer).build();
            layers.emit(&function, &mut sink).await.expect("in memory");
        }
        expect![[r#"
            (:AWSLambdaLayer {id: "shared"})
              arn = "shared"
              codesize = 0
              signingprofileversionarn = null
              signingjobarn = null
              functionarn = "a"
            (:AWSLambdaLayer {id: "shared"})
            (:AWSLambdaLayer {id: "shared"})<-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
            (:AWSLambdaLayer {id: "shared"})<-[:HAS]-(:AWSLambda {id: "a"})
            (:AWSLambdaLayer {id: "shared"})<-[:HAS]-(:AWSLambda {id: "b"})
        "#]]
        .assert_eq(&render_batches(&sink.into_batches().await.expect("in memory")));
    }
}
