//! Discovers the enabled regions of an account. The answer is the same in each region. But a policy of the organization
//! may deny calls in some regions ("only Europe"), and an endpoint may be down, so regions are asked in turn.

use crate::{
    CollectError, Place, listing,
    service::RegionDiscovery,
    worker::{Leased, Task, Worker},
};
use events::{Failure, FailureClass};
use std::collections::BTreeSet;

/// Limit of regions whose endpoint does not answer, because each costs a minute or more.
const MOST_SLOW: u32 = 3;

/// Returns the names of the regions, sorted.
///
/// # Errors
/// Fails if there is no session or no region answers. The error is that of the account's home region.
pub(crate) async fn regions<C>(worker: &Worker<C>, task: &Task<'_>) -> Result<Vec<String>, Failure> {
    let Some(RegionDiscovery { ask, .. }) = worker.service.regions else {
        let error = format!("{} has no region discovery", worker.service.name);
        return Err(Failure::new(FailureClass::Internal, error));
    };
    let leased = Leased::acquire(worker, task).await?;
    let mut tries = Tries::default();
    for region in candidates(task.place) {
        let place = Place { region, ..task.place.clone() };
        let client = leased.client(worker, &place);
        match listing::within(worker.options.listing_timeout, ask(&client)).await {
            Ok(regions) => return Ok(regions.into_iter().collect::<BTreeSet<_>>().into_iter().collect()),
            Err(error) => tries.failed(&place.region, error.classified(worker.service.errors).seen_from(&place))?,
        }
    }
    Err(tries.first.unwrap_or_else(|| CollectError::internal("no region to ask")).into())
}

/// The place's region, then the partition's default one, then the others that every account has.
fn candidates(place: &Place) -> Vec<String> {
    let own = [place.client_region(), regions::default_region(&place.partition)];
    let others = regions::ALWAYS_ENABLED.into_iter();
    let others = others.filter(|region| regions::partition_of_region(region) == place.partition);
    let mut candidates: Vec<String> = Vec::new();
    for region in own.into_iter().chain(others) {
        if !candidates.iter().any(|known| known == region) {
            candidates.push(region.to_owned());
        }
    }
    candidates
}

/// Regions that did not answer.
#[derive(Debug, Default)]
struct Tries {
    first: Option<CollectError>,
    slow: u32,
}

impl Tries {
    /// Records a failure.
    ///
    /// Fails if another region would not help. Returns the first failure.
    /// No other region is worth a try: returns the first failure.
    fn failed(&mut self, region: &str, error: CollectError) -> Result<(), CollectError> {
        tracing::debug!(region, %error, "region discovery failed in this region");
        let class = error.class;
        self.slow += u32::from(is_slow(class));
        let first = self.first.get_or_insert(error);
        if is_of_all(class) || self.slow >= MOST_SLOW { Err(first.clone()) } else { Ok(()) }
    }
}

/// A bad session fails in every region.
fn is_of_all(class: FailureClass) -> bool {
    matches!(class, FailureClass::Credentials | FailureClass::Internal)
}

fn is_slow(class: FailureClass) -> bool {
    !matches!(class, FailureClass::AccessDenied | FailureClass::NotEnabled)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(region: &str, partition: &str) -> Place {
        Place { region: region.into(), partition: partition.into(), ..crate::testing::place() }
    }

    fn error(class: FailureClass) -> CollectError {
        CollectError::new(class, "no")
    }

    fn names(regions: &[&str]) -> Vec<String> {
        regions.iter().map(|region| (*region).to_owned()).collect()
    }

    #[test]
    fn the_home_region_goes_first_and_each_region_of_the_partition_follows_once() {
        let all = candidates(&place("eu-west-1", "aws"));
        assert_eq!(all[..2], names(&["eu-west-1", "us-east-1"]));
        assert_eq!(all.len(), regions::ALWAYS_ENABLED.len());
        assert_eq!(candidates(&place("cn-northwest-1", "aws-cn")), names(&["cn-northwest-1", "cn-north-1"]));
    }

    #[test]
    fn denied_regions_are_not_the_last_word() {
        let mut tries = Tries::default();
        for region in candidates(&place("us-east-1", "aws")) {
            assert_eq!(tries.failed(&region, error(FailureClass::AccessDenied)), Ok(()), "{region}");
        }
    }

    #[test]
    fn hung_regions_are_not_all_waited_for_and_a_bad_session_ends_the_search() {
        let mut tries = Tries::default();
        let denied = error(FailureClass::AccessDenied);
        assert_eq!(tries.failed("a", denied.clone()), Ok(()));
        for _ in 1..MOST_SLOW {
            assert_eq!(tries.failed("b", error(FailureClass::Timeout)), Ok(()));
        }
        assert_eq!(tries.failed("c", error(FailureClass::Timeout)), Err(denied));
        let bad = error(FailureClass::Credentials);
        assert_eq!(Tries::default().failed("a", bad.clone()), Err(bad));
    }
}
