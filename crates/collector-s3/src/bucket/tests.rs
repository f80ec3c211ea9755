use super::{BUCKET, Bucket, LISTING};
use crate::settings::testing::{ANSWERS, buckets, in_regions};
use aws_sdk_s3::primitives::DateTime;
use collector::{
    Sink,
    testing::{Canned, place, render, render_batches},
};
use events::FailureClass;
use expect_test::expect;
use std::collections::BTreeSet;

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

/// Result of the listing; ids of the buckets that it writes; number of their settings.
struct Listed {
    ended: Result<(), (FailureClass, String)>,
    buckets: Vec<String>,
    settings: usize,
    uris: Vec<String>,
}

async fn listed(answers: &[&str]) -> Listed {
    let server = Canned::answering(answers);
    let mut sink = Sink::to_memory(place());
    let ended = (LISTING.collect)(&(crate::SERVICE.connect)(&server.connection()), &mut sink).await;
    let requests = server.requests();
    assert_eq!(requests.len(), answers.len());
    let rows = render_batches(&sink.into_batches().await.expect("in memory"));
    let ids: BTreeSet<_> =
        rows.lines().filter_map(|line| line.strip_prefix("(:AWSS3Bucket:S3Bucket:ObjectStorage {id: ")).collect();
    Listed {
        ended: ended.map_err(|error| (error.class, error.message)),
        buckets: ids.into_iter().map(|id| id.trim_matches(['"', '}', ')']).to_owned()).collect(),
        settings: rows.matches("versioning_status").count() + rows.matches("anonymous_access").count(),
        uris: requests.into_iter().map(|request| request.uri).collect(),
    }
}

/// A page, then the answers about each bucket, each with some replaced by position.
fn answers<'a>(page: &'a str, of_buckets: &[&[(usize, &'a str)]]) -> Vec<&'a str> {
    let of_bucket = |replaced: &&[(usize, &'a str)]| {
        let mut answers: [&'a str; 8] = ANSWERS;
        replaced.iter().for_each(|(at, answer)| answers[*at] = answer);
        answers
    };
    [page].into_iter().chain(of_buckets.iter().flat_map(of_bucket)).collect()
}

const DENIED: &str = "!AccessDenied Access Denied";
const GONE: &str = "!NoSuchBucket The specified bucket does not exist";
const UNKNOWN: &str = "!InvalidToken The provided token is malformed or otherwise invalid.";

#[tokio::test]
async fn each_bucket_is_asked_about_in_its_region() {
    let page = in_regions(&[("a", "eu-west-1"), ("b", "us-east-1"), ("c", "eu-west-1")], None);
    let Listed { ended, buckets, settings, uris } = listed(&answers(&page, &[&[], &[], &[]])).await;
    assert_eq!((ended, buckets, settings), (Ok(()), vec!["a".into(), "b".into(), "c".into()], 6));
    let places: BTreeSet<_> = uris[1..].iter().filter_map(|uri| uri.split_once('?')).map(|(place, _)| place).collect();
    let expected = ["eu-west-1.amazonaws.com/a/", "eu-west-1.amazonaws.com/c/", "us-east-1.amazonaws.com/b/"];
    assert_eq!(places, expected.map(|place| format!("https://s3.{place}")).iter().map(String::as_str).collect());
}

#[tokio::test]
async fn a_bucket_that_is_gone_has_no_row() {
    let page = buckets(&["a", "b"], None);
    for at in 0..ANSWERS.len() {
        let Listed { ended, buckets, .. } = listed(&answers(&page, &[&[(at, GONE)], &[]])).await;
        assert_eq!((ended, buckets), (Ok(()), vec!["b".to_owned()]), "{at}");
    }
}

#[tokio::test]
async fn a_bucket_keeps_the_settings_that_cannot_be_read() {
    let page = buckets(&["a", "b"], None);
    for (at, subject, settings) in [(0, "ACL", 3), (1, "policy", 3), (3, "versioning", 3), (7, "notifications", 4)] {
        let listed = listed(&answers(&page, &[&[(at, DENIED)], &[]])).await;
        let message = format!("buckets in us-east-1: {subject} of a: AccessDenied: Access Denied");
        assert_eq!(listed.ended, Err((FailureClass::AccessDenied, message)));
        assert_eq!((listed.buckets, listed.settings), (vec!["a".to_owned(), "b".to_owned()], settings));
    }
}

#[tokio::test]
async fn a_region_that_the_account_has_disabled_affects_no_other() {
    let page = in_regions(&[("a", "ap-east-1"), ("b", "us-east-1")], None);
    let Listed { ended, buckets, settings, .. } = listed(&answers(&page, &[&[(0, UNKNOWN)], &[]])).await;
    let message = "buckets in ap-east-1: InvalidToken: The provided token is malformed or otherwise invalid.";
    assert_eq!(ended, Err((FailureClass::NotEnabled, message.into())));
    assert_eq!((buckets, settings), (vec!["a".to_owned(), "b".to_owned()], 3));
}

#[tokio::test]
async fn an_invalid_session_ends_the_listing() {
    let page = in_regions(&[("a", "eu-west-1"), ("b", "us-east-1")], None);
    let Listed { ended, .. } = listed(&answers(&page, &[&[(0, UNKNOWN)]])).await;
    assert_eq!(ended.expect_err("no session").0, FailureClass::Credentials);
}

#[tokio::test]
async fn a_region_that_is_missing_is_asked_for() {
    let page = in_regions(&[("a", ""), ("b", ""), ("c", "")], None);
    let locations = ["<LocationConstraint>EU</LocationConstraint>", "<LocationConstraint/>", DENIED];
    let of_buckets = answers(&page, &[&[], &[]]);
    let all: Vec<&str> = [page.as_str()].into_iter().chain(locations).chain(of_buckets[1..].to_vec()).collect();
    let Listed { ended, buckets, uris, .. } = listed(&all).await;
    let message = "region of c: AccessDenied: Access Denied";
    assert_eq!(ended, Err((FailureClass::AccessDenied, message.to_owned())));
    assert_eq!(buckets, ["a", "b"]);
    assert!(uris[4].starts_with("https://s3.eu-west-1.amazonaws.com/a/?"), "{}", uris[4]);
}
