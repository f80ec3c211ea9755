use super::LISTING;
use collector::{
    Sink,
    testing::{Canned, place, render_batches, run_listing},
};
use expect_test::expect;

/// AWS returns environment variables in two answers.
const FUNCTIONS: &str = r#"{"Functions": [
    {"FunctionArn": "arn:a", "FunctionName": "a", "Environment": {"Variables": {"PLANTED": "planted"}}},
    {"FunctionArn": "arn:b", "FunctionName": "b", "PackageType": "Image", "Layers": [{"Arn": "arn:layer"}]}]}"#;
const STATE: &str = r#"{"State": "Active", "Environment": {"Variables": {"PLANTED": "planted"}}}"#;
const PENDING: &str = r#"{"State": "Pending"}"#;
const CLOSED: &str = r#"{"Policy": "{\"Statement\": []}"}"#;
const ALIASES: &str = r#"{"Aliases": [{"AliasArn": "arn:b:live"}]}"#;
const NONE: &str = "{}";
const NO_POLICY: &str = "!ResourceNotFoundException The resource you requested does not exist.";
const GONE: &str = "!ResourceNotFoundException Function not found: arn:a";
const DENIED: &str = "!AccessDeniedException no";
/// Answers about the second function.
const OF_B: [&str; 3] = [PENDING, CLOSED, ALIASES];

/// Result of the listing, and the nodes that it writes, with their state and reach.
async fn listed(of_a: &[&str]) -> (Result<(), String>, String) {
    let answers = [&[FUNCTIONS], of_a, &OF_B].concat();
    let (ended, batches) = run_listing(&crate::SERVICE, &LISTING, &answers).await;
    let rows = render_batches(&batches);
    assert!(!rows.to_lowercase().contains("planted"), "{rows}");
    let is_told = |line: &&str| {
        ["(:", "  state =", "  anonymous_access"].iter().any(|start| line.starts_with(start)) && !line.contains("-[:")
    };
    let told = rows.lines().filter(is_told).fold(String::new(), |all, line| all + line + "\n");
    (ended, told)
}

#[tokio::test]
async fn each_function_has_its_state_its_reach_and_its_aliases() {
    let (ended, told) = listed(&[STATE, NO_POLICY, NONE]).await;
    assert_eq!(ended, Ok(()));
    expect![[r#"
        (:AWSLambda:Function {id: "arn:a"})
        (:AWSLambda:Function {id: "arn:b"})
        (:AWSLambda:Function {id: "arn:a"})
          state = "Active"
        (:AWSLambda:Function {id: "arn:b"})
          state = "Pending"
        (:AWSLambda:Function {id: "arn:a"})
          anonymous_access = null
        (:AWSLambda:Function {id: "arn:b"})
          anonymous_access = false
        (:AWSLambdaFunctionAlias {id: "arn:b:live"})
        (:AWSLambdaLayer {id: "arn:layer"})
    "#]]
    .assert_eq(&told);
}

#[tokio::test]
async fn a_function_that_is_gone_has_no_row() {
    let last = listed(&[STATE, NO_POLICY, GONE]).await;
    expect![[r#"
        (:AWSLambda:Function {id: "arn:b"})
        (:AWSLambda:Function {id: "arn:b"})
          state = "Pending"
        (:AWSLambda:Function {id: "arn:b"})
          anonymous_access = false
        (:AWSLambdaFunctionAlias {id: "arn:b:live"})
        (:AWSLambdaLayer {id: "arn:layer"})
    "#]]
    .assert_eq(&last.1);
    assert_eq!(last.0, Ok(()));
    assert_eq!(listed(&[GONE, GONE, GONE]).await, last);
}

#[tokio::test]
async fn a_function_with_a_denied_call_keeps_its_other_properties() {
    let (ended, told) = listed(&[DENIED, CLOSED, NONE]).await;
    assert_eq!(ended, Err("state of a: AccessDeniedException: no".to_owned()));
    expect![[r#"
        (:AWSLambda:Function {id: "arn:a"})
        (:AWSLambda:Function {id: "arn:b"})
        (:AWSLambda:Function {id: "arn:a"})
          anonymous_access = false
        (:AWSLambda:Function {id: "arn:b"})
          anonymous_access = false
        (:AWSLambda:Function {id: "arn:b"})
          state = "Pending"
        (:AWSLambdaFunctionAlias {id: "arn:b:live"})
        (:AWSLambdaLayer {id: "arn:layer"})
    "#]]
    .assert_eq(&told);
    let (ended, told) = listed(&[STATE, DENIED, DENIED]).await;
    let both = "2 items could not be read: policy of a, aliases of a; error of policy of a: AccessDeniedException: no";
    assert_eq!(ended, Err(both.to_owned()));
    expect![[r#"
        (:AWSLambda:Function {id: "arn:a"})
        (:AWSLambda:Function {id: "arn:b"})
        (:AWSLambda:Function {id: "arn:a"})
          state = "Active"
        (:AWSLambda:Function {id: "arn:b"})
          state = "Pending"
        (:AWSLambda:Function {id: "arn:b"})
          anonymous_access = false
        (:AWSLambdaFunctionAlias {id: "arn:b:live"})
        (:AWSLambdaLayer {id: "arn:layer"})
    "#]]
    .assert_eq(&told);
}

#[tokio::test]
async fn an_answer_that_cannot_be_read_is_not_quoted() {
    let (cut, _) = FUNCTIONS.split_at(FUNCTIONS.find("planted\"").expect("it is planted") + 4);
    let server = Canned::answering(&[cut]);
    let client = (crate::SERVICE.connect)(&server.connection());
    let error = (LISTING.collect)(&client, &mut Sink::to_memory(place())).await.expect_err("it is cut off");
    assert!(!format!("{error:?}").contains("plan"), "{error:?}");
}
