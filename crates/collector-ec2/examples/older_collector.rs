//! An EC2 collector of an older version, which knows fewer listings than today's: for surveys by collectors of two versions.
//!
//! It calls itself `ec2` like the other, takes the same work, and lists volumes only as instances name them. `just chaos` runs
//! both on one bus: what only the newer one lists must stay in the graph.

use collector::{Alone, Region, Service};
use collector_ec2::{Clients, SERVICE, instance, key_pair, regions, security_group, subnet, vpc};
use std::process::ExitCode;

static OLDER: Service<Clients> = Service {
    name: SERVICE.name,
    region: Region::Each,
    connect: Clients::connect,
    listings: &[vpc::LISTING, subnet::LISTING, security_group::LISTING, instance::LISTING, key_pair::LISTING],
    regions: Some(regions::enabled),
    regions_actions: regions::ACTIONS,
};

fn main() -> ExitCode {
    let about = "Collects EC2 as an older version did";
    role::alone("older-collector", about, |alone: Alone| alone.run(&OLDER))
}
