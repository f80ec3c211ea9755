//! Registry of all listings of this collector.

use crate::{clients, clients::Clients, instance_information, parameter};
use collector::{Bucket, Quota, Service};

/// SSM with its listings. A survey makes one call for each page of managed nodes and of parameters, one for each page of a
/// node's patches, and one for each page of KMS's aliases if a parameter names one. No action of the session policy returns
/// the value of a parameter.
pub static SERVICE: Service<Clients> = Service {
    title: "SSM",
    assets: "managed nodes, their patches, and parameters without their values",
    listings: &[instance_information::LISTING, parameter::LISTING],
    apis: &[clients::KMS],
    // AWS publishes rates only for calls about values ("Changing Parameter Store throughput", AWS Systems Manager User
    // Guide).
    quotas: &[Quota::of("ssm", Bucket::learned(40, 20))],
    cartography: &["ssm"],
    ..Service::regional("ssm", Clients::connect)
};

#[cfg(test)]
mod tests {
    use super::SERVICE;
    use collector::testing::{Api, TwoPages, check_service};

    const NODES: &str = r#"{"InstanceInformationList": [{"InstanceId": "i-1"}]}"#;
    const NO_PATCHES: &str = r#"{"Patches": []}"#;
    const PARAMETERS: &str = r#"{"Parameters": [{"ARN": "a", "KeyId": "alias/aws/ssm"}]}"#;
    const NO_ALIASES: &str = r#"{"Aliases": []}"#;

    #[tokio::test]
    async fn the_registry_is_consistent() {
        let api = Api {
            answers: &[
                ("DescribeInstanceInformation", &[NODES, NO_PATCHES]),
                ("DescribeParameters", &[PARAMETERS, NO_ALIASES]),
            ],
            page_size: Some(("MaxResults", "50")),
            page_sizes: &[
                ("DescribeInstancePatches", Some(("MaxResults", "100"))),
                ("ListAliases", Some(("Limit", "100"))),
            ],
            two_pages: &[
                TwoPages {
                    listing: "DescribeInstanceInformation",
                    answers: &[
                        r#"{"InstanceInformationList": [{"InstanceId": "i-1"}], "NextToken": "more"}"#,
                        NO_PATCHES,
                        r#"{"InstanceInformationList": [{"InstanceId": "i-2"}]}"#,
                        NO_PATCHES,
                    ],
                    ids: &["i-1", "i-2"],
                },
                TwoPages {
                    listing: "DescribeParameters",
                    answers: &[
                        r#"{"Parameters": [{"ARN": "a"}], "NextToken": "more"}"#,
                        r#"{"Parameters": [{"ARN": "b"}]}"#,
                    ],
                    ids: &["a", "b"],
                },
            ],
            ..Api::default()
        };
        check_service(&SERVICE, &api).await;
    }

    #[test]
    fn no_action_returns_a_value() {
        assert_eq!(
            SERVICE.actions(),
            [
                "kms:ListAliases",
                "ssm:DescribeInstanceInformation",
                "ssm:DescribeInstancePatches",
                "ssm:DescribeParameters"
            ]
        );
    }
}
