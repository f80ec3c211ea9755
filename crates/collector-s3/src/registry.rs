//! Registry of all listings of this collector.

use crate::{bucket, clients::Clients, in_region};
use collector::{Bucket, Quota, Service};

/// S3 with its listings. A survey makes one call for each page of buckets, and eight for each bucket.
pub static SERVICE: Service<Clients> = Service {
    title: "S3",
    assets: "general purpose buckets with their settings and reach, access control lists, statements of bucket policies",
    listings: &[bucket::LISTING, in_region::LISTING],
    // AWS publishes rates of calls about objects only ("Best practices design patterns: optimizing Amazon S3 performance",
    // Amazon S3 User Guide).
    quotas: &[Quota::of("s3", Bucket::learned(100, 50))],
    cartography: &["s3"],
    ..Service::global("s3", Clients::new)
};

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use crate::settings::testing::{ANSWERS, buckets};
    use collector::testing::{Api, TwoPages, check_service};

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let [one, first, second] = [buckets(&["a"], None), buckets(&["a"], Some("more")), buckets(&["b"], None)];
        let settings: Vec<&str> = [one.as_str()].into_iter().chain(ANSWERS).collect();
        let api = Api {
            answers: &[("ListBuckets", &[&one]), ("GetBucketAcl", &settings)],
            page_sizes: &[("ListBuckets", Some(("max-buckets", "10000")))],
            permissions: &[
                ("ListBuckets", "ListAllMyBuckets"),
                ("GetBucketEncryption", "GetEncryptionConfiguration"),
                ("GetBucketNotificationConfiguration", "GetBucketNotification"),
                ("GetPublicAccessBlock", "GetBucketPublicAccessBlock"),
            ],
            two_pages: &[TwoPages { listing: "ListBuckets", answers: &[&first, &second], ids: &["a", "b"] }],
            ..Api::default()
        };
        check_service(&SERVICE, &api).await;
    }

    #[test]
    fn no_action_reads_an_object() {
        let actions = SERVICE.actions();
        assert!(actions.iter().all(|action| !action.contains("Object")), "{actions:?}");
        assert_eq!(actions.len(), 10);
    }
}
