//! Images and snapshots in use.
//!
//! The graph has images and snapshots of other accounts only if they are in use, and AWS has no filter for that. So
//! the listings that see the users [note](crate::noted) the ids, and `DescribeImages` and `DescribeSnapshots`, which begin
//! last, wait for them. Ids that were not noted are requested again, so the graph does not depend on the order of
//! listings.

use crate::{Clients, launch_template::Templates, mention::mentioned, noted::InUse};
use aws_sdk_ec2::types::{Instance, Reservation, Volume};
use collector::{CollectError, Details, paged};
use std::collections::BTreeSet;

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
    use super::{Details, InUse, images, snapshots};
    use crate::canned::Canned;

    #[tokio::test]
    async fn what_was_noted_is_not_asked_for() {
        let server = Canned::default();
        let clients = server.clients();
        let InUse { instances, launch_templates, launch_configurations, volumes, .. } = &*clients.in_use;
        for (listing, id) in [(instances, "ami-1"), (launch_templates, "resolve:ssm:/a"), (volumes, "snap-1")] {
            let mut notes = listing.begin().await;
            notes.insert(id.to_owned());
            notes.complete();
        }
        launch_configurations.begin().await.complete();
        assert_eq!(images(&clients, &mut Details::default()).await.expect("known"), ["ami-1".to_owned()].into());
        assert_eq!(snapshots(&clients).await.expect("known"), ["snap-1".to_owned()].into());
        assert!(server.requests().is_empty());
    }
}
