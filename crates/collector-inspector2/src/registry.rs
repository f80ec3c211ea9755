//! Registry of all listings of this collector.

use crate::finding;
use aws_sdk_inspector2::Client;
use collector::{Bucket, ErrorCode, Quota, Service, connect};
use events::FailureClass;

/// Inspector2 with its listing.
pub static SERVICE: Service<Client> = Service {
    title: "Inspector2",
    assets: "findings and packages",
    listings: &[finding::LISTING],
    quotas: &[Quota::of("inspector2", Bucket::learned(50, 20))],
    // Inspector's own refusal; that of IAM reads "User … is not authorized".
    errors: &[ErrorCode { code: "AccessDeniedException", saying: "invoking account", class: FailureClass::NotEnabled }],
    cartography: &["inspector"],
    ..Service::regional("inspector2", connect!(aws_sdk_inspector2))
};

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::{
        CollectError,
        testing::{Api, check_service},
    };
    use events::FailureClass;

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let api = Api {
            page_size: Some(("maxResults", "100")),
            page_sizes: &[("ListMembers", Some(("maxResults", "50")))],
            ..Api::default()
        };
        check_service(&SERVICE, &api).await;
        assert_eq!(
            SERVICE.actions(),
            ["inspector2:BatchGetAccountStatus", "inspector2:ListFindings", "inspector2:ListMembers"]
        );
    }

    #[test]
    fn inspectors_own_refusal_is_no_missing_permission() {
        let class = |message: &str| {
            let code = Some("AccessDeniedException".to_owned());
            let error = CollectError { code, ..CollectError::new(FailureClass::AccessDenied, message) };
            error.classified(SERVICE.errors).class
        };
        let own = "AccessDeniedException: Invoking account does not have access to this API";
        assert_eq!(class(own), FailureClass::NotEnabled);
        let denied = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: inspector2:ListFindings";
        assert_eq!(class(denied), FailureClass::AccessDenied);
    }
}
