//! Registry of all listings of this collector.

use crate::{
    Iam, access_key, account_summary, authorization, instance_profile, mfa_device, saml_provider, server_certificate,
    service_access, user,
};
use collector::{Region, Service};

/// IAM with its listings. The first ones find the principals about which the later ones ask.
pub static SERVICE: Service<Iam> = Service {
    name: "iam",
    region: Region::Global,
    connect: Iam::connect,
    listings: &[
        authorization::LISTING,
        user::LISTING,
        service_access::LISTING,
        access_key::LISTING,
        mfa_device::LISTING,
        instance_profile::LISTING,
        saml_provider::LISTING,
        server_certificate::LISTING,
        account_summary::LISTING,
    ],
    regions: None,
    regions_actions: &[],
};

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::testing::check_service;

    #[test]
    fn the_registry_is_consistent() {
        check_service(&SERVICE);
    }

    #[test]
    fn users_are_cleaned_up_only_when_all_who_write_them_have_finished() {
        let users = SERVICE.listings.iter().find(|listing| listing.name == "ListUsers").expect("listed");
        let (nodes, _) = SERVICE.feeds(users);
        let feed = nodes.iter().find(|feed| feed.label == "AWSUser").expect("fed");
        assert_eq!(
            feed.listings,
            ["iam/GetAccountAuthorizationDetails", "iam/ListUsers", "iam/GetServiceLastAccessedDetails"]
        );
    }
}
