//! Registry of all listings of this collector.

use crate::{client, public_access_block};
use aws_sdk_s3control::Client;
use collector::{Bucket, Quota, Service};

/// S3 Control with its listing. A survey makes one call in each region.
pub static SERVICE: Service<Client> = Service {
    title: "S3 Control",
    assets: "what accounts block of public access to S3",
    listings: &[public_access_block::LISTING],
    // AWS publishes no rate of `GetPublicAccessBlock`. Requests are signed for S3.
    apis: &[client::API],
    quotas: &[Quota::of("s3", Bucket::learned(20, 10))],
    cartography: &["s3accountpublicaccessblock"],
    ..Service::regional("s3control", client::connect)
};

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::testing::{Api, check_service};

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let api = Api {
            answers: &[("GetPublicAccessBlock", &["!NoSuchPublicAccessBlockConfiguration not found"])],
            permissions: &[("GetPublicAccessBlock", "GetAccountPublicAccessBlock")],
            ..Api::default()
        };
        check_service(&SERVICE, &api).await;
        assert_eq!(SERVICE.actions(), ["s3:GetAccountPublicAccessBlock"]);
    }
}
