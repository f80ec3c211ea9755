//! The services that Groma collects. The collectors' own registries are the truth; a test of the `groma` crate, which
//! sees both, compares them with this list.

/// A service as the scheduler needs to know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Service {
    /// As in `--services`, in subjects and in work items.
    pub name: &'static str,
    /// One endpoint for the whole account, instead of one in each region.
    pub global: bool,
    /// Collected in every sync, whatever `--services` says.
    pub always: bool,
}

/// Every service, in the order in which its work is published.
pub const SERVICES: &[Service] = &[
    Service { name: "sts", global: true, always: true },
    Service { name: "ec2", global: false, always: false },
    Service { name: "iam", global: true, always: false },
    Service { name: "inspector2", global: false, always: false },
    Service { name: "organizations", global: true, always: false },
];

/// The service whose collector can say which regions an account has enabled.
pub const REGION_DISCOVERY: &str = "ec2";

/// Names that `--services` takes.
pub fn selectable() -> impl Iterator<Item = &'static str> {
    SERVICES.iter().filter(|service| !service.always).map(|service| service.name)
}
