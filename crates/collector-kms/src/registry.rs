//! Registry of all listings of this collector.

use crate::{alias, grant, key};
use aws_sdk_kms::Client;
use collector::{Bucket, ErrorCode, Quota, Service, connect};
use events::FailureClass;

/// KMS with its listings. A survey makes three calls for each key, a fourth if the key's policy denies its grants, and one
/// for each further page of its grants.
pub static SERVICE: Service<Client> = Service {
    title: "KMS",
    assets: "keys with the reach of their policies, aliases and grants",
    listings: &[key::LISTING, alias::LISTING, grant::LISTING],
    quotas: QUOTAS,
    // "The system timed out while trying to fulfill the request" (AWS KMS API Reference, `DescribeKey`).
    errors: &[ErrorCode { code: "DependencyTimeoutException", saying: "", class: FailureClass::Timeout }],
    cartography: &["kms"],
    ..Service::regional("kms", connect!(aws_sdk_kms))
};

const KMS: &str =
    "AWS, \"Request quotas\" of AWS KMS, docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html";

/// "Each request quota is calculated independently", and applies to a second ([`KMS`]).
static QUOTAS: &[Quota] = &[
    Quota { apis: &["DescribeKey"], ..Quota::of("kms", Bucket::published(2_000, 2_000, KMS)) },
    Quota { apis: &["GetKeyPolicy"], ..Quota::of("kms", Bucket::published(1_000, 1_000, KMS)) },
    Quota { apis: &["ListAliases", "ListKeys"], ..Quota::of("kms", Bucket::published(500, 500, KMS)) },
    Quota { apis: &["ListGrants"], ..Quota::of("kms", Bucket::published(100, 100, KMS)) },
];

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::{
        CollectError,
        testing::{Api, TwoPages, check_service},
    };
    use events::FailureClass;

    const A: &str = r#"{"KeyMetadata": {"KeyId": "a"}}"#;
    const B: &str = r#"{"KeyMetadata": {"KeyId": "b"}}"#;
    const KEYS: &str = r#"{"Keys": [{"KeyId": "a"}]}"#;
    const POLICY: &str = r#"{"Policy": "{\"Statement\": []}"}"#;
    const DENIED: &str = "!AccessDeniedException because no resource-based policy allows the kms:ListGrants action";
    const OF_AWS: &str = r#"{"KeyMetadata": {"KeyId": "a", "KeyManager": "AWS"}}"#;

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let api = Api {
            answers: &[("ListKeys", &[KEYS, A, POLICY]), ("ListGrants", &[KEYS, DENIED, OF_AWS])],
            page_size: Some(("Limit", "100")),
            page_sizes: &[("ListKeys", Some(("Limit", "1000"))), ("DescribeKey", None), ("GetKeyPolicy", None)],
            two_pages: &[TwoPages {
                listing: "ListKeys",
                answers: &[
                    r#"{"Keys": [{"KeyId": "a"}], "Truncated": true, "NextMarker": "more"}"#,
                    A,
                    POLICY,
                    r#"{"Keys": [{"KeyId": "b"}]}"#,
                    B,
                    POLICY,
                ],
                ids: &["a", "b"],
            }],
            ..Api::default()
        };
        check_service(&SERVICE, &api).await;
        assert_eq!(
            SERVICE.actions(),
            ["kms:DescribeKey", "kms:GetKeyPolicy", "kms:ListAliases", "kms:ListGrants", "kms:ListKeys"]
        );
    }

    #[test]
    fn every_call_has_a_published_quota() {
        for action in SERVICE.actions() {
            let call = action.split_once(':').expect("a prefix").1;
            assert_eq!(SERVICE.quotas.iter().filter(|quota| quota.apis.contains(&call)).count(), 1, "{call}");
        }
    }

    #[test]
    fn a_timeout_within_kms_is_a_timeout() {
        let code = Some("DependencyTimeoutException".to_owned());
        let error = CollectError { code, ..CollectError::new(FailureClass::Service, "The system timed out") };
        assert_eq!(error.classified(SERVICE.errors).class, FailureClass::Timeout);
    }
}
