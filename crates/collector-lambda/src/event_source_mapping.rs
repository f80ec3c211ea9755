//! Event source mappings: `ListEventSourceMappings` -> `(:AWSLambdaEventSourceMapping)`.
//!
//! Without a function's name, AWS lists all mappings of the region in pages of 100.

use crate::{function::LABEL, lambda::Lambda};
use aws_sdk_lambda::types::EventSourceMappingConfiguration;
use collector::{Collecting, Edge, Listing, Node, Prop, Sink, Value, one, paged, prop, unqualified_function};

/// Event source mappings. `FunctionArn` may name a version or an alias; the edge comes from the function itself.
pub(crate) static MAPPING: Node<EventSourceMappingConfiguration> = Node {
    id: |it, _| it.uuid().unwrap_or_default().to_owned(),
    props: PROPS,
    edges: &[
        Edge::account(),
        Edge::incoming("RESOURCE", LABEL, "id", |it, _| one(it.function_arn().map(unqualified_function))),
    ],
    ..Node::of("AWSLambdaEventSourceMapping")
};

const PROPS: &[Prop<EventSourceMappingConfiguration>] = &[
    prop("batchsize", |it, _| it.batch_size().into()),
    prop("startingposition", |it, _| Value::text(it.starting_position())),
    prop("startingpositiontimestamp", |it, _| it.starting_position_timestamp().into()),
    prop("parallelizationfactor", |it, _| it.parallelization_factor().into()),
    prop("maximumbatchingwindowinseconds", |it, _| it.maximum_batching_window_in_seconds().into()),
    prop("eventsourcearn", |it, _| it.event_source_arn().into()),
    prop("lastmodified", |it, _| it.last_modified().into()),
    prop("lastprocessingresult", |it, _| it.last_processing_result().into()),
    prop("state", |it, _| it.state().into()),
    prop("maximumrecordage", |it, _| it.maximum_record_age_in_seconds().into()),
    prop("bisectbatchonfunctionerror", |it, _| it.bisect_batch_on_function_error().into()),
    prop("maximumretryattempts", |it, _| it.maximum_retry_attempts().into()),
    prop("tumblingwindowinseconds", |it, _| it.tumbling_window_in_seconds().into()),
    prop("functionarn", |it, _| it.function_arn().into()),
];

/// Listing of a region's event source mappings.
pub(crate) const LISTING: Listing<Lambda> = Listing {
    name: "ListEventSourceMappings",
    actions: &["lambda:ListEventSourceMappings"],
    feeds: &[&MAPPING],
    collect,
};

fn collect<'a>(lambda: &'a Lambda, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut pages = paged!(lambda.sdk.list_event_source_mappings().max_items(100), next_marker);
        while let Some(page) = pages.next().await {
            sink.emit_all(&MAPPING, page?.event_source_mappings()).await?;
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{EventSourceMappingConfiguration, MAPPING};
    use aws_sdk_lambda::primitives::DateTime;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_mapping_leaves_nothing_null() {
        let mapping = EventSourceMappingConfiguration::builder()
            .uuid("1234abcd")
            .batch_size(10)
            .starting_position("AT_TIMESTAMP".into())
            .starting_position_timestamp(DateTime::from_secs(1_700_000_000))
            .parallelization_factor(2)
            .maximum_batching_window_in_seconds(5)
            .event_source_arn("arn:aws:kinesis:us-east-1:111111111111:stream/orders")
            .last_modified(DateTime::from_secs_f64(1_710_000_000.25))
            .last_processing_result("OK")
            .state("Enabled")
            .maximum_record_age_in_seconds(3600)
            .bisect_batch_on_function_error(true)
            .maximum_retry_attempts(3)
            .tumbling_window_in_seconds(60)
            .function_arn("arn:aws:lambda:us-east-1:111111111111:function:orders:live")
            .build();
        expect![[r#"
            (:AWSLambdaEventSourceMapping {id: "1234abcd"})
              batchsize = 10
              startingposition = "AT_TIMESTAMP"
              startingpositiontimestamp = time(1700000000000000)
              parallelizationfactor = 2
              maximumbatchingwindowinseconds = 5
              eventsourcearn = "arn:aws:kinesis:us-east-1:111111111111:stream/orders"
              lastmodified = time(1710000000250000)
              lastprocessingresult = "OK"
              state = "Enabled"
              maximumrecordage = 3600
              bisectbatchonfunctionerror = true
              maximumretryattempts = 3
              tumblingwindowinseconds = 60
              functionarn = "arn:aws:lambda:us-east-1:111111111111:function:orders:live"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:RESOURCE]-(:AWSLambda {id: "arn:aws:lambda:us-east-1:111111111111:function:orders"})
        "#]]
        .assert_eq(&render(&MAPPING, &mapping, &[]));
    }
}
