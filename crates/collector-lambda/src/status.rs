//! State and image of a function: `GetFunctionConfiguration`, or `GetFunction` for a function from an image ->
//! `(:AWSLambda)`.
//!
//! `ListFunctions` returns neither (AWS Lambda API Reference). `GetFunction` returns both, but `SecurityAudit` does not
//! permit it, because it also returns a link to the code. So it is called only where it is needed.

use crate::function::{EXTRA_LABELS, LABEL};
use aws_sdk_lambda::{
    Client,
    types::{FunctionCodeLocation, FunctionConfiguration, PackageType},
};
use collector::{CollectError, Edge, Node, Prop, Value, copied, one, prop, unless_gone};

/// State and image of a function.
#[derive(Debug, Clone)]
pub(crate) struct Status {
    /// ARN of the function.
    function: String,
    /// Configuration, of which only the state is read.
    configuration: FunctionConfiguration,
    /// URI of the image. `None`: the code is an archive.
    image: Option<String>,
}

/// Functions with their state and image.
pub(crate) static STATUS: Node<Status> = Node {
    extra_labels: EXTRA_LABELS,
    id: |it, _| it.function.clone(),
    props: PROPS,
    ontology: &[copied("_ont_image", "image_uri"), copied("_ont_image_digest", "image_digest")],
    edges: &[
        Edge::out("HAS_IMAGE", "AWSECRImage", "digest", |it, _| one(it.digest())),
        Edge::out("HAS_IMAGE", "GitLabContainerImage", "digest", |it, _| one(it.digest())),
        Edge::out("HAS_IMAGE", "GCPArtifactRegistryImage", "digest", |it, _| one(it.digest())),
        Edge::out("HAS_IMAGE", "GitHubContainerImage", "digest", |it, _| one(it.digest())),
    ],
    ..Node::of(LABEL)
};

const PROPS: &[Prop<Status>] = &[
    prop("state", |it, _| Value::text(it.configuration.state())),
    prop("statereason", |it, _| it.configuration.state_reason().into()),
    prop("statereasoncode", |it, _| Value::text(it.configuration.state_reason_code())),
    prop("lastupdatestatus", |it, _| Value::text(it.configuration.last_update_status())),
    prop("lastupdatestatusreason", |it, _| it.configuration.last_update_status_reason().into()),
    prop("lastupdatestatusreasoncode", |it, _| Value::text(it.configuration.last_update_status_reason_code())),
    prop("image_uri", |it, _| it.image.as_ref().into()),
    prop("image_digest", |it, _| it.digest().into()),
];

impl Status {
    /// Digest in the URI of the image. `None`: the URI has only a tag.
    fn digest(&self) -> Option<&str> {
        self.image.as_deref()?.rsplit_once('@').map(|(_, digest)| digest)
    }
}

/// Reads the state and the image of a listed function. Returns `None` if the function was deleted.
///
/// # Errors
/// Fails if the call fails, or its answer has no configuration.
pub(crate) async fn read(client: &Client, function: &FunctionConfiguration) -> Result<Option<Status>, CollectError> {
    let arn = function.function_arn().unwrap_or_default();
    if function.package_type() == Some(&PackageType::Image) {
        of_image(client, arn).await
    } else {
        of_archive(client, arn).await
    }
}

async fn of_image(client: &Client, arn: &str) -> Result<Option<Status>, CollectError> {
    let Some(answer) = unless_gone(client.get_function().function_name(arn).send().await)? else { return Ok(None) };
    let configuration = answer.configuration.ok_or_else(|| CollectError::without("a configuration"))?;
    let image = answer.code.and_then(image);
    Ok(Some(Status { function: arn.to_owned(), configuration, image }))
}

/// URI of the image with its digest. If AWS has not resolved the tag, the URI as it was given.
fn image(code: FunctionCodeLocation) -> Option<String> {
    code.resolved_image_uri.or(code.image_uri)
}

async fn of_archive(client: &Client, arn: &str) -> Result<Option<Status>, CollectError> {
    let answer = client.get_function_configuration().function_name(arn).send().await;
    let Some(answer) = unless_gone(answer)? else { return Ok(None) };
    // The same structure under another type; the state is all that is needed of it.
    let configuration = FunctionConfiguration::builder()
        .set_state(answer.state)
        .set_state_reason(answer.state_reason)
        .set_state_reason_code(answer.state_reason_code)
        .set_last_update_status(answer.last_update_status)
        .set_last_update_status_reason(answer.last_update_status_reason)
        .set_last_update_status_reason_code(answer.last_update_status_reason_code)
        .build();
    Ok(Some(Status { function: arn.to_owned(), configuration, image: None }))
}

#[cfg(test)]
mod tests {
    use super::{FunctionConfiguration, STATUS, Status, read};
    use collector::testing::{Canned, render};
    use expect_test::expect;

    const ARN: &str = "arn:aws:lambda:us-east-1:111111111111:function:orders";
    const STATE: &str = r#""State": "Inactive", "StateReason": "It is idle", "StateReasonCode": "Idle",
        "LastUpdateStatus": "Failed", "LastUpdateStatusReason": "No image", "LastUpdateStatusReasonCode": "ImageDeleted""#;

    /// Status of a function of this kind, and the operation that told it.
    async fn told(kind: &str, answer: &str) -> (Status, String) {
        let server = Canned::answering(&[answer]);
        let function = FunctionConfiguration::builder().function_arn(ARN).package_type(kind.into()).build();
        let status = read(&(crate::SERVICE.connect)(&server.connection()), &function).await.expect("answered");
        (status.expect("it is there"), server.requests()[0].operation.clone())
    }

    #[tokio::test]
    async fn a_full_image_leaves_nothing_null() {
        let code = r#""Code": {"RepositoryType": "ECR", "ImageUri": "a/b:1", "ResolvedImageUri": "a/b@sha256:12ab"}"#;
        let (status, operation) = told("Image", &format!(r#"{{"Configuration": {{{STATE}}}, {code}}}"#)).await;
        assert_eq!(operation, "GetFunction");
        expect![[r#"
            (:AWSLambda:Function {id: "arn:aws:lambda:us-east-1:111111111111:function:orders"})
              state = "Inactive"
              statereason = "It is idle"
              statereasoncode = "Idle"
              lastupdatestatus = "Failed"
              lastupdatestatusreason = "No image"
              lastupdatestatusreasoncode = "ImageDeleted"
              image_uri = "a/b@sha256:12ab"
              image_digest = "sha256:12ab"
              _ont_image (indexed) = "a/b@sha256:12ab"
              _ont_image_digest (indexed) = "sha256:12ab"
              _ont_source = "aws"
              -[:HAS_IMAGE]->(:AWSECRImage {digest: "sha256:12ab"})
              -[:HAS_IMAGE]->(:GitLabContainerImage {digest: "sha256:12ab"})
              -[:HAS_IMAGE]->(:GCPArtifactRegistryImage {digest: "sha256:12ab"})
              -[:HAS_IMAGE]->(:GitHubContainerImage {digest: "sha256:12ab"})
        "#]]
        .assert_eq(&render(&STATUS, &status, &[]));
    }

    #[tokio::test]
    async fn an_image_with_a_tag_alone_has_no_digest() {
        let answer = r#"{"Configuration": {}, "Code": {"ImageUri": "a/b:1"}}"#;
        let (status, _) = told("Image", answer).await;
        assert_eq!((status.image.as_deref(), status.digest()), (Some("a/b:1"), None));
    }

    #[tokio::test]
    async fn an_archive_has_a_state_and_no_image() {
        let (status, operation) = told("Zip", &format!("{{{STATE}}}")).await;
        assert_eq!(operation, "GetFunctionConfiguration");
        let image = ["image_uri", "image_digest", "_ont_image", "_ont_image_digest"];
        expect![[r#"
            (:AWSLambda:Function {id: "arn:aws:lambda:us-east-1:111111111111:function:orders"})
              state = "Inactive"
              statereason = "It is idle"
              statereasoncode = "Idle"
              lastupdatestatus = "Failed"
              lastupdatestatusreason = "No image"
              lastupdatestatusreasoncode = "ImageDeleted"
              image_uri = null
              image_digest = null
              _ont_image (indexed) = null
              _ont_image_digest (indexed) = null
              _ont_source = "aws"
        "#]]
        .assert_eq(&render(&STATUS, &status, &image));
    }
}
