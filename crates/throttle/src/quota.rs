//! AWS's quotas of each account and region by API. The quotas of a service are in its collector.

use crate::Api;

/// Largest factor by which a bucket's rate is reduced.
pub const SLOWEST: f64 = 16.0;

/// A token bucket: a call takes one token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bucket {
    /// Calls that a full bucket allows without a pause.
    pub size: u32,
    /// Refill rate in calls per second.
    pub rate: u32,
    /// Initial calls per second: less than `rate` if AWS publishes no rate and it is a guess.
    pub start: u32,
    /// Source of the numbers.
    pub source: &'static str,
}

/// A part of a bucket, in calls and calls per second, which may be fractions.
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
    /// A bucket that AWS publishes in this source.
    pub const fn published(size: u32, rate: u32, source: &'static str) -> Self {
        Self { size, rate, start: rate, source }
    }

    /// Whether a full bucket pays for a call at the slowest rate ([`SLOWEST`] tokens), and `start` is 1 to `rate`.
    pub fn is_usable(&self) -> bool {
        f64::from(self.size) >= SLOWEST && (1..=self.rate).contains(&self.start)
    }

    /// A percentage of it. Less than 100 leaves tokens to the account's other clients; more is for quotas that AWS has
    /// raised.
    pub fn share(&self, percent: u32) -> Share {
        let of = |number: u32| f64::from(number) * f64::from(percent) / 100.0;
        Share { size: of(self.size), rate: of(self.rate), start: of(self.start) }
    }

    /// A bucket that AWS does not publish. Starts with half of most accounts' rate; AWS's answers correct it.
    pub const fn learned(size: u32, rate: u32) -> Self {
        Self { size, rate, start: rate / 2, source: "unpublished: a guess that AWS's answers correct" }
    }
}

/// A bucket of a service. A collector lists those of the services that its requests are signed for; the first that covers
/// a call applies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    /// Service that a request is signed for, e.g. `elasticloadbalancing`.
    pub service: &'static str,
    /// API operations. Empty: all that no earlier quota names.
    pub apis: &'static [&'static str],
    /// Applies only to calls without filter and page size.
    pub unpaged: bool,
    /// Calls that take tokens from one bucket.
    pub sharing: Sharing,
    /// The bucket.
    pub bucket: Bucket,
}

/// Calls that take tokens from one bucket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Each API has a separate bucket.
    None,
    /// All calls of an API version share one.
    Version,
}

impl Quota {
    /// Every API of a service, each with a separate bucket.
    pub const fn of(service: &'static str, bucket: Bucket) -> Self {
        Self { service, apis: &[], unpaged: false, sharing: Sharing::None, bucket }
    }

    fn covers(&self, api: &Api) -> bool {
        self.service == api.service
            && (self.apis.is_empty() || self.apis.contains(&api.name.as_str()))
            && (!self.unpaged || api.unpaged)
    }
}

/// Bucket of calls without a quota.
static OTHERS: Bucket = Bucket::learned(20, 10);

/// The bucket that a call takes its token from.
pub fn bucket(quotas: &[Quota], api: &Api) -> Bucket {
    quotas.iter().find(|quota| quota.covers(api)).map_or(OTHERS, |quota| quota.bucket)
}

/// The owner of that bucket: the API itself, or all calls that share it.
pub fn holder(quotas: &[Quota], api: &Api) -> Api {
    match quotas.iter().find(|quota| quota.covers(api)) {
        Some(Quota { sharing: Sharing::Version, .. }) => {
            let Api { service, version, region, .. } = api.clone();
            Api { service, version, region, ..Api::default() }
        }
        _ => api.clone(),
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    const SOURCE: &str = "a test";

    /// Quotas of each kind.
    pub(crate) static QUOTAS: &[Quota] = &[
        Quota { apis: &["DescribeStaleSecurityGroups"], ..Quota::of("ec2", Bucket::published(20, 5, SOURCE)) },
        Quota { apis: &["DescribeInstances"], unpaged: true, ..Quota::of("ec2", Bucket::published(50, 10, SOURCE)) },
        Quota::of("ec2", Bucket::published(100, 20, SOURCE)),
        Quota::of("sts", Bucket::published(600, 600, SOURCE)),
        Quota { sharing: Sharing::Version, ..Quota::of("elasticloadbalancing", Bucket::published(40, 10, SOURCE)) },
        Quota { sharing: Sharing::Version, ..Quota::of("autoscaling", Bucket::learned(50, 20)) },
    ];

    fn api(service: &str, name: &str) -> Api {
        Api { service: service.into(), name: name.into(), ..Api::default() }
    }

    fn sizes(service: &str, name: &str, unpaged: bool) -> (u32, u32) {
        let bucket = bucket(QUOTAS, &Api { unpaged, ..api(service, name) });
        (bucket.size, bucket.rate)
    }

    #[test]
    fn the_first_quota_that_covers_a_call_holds() {
        assert_eq!(sizes("ec2", "DescribeSubnets", true), (100, 20));
        assert_eq!(sizes("ec2", "DescribeInstances", false), (100, 20));
        assert_eq!(sizes("ec2", "DescribeInstances", true), (50, 10));
        assert_eq!(sizes("ec2", "DescribeStaleSecurityGroups", false), (20, 5));
        assert_eq!(sizes("unheard-of", "Any", false), (20, 10));
    }

    #[test]
    fn a_bucket_may_be_that_of_an_api_version() {
        let of = |version: &str, name| Api { version: version.into(), ..api("elasticloadbalancing", name) };
        let (classic, second) = ("2012-06-01", "2015-12-01");
        let listeners = of(second, "DescribeListeners");
        let holder = |api: &Api| holder(QUOTAS, api);
        assert_eq!(holder(&of(second, "DescribeLoadBalancers")), holder(&listeners));
        assert_ne!(holder(&of(classic, "DescribeLoadBalancers")), holder(&of(second, "DescribeLoadBalancers")));
        assert_eq!(bucket(QUOTAS, &holder(&listeners)), bucket(QUOTAS, &listeners));
        assert_ne!(holder(&api("ec2", "DescribeVpcs")), holder(&api("ec2", "DescribeSubnets")));
    }

    #[test]
    fn a_rate_that_aws_does_not_publish_begins_low() {
        for service in ["autoscaling", "unheard-of"] {
            let bucket = bucket(QUOTAS, &api(service, "Any"));
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
        assert!(OTHERS.is_usable() && f64::from(OTHERS.size) >= SLOWEST);
        assert!(!Bucket::published(15, 1, SOURCE).is_usable());
        assert!(!Bucket { start: 2, ..Bucket::published(100, 1, SOURCE) }.is_usable());
    }
}
