//! Every collector. [`ALL`] is the only list of services; the catalog is written from it. A cargo feature for each service
//! leaves its SDK out of a build.

mod process;

pub use process::{Args, run};

use collector::Collector;

/// Every service of this build, in the order in which a sync publishes their work.
#[rustfmt::skip]
pub static ALL: &[&dyn Collector] = &[
    &sts::SERVICE,
    #[cfg(feature = "ec2")] &ec2::SERVICE,
    #[cfg(feature = "iam")] &iam::SERVICE,
    #[cfg(feature = "inspector2")] &inspector2::SERVICE,
    #[cfg(feature = "kms")] &kms::SERVICE,
    #[cfg(feature = "lambda")] &lambda::SERVICE,
    #[cfg(feature = "organizations")] &organizations::SERVICE,
    #[cfg(feature = "s3")] &s3::SERVICE,
    #[cfg(feature = "s3control")] &s3control::SERVICE,
    #[cfg(feature = "secretsmanager")] &secretsmanager::SERVICE,
    #[cfg(feature = "sns")] &sns::SERVICE,
    #[cfg(feature = "sqs")] &sqs::SERVICE,
    #[cfg(feature = "ssm")] &ssm::SERVICE,
];

/// The collector of a service. `None`: this build has none.
pub fn named(name: &str) -> Option<&'static dyn Collector> {
    ALL.iter().copied().find(|collector| collector.name() == name)
}
