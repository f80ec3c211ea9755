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

/// A part of a bucket, in calls and calls a second, which may be fractions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share {
    /// As [`Bucket::size`].
    pub size: f64,
    /// As [`Bucket::rate`].
    pub rate: f64,
    /// As [`Bucket::start`].
    pub start: f64,
}

impl Bucket {
    const fn published(size: u32, rate: u32, source: &'static str) -> Self {
        Self { size, rate, start: rate, source }
    }

    /// So many percent of it: less to leave the rest of an account's tokens to others, more where AWS has raised its quota.
    pub fn share(&self, percent: u32) -> Share {
        let of = |number: u32| f64::from(number) * f64::from(percent) / 100.0;
        Share { size: of(self.size), rate: of(self.rate), start: of(self.start) }
    }

    /// AWS says nothing: begin at half of a rate that most accounts stand, and let its answers teach the rest.
    const fn learned(size: u32, rate: u32) -> Self {
        Self { size, rate, start: rate / 2, source: "unpublished: a guess that AWS's answers correct" }
    }
}

const EC2: &str = "AWS, \"Request throttling for the Amazon EC2 API\", docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html";
const ELB: &str = "AWS, \"Request throttling for the Elastic Load Balancing API\", docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html";
const STS: &str = "AWS, \"IAM and AWS STS quotas\", docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html";

/// A service's bucket for the APIs that are named; no names means all others.
struct Row {
    service: &'static str,
    apis: &'static [&'static str],
    /// Only for calls without filter and without page size.
    unpaged: bool,
    /// Who takes tokens from one bucket.
    sharing: Sharing,
    bucket: Bucket,
}

/// Who takes tokens from one bucket.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sharing {
    /// Each API has its own.
    None,
    /// All calls of an API version. "Each ELB API version has its own buckets and tokens", and each of those is for all
    /// non-mutating actions ([`ELB`]); "all Amazon EC2 Auto Scaling API calls have a single, shared API limit" (AWS,
    /// "My Auto Scaling API calls are getting throttled", repost.aws/knowledge-center/autoscaling-api-calls-throttled).
    Version,
}

/// The first row that fits holds.
static TABLE: &[Row] = &[
    Row {
        apis: &["DescribeStaleSecurityGroups", "DescribeSecurityGroupReferences"],
        ..row("ec2", Bucket::published(20, 5, EC2))
    },
    Row {
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
        ..row("ec2", Bucket::published(50, 10, EC2))
    },
    row("ec2", Bucket::published(100, 20, EC2)),
    row("sts", Bucket::published(600, 600, STS)),
    Row { sharing: Sharing::Version, ..row("elasticloadbalancing", Bucket::published(40, 10, ELB)) },
    Row { sharing: Sharing::Version, ..row("autoscaling", Bucket::learned(50, 20)) },
    row("iam", Bucket::learned(100, 40)),
    row("inspector2", Bucket::learned(50, 20)),
    row("organizations", Bucket::learned(20, 10)),
];

/// For every API of a service, each with a bucket of its own.
const fn row(service: &'static str, bucket: Bucket) -> Row {
    Row { service, apis: &[], unpaged: false, sharing: Sharing::None, bucket }
}

/// For services that the table does not have.
static OTHERS: Bucket = Bucket::learned(20, 10);

/// The bucket that a call takes its token from.
pub fn bucket(api: &Api) -> Bucket {
    row_of(api).map_or(OTHERS, |row| row.bucket)
}

/// Whose bucket that is: the API's own, or that of all calls which share it.
pub fn holder(api: &Api) -> Api {
    match row_of(api) {
        Some(Row { sharing: Sharing::Version, .. }) => {
            Api { service: api.service.clone(), version: api.version.clone(), ..Api::default() }
        }
        _ => api.clone(),
    }
}

fn row_of(api: &Api) -> Option<&'static Row> {
    TABLE.iter().find(|row| {
        row.service == api.service
            && (row.apis.is_empty() || row.apis.contains(&api.name.as_str()))
            && (!row.unpaged || api.unpaged)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pace::SLOWEST;

    fn api(service: &str, name: &str) -> Api {
        Api { service: service.into(), name: name.into(), ..Api::default() }
    }

    fn sizes(service: &str, name: &str, unpaged: bool) -> (u32, u32) {
        let bucket = bucket(&Api { unpaged, ..api(service, name) });
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
    fn load_balancers_have_a_bucket_for_each_api_version() {
        let of = |version: &str, name| Api { version: version.into(), ..api("elasticloadbalancing", name) };
        let (classic, second) = ("2012-06-01", "2015-12-01");
        let listeners = of(second, "DescribeListeners");
        assert_eq!(sizes("elasticloadbalancing", "DescribeListeners", true), (40, 10));
        assert_eq!(holder(&of(second, "DescribeLoadBalancers")), holder(&listeners));
        assert_ne!(holder(&of(classic, "DescribeLoadBalancers")), holder(&of(second, "DescribeLoadBalancers")));
        assert_eq!(bucket(&holder(&listeners)), bucket(&listeners));
        assert_ne!(holder(&api("ec2", "DescribeVpcs")), holder(&api("ec2", "DescribeSubnets")));
    }

    #[test]
    fn what_aws_does_not_publish_begins_low() {
        for service in ["iam", "inspector2", "organizations", "autoscaling", "unheard-of"] {
            let bucket = bucket(&api(service, "Any"));
            assert!(bucket.start < bucket.rate, "{service}");
            assert!(bucket.source.starts_with("unpublished"), "{service}");
        }
    }

    #[test]
    fn a_part_of_a_quota_is_exactly_that() {
        let of = |percent| {
            let Share { size, rate, start } = OTHERS.share(percent);
            format!("{size} {rate} {start}")
        };
        assert_eq!(of(100), "20 10 5");
        assert_eq!(of(50), "10 5 2.5");
        assert_eq!(of(1), "0.2 0.1 0.05");
        assert_eq!(of(300), "60 30 15");
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
