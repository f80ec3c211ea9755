//! State of a function: `GetFunctionConfiguration` -> `(:AWSLambda)`. `ListFunctions` does not return it (AWS Lambda API
//! Reference).

use crate::function::{EXTRA_LABELS, LABEL};
use aws_sdk_lambda::{Client, operation::get_function_configuration::GetFunctionConfigurationOutput as Configuration};
use collector::{CollectError, Node, Value, prop, unless_gone};

/// State of a function.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    /// ARN of the function.
    function: String,
    /// Configuration, of which only the state is read.
    configuration: Configuration,
}

/// Functions with their state.
pub(crate) static STATUS: Node<Status> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| it.function.clone(),
    props: &[
        prop("state", |it, _| Value::text(it.configuration.state())),
        prop("statereason", |it, _| it.configuration.state_reason().into()),
        prop("statereasoncode", |it, _| Value::text(it.configuration.state_reason_code())),
        prop("lastupdatestatus", |it, _| Value::text(it.configuration.last_update_status())),
        prop("lastupdatestatusreason", |it, _| it.configuration.last_update_status_reason().into()),
        prop("lastupdatestatusreasoncode", |it, _| Value::text(it.configuration.last_update_status_reason_code())),
    ],
    ..Node::of(LABEL)
};

/// Reads the state of a function. Returns `None` if the function was deleted.
///
/// # Errors
/// Fails if the call fails.
pub(crate) async fn read(client: &Client, arn: &str) -> Result<Option<Status>, CollectError> {
    let answer = unless_gone(client.get_function_configuration().function_name(arn).send().await)?;
    Ok(answer.map(|configuration| Status { function: arn.to_owned(), configuration }))
}

#[cfg(test)]
mod tests {
    use super::{STATUS, read};
    use collector::testing::{Canned, render};
    use expect_test::expect;

    #[tokio::test]
    async fn a_full_state_leaves_nothing_null() {
        let server =
            Canned::answering(&[r#"{"State": "Inactive", "StateReason": "It is idle", "StateReasonCode": "Idle",
            "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "No image",
            "LastUpdateStatusReasonCode": "ImageDeleted"}"#]);
        let lambda = (crate::SERVICE.connect)(&server.connection());
        let arn = "arn:aws:lambda:us-east-1:111111111111:function:orders";
        let status = read(&lambda.sdk, arn).await.expect("answered").expect("it is there");
        expect![[r#"
            (:AWSLambda:Function {id: "arn:aws:lambda:us-east-1:111111111111:function:orders"})
              state = "Inactive"
              statereason = "It is idle"
              statereasoncode = "Idle"
              lastupdatestatus = "Failed"
              lastupdatestatusreason = "No image"
              lastupdatestatusreasoncode = "ImageDeleted"
        "#]]
        .assert_eq(&render(&STATUS, &status, &[]));
    }
}
