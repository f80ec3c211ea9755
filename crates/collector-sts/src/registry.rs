//! Registry of all listings of this collector.

use crate::account;
use aws_sdk_sts::Client;
use collector::{Bucket, Quota, Service, connect};

/// STS with its listing.
pub static SERVICE: Service<Client> = Service {
    title: "STS",
    assets: "the account itself",
    always: true,
    listings: &[account::LISTING],
    quotas: &[Quota::of("sts", Bucket::published(600, 600, SOURCE))],
    ..Service::global("sts", connect!(aws_sdk_sts))
};

const SOURCE: &str =
    "AWS, \"IAM and AWS STS quotas\", docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html";

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::testing::{Api, check_service};

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let answers = &[("GetCallerIdentity", &["<Account>111111111111</Account>"][..])];
        check_service(&SERVICE, &Api { answers, ..Api::default() }).await;
        assert_eq!(SERVICE.actions(), ["sts:GetCallerIdentity"]);
    }
}
