//! An EC2 collector of an older version, for surveys with collectors of two versions. It knows fewer listings than the
//! current one.
//!
//! It has the same name `ec2`, takes the same work, and knows volumes only from instances. `just chaos` runs both on
//! one bus: assets listed only by the newer one must stay in the graph.

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
