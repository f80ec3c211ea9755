//! Registry of all listings of this collector.

use crate::organization;
use aws_sdk_organizations::Client;
use collector::{Bucket, Quota, Service, connect};

/// Organizations with its listing.
pub static SERVICE: Service<Client> = Service {
    title: "Organizations",
    assets: "the organization, its roots, units and accounts",
    listings: &[organization::LISTING],
    quotas: &[Quota::of("organizations", Bucket::learned(20, 10))],
    ..Service::global("organizations", connect!(aws_sdk_organizations))
};

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::testing::{Api, TwoPages, check_service};

    const ORGANIZATION: &str = r#"{"Organization": {"Id": "o-1", "MasterAccountId": "111111111111"}}"#;
    const ROOT: &str = r#"{"Roots": [{"Id": "r-1"}]}"#;

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let api = Api {
            answers: &[("DescribeOrganization", &[ORGANIZATION, ROOT])],
            page_size: Some(("MaxResults", "20")),
            page_sizes: &[("DescribeOrganization", None)],
            two_pages: &[TwoPages {
                listing: "DescribeOrganization",
                answers: &[ORGANIZATION, r#"{"Roots": [], "NextToken": "more"}"#, ROOT],
                ids: &["o-1", "o-1/r-1"],
            }],
            ..Api::default()
        };
        check_service(&SERVICE, &api).await;
        assert_eq!(
            SERVICE.actions(),
            [
                "organizations:DescribeOrganization",
                "organizations:ListAccountsForParent",
                "organizations:ListOrganizationalUnitsForParent",
                "organizations:ListRoots",
            ]
        );
    }
}
