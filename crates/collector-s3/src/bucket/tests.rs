use super::{BUCKET, Bucket, LISTING};
use crate::settings::testing::in_regions;
use aws_sdk_s3::primitives::DateTime;
use collector::{
    Sink,
    testing::{Canned, node_ids, place, render},
};
use expect_test::expect;

#[test]
fn a_full_bucket_leaves_nothing_null() {
    let bucket = Bucket::builder()
        .name("logs")
        .bucket_region("eu-west-1")
        .creation_date(DateTime::from_secs(1_714_525_323))
        .build();
    expect![[r#"
        (:AWSS3Bucket:S3Bucket:ObjectStorage {id: "logs"})
          name = "logs"
          region = "eu-west-1"
          arn (indexed) = "arn:aws:s3:::logs"
          creationdate = "2024-05-01 01:02:03+00:00"
          _ont_location (indexed) = "eu-west-1"
          _ont_name (indexed) = "logs"
          _ont_source = "aws"
          <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
    "#]]
    .assert_eq(&render(&BUCKET, &bucket, &[]));
}

#[tokio::test]
async fn a_region_that_is_missing_is_asked_for() {
    let page = in_regions(&[("a", ""), ("b", ""), ("c", "")], None);
    let locations = ["<LocationConstraint>EU</LocationConstraint>", "<LocationConstraint/>", "!AccessDenied no"];
    let server = Canned::answering(&[page.as_str()].into_iter().chain(locations).collect::<Vec<_>>());
    let clients = (crate::SERVICE.connect)(&server.connection());
    let mut sink = Sink::to_memory(place());
    let error = (LISTING.collect)(&clients, &mut sink).await.expect_err("one is denied");
    assert_eq!(error.message, "region of c: AccessDenied: no");
    let batches = sink.into_batches().await.expect("in memory");
    assert_eq!(node_ids(&batches).collect::<Vec<_>>(), ["a", "b"]);
    assert_eq!(clients.buckets.known().await, None, "it is not complete");
}
