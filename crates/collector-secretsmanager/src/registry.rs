//! Registry of all listings of this collector.

use crate::secret;
use aws_sdk_secretsmanager::Client;
use collector::{Bucket, Quota, Service, connect};

/// Secrets Manager with its listing. A survey makes one call for each page of secrets, and one for each page of a
/// secret's versions. No action returns the value of a secret.
pub static SERVICE: Service<Client> = Service {
    title: "Secrets Manager",
    assets: "secrets and their versions, never their values",
    listings: &[secret::LISTING],
    quotas: QUOTAS,
    cartography: &["secretsmanager"],
    ..Service::regional("secretsmanager", connect!(aws_sdk_secretsmanager))
};

const SOURCE: &str = "AWS, \"AWS Secrets Manager quotas\", \
                      docs.aws.amazon.com/secretsmanager/latest/userguide/reference_limits.html";

static QUOTAS: &[Quota] = &[
    Quota { apis: &["ListSecrets"], ..Quota::of("secretsmanager", Bucket::published(100, 100, SOURCE)) },
    Quota { apis: &["ListSecretVersionIds"], ..Quota::of("secretsmanager", Bucket::published(50, 50, SOURCE)) },
];

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::testing::{Api, TwoPages, check_service};

    const A: &str = r#"{"SecretList": [{"ARN": "a"}]}"#;
    const NO_VERSIONS: &str = r#"{"Versions": []}"#;

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let api = Api {
            answers: &[("ListSecrets", &[A, NO_VERSIONS])],
            page_size: Some(("MaxResults", "100")),
            two_pages: &[TwoPages {
                listing: "ListSecrets",
                answers: &[
                    r#"{"SecretList": [{"ARN": "a"}], "NextToken": "more"}"#,
                    NO_VERSIONS,
                    r#"{"SecretList": [{"ARN": "b"}]}"#,
                    NO_VERSIONS,
                ],
                ids: &["a", "b"],
            }],
            ..Api::default()
        };
        check_service(&SERVICE, &api).await;
    }

    #[test]
    fn no_action_returns_a_value() {
        assert_eq!(SERVICE.actions(), ["secretsmanager:ListSecretVersionIds", "secretsmanager:ListSecrets"]);
    }

    #[test]
    fn every_call_has_a_published_quota() {
        for action in SERVICE.actions() {
            let call = action.split_once(':').expect("a prefix").1;
            assert_eq!(SERVICE.quotas.iter().filter(|quota| quota.apis.contains(&call)).count(), 1, "{call}");
        }
    }
}
