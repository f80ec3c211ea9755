//! Counts of the account's resources: `GetAccountSummary` -> properties of `(:AWSAccount)`.

use crate::Iam;
use aws_sdk_iam::{operation::get_account_summary::GetAccountSummaryOutput, types::SummaryKeyType as Key};
use collector::{Collecting, Listing, Node, Sink, Value, prop};

/// Counts of the account's resources. The account itself comes from STS.
pub(crate) static ACCOUNT_SUMMARY: Node<GetAccountSummaryOutput> = Node {
    shared: |_| true,
    id: |_, place| place.account_id.clone(),
    props: &[
        prop("account_mfa_enabled", |it, _| count(it, &Key::AccountMfaEnabled)),
        prop("mfa_devices", |it, _| count(it, &Key::MfaDevices)),
        prop("mfa_devices_in_use", |it, _| count(it, &Key::MfaDevicesInUse)),
        prop("account_access_keys_present", |it, _| count(it, &Key::AccountAccessKeysPresent)),
        prop("account_signing_certificates_present", |it, _| count(it, &Key::AccountSigningCertificatesPresent)),
        prop("users", |it, _| count(it, &Key::Users)),
        prop("groups", |it, _| count(it, &Key::Groups)),
        prop("roles", |it, _| count(it, &Key::from("Roles"))),
        prop("policies", |it, _| count(it, &Key::from("Policies"))),
        prop("instance_profiles", |it, _| count(it, &Key::from("InstanceProfiles"))),
        prop("providers", |it, _| count(it, &Key::from("Providers"))),
        prop("server_certificates", |it, _| count(it, &Key::ServerCertificates)),
        prop("policy_versions_in_use", |it, _| count(it, &Key::PolicyVersionsInUse)),
        prop("_ont_source", |_, _| "aws".into()),
    ],
    ..Node::of("AWSAccount")
};

fn count(summary: &GetAccountSummaryOutput, key: &Key) -> Value {
    summary.summary_map().and_then(|counts| counts.get(key)).copied().into()
}

/// Listing of the counts.
pub(crate) const LISTING: Listing<Iam> =
    Listing { name: "GetAccountSummary", actions: &["iam:GetAccountSummary"], feeds: &[&ACCOUNT_SUMMARY], collect };

fn collect<'a>(iam: &'a Iam, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move { sink.emit(&ACCOUNT_SUMMARY, &iam.sdk.get_account_summary().send().await?).await })
}

#[cfg(test)]
mod tests {
    use super::{ACCOUNT_SUMMARY, GetAccountSummaryOutput};
    use collector::testing::render;
    use expect_test::expect;

    /// Keys as in the API.
    const KEYS: [&str; 13] = [
        "AccountMFAEnabled",
        "MFADevices",
        "MFADevicesInUse",
        "AccountAccessKeysPresent",
        "AccountSigningCertificatesPresent",
        "Users",
        "Groups",
        "Roles",
        "Policies",
        "InstanceProfiles",
        "Providers",
        "ServerCertificates",
        "PolicyVersionsInUse",
    ];

    #[test]
    fn a_full_summary_leaves_nothing_null() {
        let summary = KEYS.iter().zip(1..).fold(GetAccountSummaryOutput::builder(), |summary, (key, count)| {
            summary.summary_map((*key).into(), count)
        });
        expect![[r#"
            (:AWSAccount {id: "111111111111"})
              account_mfa_enabled = 1
              mfa_devices = 2
              mfa_devices_in_use = 3
              account_access_keys_present = 4
              account_signing_certificates_present = 5
              users = 6
              groups = 7
              roles = 8
              policies = 9
              instance_profiles = 10
              providers = 11
              server_certificates = 12
              policy_versions_in_use = 13
              _ont_source = "aws"
        "#]]
        .assert_eq(&render(&ACCOUNT_SUMMARY, &summary.build(), &[]));
    }
}
