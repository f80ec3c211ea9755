use super::{Emitted, LISTING, note};
use crate::{
    bucket,
    settings::testing::{ANSWERS, buckets, in_regions},
};
use collector::{
    CollectError, Details, Sink,
    testing::{Canned, place, render_batches},
};
use events::FailureClass;
use std::collections::BTreeSet;

/// Result of the listing; buckets with a setting; number of two of their settings.
struct Listed {
    ended: Result<(), (FailureClass, String)>,
    buckets: Vec<String>,
    settings: usize,
    rows: String,
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
        rows,
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
    let Listed { ended, buckets, settings, uris, .. } = listed(&answers(&page, &[&[], &[], &[]])).await;
    assert_eq!((ended, buckets, settings), (Ok(()), vec!["a".into(), "b".into(), "c".into()], 6));
    let places: BTreeSet<_> = uris[1..].iter().filter_map(|uri| uri.split_once('?')).map(|(place, _)| place).collect();
    let expected = ["eu-west-1.amazonaws.com/a/", "eu-west-1.amazonaws.com/c/", "us-east-1.amazonaws.com/b/"];
    assert_eq!(places, expected.map(|place| format!("https://s3.{place}")).iter().map(String::as_str).collect());
}

#[tokio::test]
async fn buckets_are_listed_once() {
    let page = buckets(&["a"], None);
    let server = Canned::answering(&answers(&page, &[&[]]));
    let clients = (crate::SERVICE.connect)(&server.connection());
    for listing in [bucket::LISTING, LISTING] {
        (listing.collect)(&clients, &mut Sink::to_memory(place())).await.expect("answered");
    }
    assert_eq!(server.requests().len(), 1 + ANSWERS.len());
}

#[tokio::test]
async fn a_bucket_is_gone_if_all_calls_say_so() {
    let (page, one) = (buckets(&["a", "b"], None), buckets(&["a"], None));
    let all: Vec<_> = (0..ANSWERS.len()).map(|at| (at, GONE)).collect();
    let Listed { ended, buckets, .. } = listed(&answers(&page, &[&all, &[]])).await;
    assert_eq!((ended, buckets), (Ok(()), vec!["b".to_owned()]));
    // The bucket is asked about again, and there is still one call that misses it.
    let Listed { ended, buckets, settings, .. } = listed(&answers(&one, &[&all[3..4], &all[3..4]])).await;
    let message = "buckets in us-east-1: versioning of a: NoSuchBucket: The specified bucket does not exist";
    assert_eq!(ended, Err((FailureClass::Service, message.to_owned())));
    assert_eq!((buckets, settings), (vec!["a".to_owned()], 1));
    let Listed { ended, buckets, .. } = listed(&answers(&one, &[&all[3..], &all])).await;
    assert_eq!((ended, buckets), (Ok(()), vec![]), "it was being deleted");
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
async fn all_failed_calls_are_named_with_the_gravest_error() {
    let page = buckets(&["a"], None);
    let late = "!RequestTimeout late";
    let Listed { ended, .. } = listed(&answers(&page, &[&[(0, DENIED), (2, late), (7, DENIED)]])).await;
    let message = "buckets in us-east-1: ACL, encryption, notifications of a: RequestTimeout: late";
    assert_eq!(ended, Err((FailureClass::Timeout, message.to_owned())));
}

#[test]
fn a_call_that_is_denied_for_all_buckets_does_not_end_the_region() {
    let mut details = Details::default();
    let denied = || ("notifications", CollectError::new(FailureClass::AccessDenied, "no"));
    for bucket in 0..1_000 {
        let emitted = Emitted { failed: vec![denied()], is_any_read: true };
        note(&mut details, &bucket.to_string(), emitted, "us-east-1").expect("the other settings can be read");
    }
    details.end().expect_err("it is reported");
}

#[tokio::test]
async fn an_open_policy_is_enough_and_an_open_list_is_not() {
    let page = buckets(&["a"], None);
    let policy = r#"{"Statement": {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}}"#;
    let acl = r#"<AccessControlPolicy><AccessControlList><Grant><Grantee
        xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="Group">
        <URI>http://acs.amazonaws.com/groups/global/AllUsers</URI></Grantee><Permission>READ</Permission>
        </Grant></AccessControlList></AccessControlPolicy>"#;
    for (unread, source, answer, known) in [(0, 1, policy, true), (1, 0, acl, false)] {
        let Listed { ended, rows, .. } = listed(&answers(&page, &[&[(unread, DENIED), (source, answer)]])).await;
        assert_eq!(ended.expect_err("denied").0, FailureClass::AccessDenied);
        assert_eq!(rows.contains("anonymous_access (indexed) = true"), known, "{rows}");
        assert_eq!(rows.contains("anonymous_access"), known, "{rows}");
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
