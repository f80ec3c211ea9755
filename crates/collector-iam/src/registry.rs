//! Registry of all listings of this collector.

use crate::{
    Iam, access_key, account_summary, authorization, instance_profile, mfa_device, saml_provider, server_certificate,
    service_access, user,
};
use collector::{Bucket, Quota, Service};

/// IAM with its listings. The first ones find the principals about which the later ones ask.
pub static SERVICE: Service<Iam> = Service {
    title: "IAM",
    assets: "users, groups, roles and their trust, managed and inline policies with statements, access keys, MFA devices, \
             instance profiles, SAML providers, server certificates, service last accessed",
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
    quotas: &[Quota::of("iam", Bucket::learned(100, 40))],
    cartography: &["iam", "iaminstanceprofiles"],
    ..Service::global("iam", Iam::connect)
};

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::testing::{Api, TwoPages, check_service};

    const USERS: &str =
        "<UserDetailList><member><Arn>arn:aws:iam::111111111111:user/alice</Arn></member></UserDetailList>";
    const DONE: &str = "<JobStatus>COMPLETED</JobStatus><JobCreationDate>2024-05-01T01:02:03Z</JobCreationDate>\
                        <JobCompletionDate>2024-05-01T01:02:03Z</JobCompletionDate><ServicesLastAccessed/>";
    const USER: &str = "<Path>/</Path><CreateDate>2024-05-01T01:02:03Z</CreateDate>";

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let first = format!(
            "<Users><member><UserId>AIDA1</UserId><UserName>a</UserName><Arn>arn:aws:iam::111111111111:user/a</Arn>{USER}\
             </member></Users><IsTruncated>true</IsTruncated><Marker>more</Marker>"
        );
        let second = format!(
            "<Users><member><UserId>AIDA2</UserId><UserName>b</UserName><Arn>arn:aws:iam::111111111111:user/b</Arn>{USER}\
             </member></Users>"
        );
        let api = Api {
            permissions: &[],
            answers: &[
                ("GetAccountSummary", &[]),
                ("GetServiceLastAccessedDetails", &[USERS, "<JobId>job</JobId>", DONE]),
                ("ListAccessKeys", &[USERS]),
                ("ListMFADevices", &[USERS]),
            ],
            page_size: Some(("MaxItems", "1000")),
            page_sizes: &[
                ("GenerateServiceLastAccessedDetails", None),
                ("GetAccountSummary", None),
                ("ListSAMLProviders", None),
            ],
            // It only makes a report for this caller.
            reading: &["iam:GenerateServiceLastAccessedDetails"],
            two_pages: &[TwoPages {
                listing: "ListUsers",
                answers: &[&first, &second],
                ids: &["arn:aws:iam::111111111111:user/a", "arn:aws:iam::111111111111:user/b"],
            }],
        };
        check_service(&SERVICE, &api).await;
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
