//! An EC2 collector of an older version, for surveys with collectors of two versions. It knows fewer listings than the
//! current one.
//!
//! It has the same name `ec2`, takes the same work, and knows volumes only from instances. `just chaos` runs both on
//! one bus: assets listed only by the newer one must stay in the graph.

use collector::{Collector, ProcessArgs, Service};
use collector_ec2::SERVICE;
use std::process::ExitCode;

/// Listings of that version.
const KNOWN: [&str; 5] =
    ["DescribeVpcs", "DescribeSubnets", "DescribeSecurityGroups", "DescribeInstances", "DescribeKeyPairs"];

fn older() -> &'static dyn Collector {
    let known = SERVICE.listings.iter().filter(|listing| KNOWN.contains(&listing.name));
    let listings = known.copied().collect::<Vec<_>>().leak();
    Box::leak(Box::new(Service { listings, ..SERVICE }))
}

fn main() -> ExitCode {
    let about = "Collects EC2 as an older version did";
    process::main("older-collector", about, async |args: ProcessArgs| args.run(&[older()]).await)
}
