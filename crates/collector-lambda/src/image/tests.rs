use super::{IMAGE, Image, LISTING};
use crate::functions;
use collector::{
    Sink,
    testing::{Canned, node_ids, place, render, render_batches, run_listing},
};
use expect_test::expect;

const FUNCTIONS: &str = r#"{"Functions": [{"FunctionArn": "arn:a", "PackageType": "Zip"},
    {"FunctionArn": "arn:b", "PackageType": "Image"}, {"FunctionArn": "arn:c", "PackageType": "Image"}]}"#;
const IMAGE_OF_B: &str = r#"{"Configuration": {"Environment": {"Variables": {"PLANTED": "planted"}}},
    "Code": {"Location": "https://planted", "ImageUri": "b:1", "ResolvedImageUri": "b@sha256:1"}}"#;

#[test]
fn a_full_image_leaves_nothing_null() {
    let function = "arn:aws:lambda:us-east-1:111111111111:function:orders".into();
    let image = Image { function, uri: Some("a/b@sha256:12ab".into()) };
    expect![[r#"
        (:AWSLambda:Function {id: "arn:aws:lambda:us-east-1:111111111111:function:orders"})
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
    .assert_eq(&render(&IMAGE, &image, &[]));
}

#[test]
fn an_image_with_a_tag_alone_has_no_digest() {
    assert_eq!(Image { function: "arn:b".into(), uri: Some("a/b:1".into()) }.digest(), None);
}

/// Result of the listing, and its rows.
async fn listed(answers: &[&str]) -> (Result<(), String>, Vec<String>) {
    let (ended, batches) = run_listing(&crate::SERVICE, &LISTING, answers).await;
    assert!(!render_batches(&batches).contains("planted"));
    (ended, node_ids(&batches).map(str::to_owned).collect())
}

#[tokio::test]
async fn only_functions_from_images_are_asked_about() {
    let gone = "!ResourceNotFoundException Function not found: arn:c";
    let both = || vec!["arn:a".to_owned(), "arn:b".to_owned()];
    assert_eq!(listed(&[FUNCTIONS, IMAGE_OF_B, gone]).await, (Ok(()), both()));
    let denied = "image of arn:c: AccessDeniedException: no".to_owned();
    let answers = [FUNCTIONS, IMAGE_OF_B, "!AccessDeniedException no"];
    assert_eq!(listed(&answers).await, (Err(denied), both()));
}

#[tokio::test]
async fn functions_are_listed_once() {
    let [none, about] = ["{}", r#"{"State": "Active"}"#];
    let policy = r#"{"Policy": "{\"Statement\": []}"}"#;
    let each = [about, policy, none];
    let answers = [&[FUNCTIONS][..], &each, &each, &each, &[IMAGE_OF_B, IMAGE_OF_B]].concat();
    let server = Canned::answering(&answers);
    let lambda = (crate::SERVICE.connect)(&server.connection());
    for listing in [functions::LISTING, LISTING] {
        (listing.collect)(&lambda, &mut Sink::to_memory(place())).await.expect("answered");
    }
    assert_eq!(server.requests().len(), answers.len());
}
