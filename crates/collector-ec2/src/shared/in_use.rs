//! Ids that listings of one work item share: images and snapshots in use, and, for [`by_name`](crate::by_name), ids by
//! name.
//!
//! The graph has images and snapshots of other accounts only if they are in use, and AWS has no filter for that. So
//! the listings that see the users note the ids, and `DescribeImages` and `DescribeSnapshots`, which begin last, wait for
//! them: no call is made twice. If a listing did not begin or did not complete, its ids are requested again, so the graph
//! does not depend on the order of listings.

use crate::{Clients, by_name::Ids, launch_template::Templates, mention::mentioned};
use aws_sdk_ec2::types::{Instance, Reservation, Volume};
use collector::{CollectError, Details, await_sibling, paged};
use futures::lock::{Mutex, MutexGuard};
use std::collections::BTreeSet;

/// Ids in use, by the listing that notes them.
#[derive(Debug, Default)]
pub(crate) struct InUse {
    /// Images of instances.
    pub(crate) instances: Noted,
    /// Images of launch template versions.
    pub(crate) launch_templates: Noted,
    /// Images of launch configurations.
    pub(crate) launch_configurations: Noted,
    /// Snapshots that volumes were made from.
    pub(crate) volumes: Noted,
    /// Security groups by VPC and name.
    pub(crate) groups: Noted<Ids>,
    /// Launch configurations by name.
    pub(crate) configurations: Noted<Ids>,
}

/// Ids that one listing notes; locked while it runs.
#[derive(Debug, Default)]
pub(crate) struct Noted<T = BTreeSet<String>>(Mutex<Option<T>>);

/// The notes of a running listing. Dropping them before completion discards them.
pub(crate) struct Notes<'a, T = BTreeSet<String>> {
    noted: MutexGuard<'a, Option<T>>,
    ids: T,
}

impl<T: Clone + Default> Noted<T> {
    /// Begins a listing: locks, and discards earlier notes.
    pub(crate) async fn begin(&self) -> Notes<'_, T> {
        let mut noted = self.0.lock().await;
        *noted = None;
        Notes { noted, ids: T::default() }
    }

    /// Returns the ids, once a running listing has ended. `None`: it has not begun or has failed.
    pub(crate) async fn known(&self) -> Option<T> {
        await_sibling(self.0.lock()).await.clone()
    }
}

impl Notes<'_> {
    /// Notes the ids that are not `None`.
    pub(crate) fn note<'a>(&mut self, ids: impl IntoIterator<Item = Option<&'a str>>) {
        self.ids.extend(mentioned(ids));
    }
}

impl Notes<'_, Ids> {
    /// Notes names with their ids.
    pub(crate) fn name(&mut self, ids: impl IntoIterator<Item = (String, String)>) {
        self.ids.extend(ids);
    }
}

impl<T> Notes<'_, T> {
    /// Publishes the notes after the last page.
    pub(crate) fn complete(mut self) {
        *self.noted = Some(self.ids);
    }
}

/// Returns the images that instances, launch templates and launch configurations of the account and region refer to, without
/// those of unreadable templates.
///
/// # Errors
/// They were not noted, and AWS does not answer.
pub(crate) async fn images(clients: &Clients, details: &mut Details) -> Result<BTreeSet<String>, CollectError> {
    let InUse { instances, launch_templates, launch_configurations, .. } = &*clients.in_use;
    let mut images = match instances.known().await {
        Some(known) => known,
        None => of_instances(clients).await?,
    };
    images.extend(match launch_templates.known().await {
        Some(known) => known,
        None => of_launch_templates(clients, details).await?,
    });
    images.extend(match launch_configurations.known().await {
        Some(known) => known,
        None => of_launch_configurations(clients).await?,
    });
    // A launch template may name a Systems Manager parameter instead: `resolve:ssm:…`.
    images.retain(|id| id.starts_with("ami-"));
    Ok(images)
}

/// Returns the snapshots that volumes of the account and region were made from.
///
/// # Errors
/// They were not noted, and AWS does not answer.
pub(crate) async fn snapshots(clients: &Clients) -> Result<BTreeSet<String>, CollectError> {
    match clients.in_use.volumes.known().await {
        Some(known) => Ok(known),
        None => of_volumes(clients).await,
    }
}

async fn of_instances(clients: &Clients) -> Result<BTreeSet<String>, CollectError> {
    let mut images = BTreeSet::new();
    let mut pages =
        paged!(clients.ec2.describe_instances().include_managed_resources(true).max_results(1000), next_token);
    while let Some(page) = pages.next().await {
        let page = page?;
        images.extend(mentioned(page.reservations().iter().flat_map(Reservation::instances).map(Instance::image_id)));
    }
    Ok(images)
}

async fn of_launch_templates(clients: &Clients, details: &mut Details) -> Result<BTreeSet<String>, CollectError> {
    let mut images = BTreeSet::new();
    let mut templates = Templates::of(clients);
    while let Some(page) = templates.next(details).await? {
        images.extend(mentioned(page.iter().flat_map(|template| template.images())));
    }
    Ok(images)
}

async fn of_launch_configurations(clients: &Clients) -> Result<BTreeSet<String>, CollectError> {
    let mut images = BTreeSet::new();
    let mut pages = paged!(clients.autoscaling.describe_launch_configurations().max_records(100), next_token);
    while let Some(page) = pages.next().await {
        images.extend(mentioned(page?.launch_configurations().iter().map(|it| it.image_id())));
    }
    Ok(images)
}

async fn of_volumes(clients: &Clients) -> Result<BTreeSet<String>, CollectError> {
    let mut snapshots = BTreeSet::new();
    let mut pages =
        paged!(clients.ec2.describe_volumes().include_managed_resources(true).max_results(1000), next_token);
    while let Some(page) = pages.next().await {
        snapshots.extend(mentioned(page?.volumes().iter().map(Volume::snapshot_id)));
    }
    Ok(snapshots)
}

#[cfg(test)]
mod tests {
    use super::{Details, InUse, Noted, images, snapshots};
    use crate::canned::Canned;
    use futures::FutureExt;

    #[tokio::test]
    async fn a_listing_that_failed_noted_nothing() {
        let in_use: Noted = Noted::default();
        in_use.begin().await.note([Some("ami-1")]);
        assert_eq!(in_use.known().await, None);
    }

    #[tokio::test]
    async fn a_listing_at_work_is_waited_for() {
        let in_use: Noted = Noted::default();
        let mut notes = in_use.begin().await;
        notes.note([Some("ami-1"), None, Some("ami-1")]);
        assert_eq!(in_use.known().now_or_never(), None);
        notes.complete();
        assert_eq!(in_use.known().await, Some(["ami-1".to_owned()].into()));
    }

    #[tokio::test]
    async fn what_was_noted_is_not_asked_for() {
        let server = Canned::default();
        let clients = server.clients();
        let InUse { instances, launch_templates, launch_configurations, volumes, .. } = &*clients.in_use;
        for (listing, id) in [(instances, "ami-1"), (launch_templates, "resolve:ssm:/a"), (volumes, "snap-1")] {
            let mut notes = listing.begin().await;
            notes.note([Some(id)]);
            notes.complete();
        }
        launch_configurations.begin().await.complete();
        assert_eq!(images(&clients, &mut Details::default()).await.expect("known"), ["ami-1".to_owned()].into());
        assert_eq!(snapshots(&clients).await.expect("known"), ["snap-1".to_owned()].into());
        assert!(server.requests().is_empty());
    }
}
