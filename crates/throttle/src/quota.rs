//! What AWS grants each account and region, API by API.

use crate::Api;

/// A token bucket: a call takes one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Calls that a full bucket allows at once.
    pub size: u32,
    /// Calls a second that refill it.
    pub rate: u32,
    /// Calls a second to begin with: less than `rate` where AWS publishes nothing and the rate is a guess.
    pub start: u32,
    /// Where the numbers come from.
    pub source: &'static str,
}

impl Bucket {
    const fn published(size: u32, rate: u32, source: &'static str) -> Self {
        Self { size, rate, start: rate, source }
    }

    /// AWS says nothing: begin at half of a rate that most accounts stand, and let its answers teach the rest.
    const fn learned(size: u32, rate: u32) -> Self {
        Self { size, rate, start: rate / 2, source: "unpublished: a guess that AWS's answers correct" }
    }
}

const EC2: &str = "AWS, \"Request throttling for the Amazon EC2 API\", docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html";
const STS: &str = "AWS, \"IAM and AWS STS quotas\", docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html";

/// A service's bucket for the APIs that are named; no names means all others.
struct Row {
    service: &'static str,
    apis: &'static [&'static str],
    /// Only for calls without filter and without page size.
    unpaged: bool,
    bucket: Bucket,
}

/// The first row that fits holds.
static TABLE: &[Row] = &[
    Row {
        service: "ec2",
        apis: &["DescribeStaleSecurityGroups", "DescribeSecurityGroupReferences"],
        unpaged: false,
        bucket: Bucket::published(20, 5, EC2),
    },
    Row {
        service: "ec2",
        apis: &[
            "DescribeInstances",
            "DescribeInstanceStatus",
            "DescribeNetworkInterfaces",
            "DescribeSecurityGroups",
            "DescribeSnapshots",
            "DescribeSpotInstanceRequests",
            "DescribeVolumes",
        ],
        unpaged: true,
        bucket: Bucket::published(50, 10, EC2),
    },
    Row { service: "ec2", apis: &[], unpaged: false, bucket: Bucket::published(100, 20, EC2) },
    Row { service: "sts", apis: &[], unpaged: false, bucket: Bucket::published(600, 600, STS) },
    Row { service: "iam", apis: &[], unpaged: false, bucket: Bucket::learned(100, 40) },
    Row { service: "inspector2", apis: &[], unpaged: false, bucket: Bucket::learned(50, 20) },
    Row { service: "organizations", apis: &[], unpaged: false, bucket: Bucket::learned(20, 10) },
    Row { service: "autoscaling", apis: &[], unpaged: false, bucket: Bucket::learned(50, 20) },
    Row { service: "elasticloadbalancing", apis: &[], unpaged: false, bucket: Bucket::learned(50, 20) },
];

/// For services that the table does not have.
static OTHERS: Bucket = Bucket::learned(20, 10);

/// The bucket of an API of a service.
pub fn bucket(service: &str, api: &Api) -> Bucket {
    let fits = |row: &&Row| {
        row.service == service
            && (row.apis.is_empty() || row.apis.contains(&api.name.as_str()))
            && (!row.unpaged || api.unpaged)
    };
    TABLE.iter().find(fits).map_or(OTHERS, |row| row.bucket)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::SLOWEST;

    fn sizes(service: &str, name: &str, unpaged: bool) -> (u32, u32) {
        let bucket = bucket(service, &Api { name: name.into(), unpaged });
        (bucket.size, bucket.rate)
    }

    #[test]
    fn ec2_has_a_bucket_for_each_kind_of_call() {
        assert_eq!(sizes("ec2", "DescribeSubnets", true), (100, 20));
        assert_eq!(sizes("ec2", "DescribeInstances", false), (100, 20));
        assert_eq!(sizes("ec2", "DescribeInstances", true), (50, 10));
        assert_eq!(sizes("ec2", "DescribeStaleSecurityGroups", false), (20, 5));
    }

    #[test]
    fn what_aws_does_not_publish_begins_low() {
        for service in ["iam", "inspector2", "organizations", "autoscaling", "elasticloadbalancing", "unheard-of"] {
            let bucket = bucket(service, &Api { name: "Any".into(), unpaged: true });
            assert!(bucket.start < bucket.rate, "{service}");
            assert!(bucket.source.starts_with("unpublished"), "{service}");
        }
    }

    #[test]
    fn a_full_bucket_always_holds_one_call_at_the_slowest_rate() {
        for row in TABLE {
            assert!(f64::from(row.bucket.size) >= SLOWEST, "{}: {:?}", row.service, row.apis);
            assert!(row.bucket.start >= 1 && row.bucket.start <= row.bucket.rate);
        }
        assert!(f64::from(OTHERS.size) >= SLOWEST);
    }
}
