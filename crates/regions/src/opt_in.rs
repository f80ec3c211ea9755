//! Regions that are not enabled in every account.

use crate::partition_of_region;

/// Regions of the partition `aws` that are enabled in every account: those introduced before 20 March 2019 ("AWS
/// Regions", Account Management reference). The list is final.
pub const ALWAYS_ENABLED: [&str; 17] = [
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Whether every account of the partition has the region. Only the partition `aws` has regions to opt into.
pub fn is_always_enabled(region: &str) -> bool {
    partition_of_region(region) != "aws" || ALWAYS_ENABLED.contains(&region)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn newer_regions_are_opted_into() {
        for region in ["us-east-1", "eu-west-3", "cn-north-1", "us-gov-west-1", "us-isof-south-1", "eusc-de-east-1"] {
            assert!(is_always_enabled(region), "{region}");
        }
        for region in ["eu-south-1", "ap-east-1", "il-central-1", "mars-north-1"] {
            assert!(!is_always_enabled(region), "{region}");
        }
    }
}
