//! Partitions: parts of AWS with their own accounts, regions and endpoints.

/// Prefix of each partition's regions, its name, and the region of its global services (AWS General Reference, "AWS IAM
/// endpoints and quotas"; partition metadata of the SDKs). Regions of `aws` have no common prefix.
const PARTITIONS: [(&str, &str, &str); 8] = [
    ("cn-", "aws-cn", "cn-north-1"),
    ("us-gov-", "aws-us-gov", "us-gov-west-1"),
    ("us-iso-", "aws-iso", "us-iso-east-1"),
    ("us-isob-", "aws-iso-b", "us-isob-east-1"),
    ("eu-isoe-", "aws-iso-e", "eu-isoe-west-1"),
    ("us-isof-", "aws-iso-f", "us-isof-south-1"),
    ("eusc-", "aws-eusc", "eusc-de-east-1"),
    ("", "aws", "us-east-1"),
];

/// Partition of a region.
pub fn partition_of_region(region: &str) -> &'static str {
    PARTITIONS.iter().find(|(prefix, ..)| region.starts_with(prefix)).map_or("aws", |(_, partition, _)| partition)
}

/// Region of a partition's global services. Every account has it.
pub fn default_region(partition: &str) -> &'static str {
    PARTITIONS.iter().find(|(_, name, _)| *name == partition).map_or("us-east-1", |(.., region)| region)
}

/// Names of all partitions.
pub fn partitions() -> impl Iterator<Item = &'static str> {
    PARTITIONS.iter().map(|(_, partition, _)| *partition)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{generated::REGIONS, is_always_enabled};

    #[test]
    fn every_region_of_botocore_is_in_its_partition() {
        for (region, partition) in REGIONS {
            assert_eq!(partition_of_region(region), *partition, "{region}");
            let default = default_region(partition);
            assert!(REGIONS.contains(&(default, partition)), "{partition} has no region {default}");
            assert!(is_always_enabled(default), "{default}");
        }
    }
}
