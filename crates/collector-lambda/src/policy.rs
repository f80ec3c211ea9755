//! Policy of a function: `GetPolicy` -> `(:AWSLambda)`.

use crate::function::{EXTRA_LABELS, LABEL};
use aws_sdk_lambda::Client;
use collector::{CollectError, Node, Value, prop, unless_gone};
use events::FailureClass;

/// Reach of a function's policy.
#[derive(Debug, Clone)]
pub(crate) struct FunctionPolicy {
    /// ARN of the function.
    function: String,
    reach: Reach,
}

/// Reach of a policy.
#[derive(Debug, Clone, PartialEq)]
enum Reach {
    /// The function has no policy.
    None,
    /// The policy allows nothing to everyone.
    Closed,
    /// The policy allows these actions to everyone.
    Open(Vec<String>),
}

/// Functions with the reach of their policies.
pub(crate) static POLICY: Node<FunctionPolicy> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| it.function.clone(),
    props: &[
        prop("anonymous_access", |it, _| match &it.reach {
            Reach::None => Value::Null,
            Reach::Closed => false.into(),
            Reach::Open(_) => true.into(),
        }),
        prop("anonymous_actions", |it, _| match &it.reach {
            Reach::None => Value::Null,
            Reach::Closed => Value::Strings(Vec::new()),
            Reach::Open(actions) => Value::texts(actions),
        }),
    ],
    ..Node::of(LABEL)
};

/// Reads the reach of a function's policy. AWS has one error for a function without a policy and for a missing function,
/// so this says nothing about whether the function still exists.
///
/// # Errors
/// Fails if the call fails, or its answer is no policy.
pub(crate) async fn read(client: &Client, arn: &str) -> Result<FunctionPolicy, CollectError> {
    let function = arn.to_owned();
    let Some(answer) = unless_gone(client.get_policy().function_name(arn).send().await)? else {
        return Ok(FunctionPolicy { function, reach: Reach::None });
    };
    let document = answer.policy().ok_or_else(|| CollectError::without("a policy"))?;
    let open = resource_policy::anonymous(document)
        .map_err(|error| CollectError::new(FailureClass::Service, error.to_string()))?;
    Ok(FunctionPolicy { function, reach: open.map_or(Reach::Closed, Reach::Open) })
}

#[cfg(test)]
mod tests {
    use super::{FunctionPolicy, POLICY, Reach, read};
    use collector::testing::{Canned, render};
    use expect_test::expect;

    const ARN: &str = "arn:aws:lambda:us-east-1:111111111111:function:orders";

    async fn told(answer: &str) -> Result<FunctionPolicy, String> {
        let server = Canned::answering(&[answer]);
        read(&(crate::SERVICE.connect)(&server.connection()).sdk, ARN).await.map_err(|error| error.message)
    }

    /// Answer with a policy of one statement.
    fn policy(rest: &str) -> String {
        let document =
            format!(r#"{{"Statement": [{{"Effect": "Allow", "Action": "lambda:InvokeFunction", {rest}}}]}}"#);
        format!(r#"{{"Policy": {document:?}}}"#)
    }

    #[tokio::test]
    async fn a_policy_says_what_everyone_may_do() {
        let open = told(&policy(r#""Principal": "*""#)).await.expect("a policy");
        expect![[r#"
            (:AWSLambda:Function {id: "arn:aws:lambda:us-east-1:111111111111:function:orders"})
              anonymous_access = true
              anonymous_actions = ["lambda:InvokeFunction"]
        "#]]
        .assert_eq(&render(&POLICY, &open, &[]));
        let rest = r#""Principal": {"Service": "s3.amazonaws.com"}, "Condition": {"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::b"}}"#;
        let closed = told(&policy(rest)).await.expect("a policy");
        expect![[r#"
            (:AWSLambda:Function {id: "arn:aws:lambda:us-east-1:111111111111:function:orders"})
              anonymous_access = false
              anonymous_actions = []
        "#]]
        .assert_eq(&render(&POLICY, &closed, &[]));
    }

    #[tokio::test]
    async fn a_function_without_a_policy_has_no_reach() {
        let none = told("!ResourceNotFoundException The resource you requested does not exist.").await;
        assert_eq!(none.expect("no policy is no error").reach, Reach::None);
    }

    #[tokio::test]
    async fn a_text_that_is_no_policy_is_an_error() {
        assert_eq!(told("{}").await.expect_err("nothing"), "AWS returned neither a policy nor an error");
        assert_eq!(told(r#"{"Policy": "no"}"#).await.expect_err("no policy"), "the policy is not JSON");
    }
}
