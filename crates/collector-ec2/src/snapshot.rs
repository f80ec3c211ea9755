//! EBS snapshots, the account's own and those that its volumes were made from: `DescribeSnapshots` ->
//! `(:AWSEBSSnapshot)`.
//!
//! Public snapshots have an attribute, but reading it needs one call per snapshot. So one call first lists the account's
//! snapshots that everyone may restore; usually there are none. The attribute then confirms each, because an endpoint that
//! ignores the call's filter would make every snapshot public.

use crate::{Clients, existing::existing, in_use, mention::mentioned};
use aws_sdk_ec2::{
    error::SdkError,
    operation::{
        describe_snapshot_attribute::DescribeSnapshotAttributeOutput, describe_snapshots::DescribeSnapshotsError,
    },
    types::{PermissionGroup, Snapshot, SnapshotAttributeName},
};
use collector::{
    CollectError, Collecting, Detail, Details, Edge, Listing, Node, Place, Sink, Value, copied, indexed, paged, prop,
    unless_gone,
};
use std::collections::BTreeSet;

/// A snapshot and whether everyone may restore it, which is known for the account's own only.
#[derive(Debug, Clone)]
pub(crate) struct SharedSnapshot {
    /// As AWS describes it.
    pub(crate) snapshot: Snapshot,
    /// Whether it is public.
    pub(crate) public: Option<bool>,
}

/// Snapshots.
pub(crate) static SNAPSHOT: Node<SharedSnapshot> = Node {
    extra_labels: &["EBSSnapshot", "Snapshot"],
    id: |it, _| it.snapshot.snapshot_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("snapshotid", |it, _| it.snapshot.snapshot_id().into()),
        prop("description", |it, _| it.snapshot.description().into()),
        prop("ownerid", |it, _| it.snapshot.owner_id().into()),
        prop("ispublic", |it, _| it.public.into()),
        prop("encrypted", |it, _| it.snapshot.encrypted().into()),
        prop("progress", |it, _| it.snapshot.progress().into()),
        prop("starttime", |it, _| it.snapshot.start_time().into()),
        prop("state", |it, _| Value::text(it.snapshot.state())),
        prop("statemessage", |it, _| it.snapshot.state_message().into()),
        prop("volumeid", |it, _| it.snapshot.volume_id().into()),
        prop("volumesize", |it, _| it.snapshot.volume_size().into()),
        prop("outpostarn", |it, _| it.snapshot.outpost_arn().into()),
        prop("dataencryptionkeyid", |it, _| it.snapshot.data_encryption_key_id().into()),
        prop("kmskeyid", |it, _| it.snapshot.kms_key_id().into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    ontology: &[
        copied("_ont_name", "id"),
        copied("_ont_encrypted", "encrypted"),
        copied("_ont_public", "ispublic"),
        copied("_ont_source_id", "volumeid"),
        copied("_ont_created_at", "starttime"),
        copied("_ont_region", "region"),
    ],
    edges: &[Edge::account()],
    ..Node::of("AWSEBSSnapshot")
};

/// The call, and `DescribeVolumes` in case its own listing did not note the snapshots in use.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeSnapshots",
    actions: &["ec2:DescribeSnapshots", "ec2:DescribeSnapshotAttribute", "ec2:DescribeVolumes"],
    feeds: &[&SNAPSHOT],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let (mut listed, mut public, mut details) = (BTreeSet::new(), None, Details::default());
        let mut pages = paged!(clients.ec2.describe_snapshots().owner_ids("self").max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            let page = page?;
            listed.extend(mentioned(page.snapshots().iter().map(Snapshot::snapshot_id)));
            if public.is_none() && page.snapshots().iter().any(|it| is_own(it, sink.place())) {
                public = Some(Public::ask(clients, sink.place(), &mut details).await?);
            }
            emit(page.snapshots.unwrap_or_default(), public.as_ref(), sink).await?;
        }
        let used = in_use::snapshots(clients).await?;
        let others: Vec<String> = used.difference(&listed).cloned().collect();
        emit(existing(&others, &mut details, |ids| by_ids(clients, ids)).await?, public.as_ref(), sink).await?;
        details.end()
    })
}

async fn emit(snapshots: Vec<Snapshot>, public: Option<&Public>, sink: &mut Sink) -> Result<(), CollectError> {
    for snapshot in snapshots {
        let known = public.filter(|_| is_own(&snapshot, sink.place())).zip(snapshot.snapshot_id());
        if known.is_some_and(|(public, id)| public.left_out.contains(id)) {
            continue;
        }
        let public = known.map(|(public, id)| public.ids.contains(id));
        sink.emit(&SNAPSHOT, &SharedSnapshot { snapshot, public }).await?;
    }
    Ok(())
}

fn is_own(snapshot: &Snapshot, place: &Place) -> bool {
    snapshot.owner_id() == Some(&place.account_id)
}

async fn by_ids(clients: &Clients, ids: Vec<String>) -> Result<Vec<Snapshot>, SdkError<DescribeSnapshotsError>> {
    let pages = paged!(clients.ec2.describe_snapshots().set_snapshot_ids(Some(ids)), next_token).all().await?;
    Ok(pages.into_iter().flat_map(|page| page.snapshots.unwrap_or_default()).collect())
}

/// Snapshots of the account that everyone may restore.
#[derive(Default)]
struct Public {
    ids: BTreeSet<String>,
    /// Snapshots that are gone or whose attribute cannot be read. They keep their properties in the graph.
    left_out: BTreeSet<String>,
}

impl Public {
    async fn ask(clients: &Clients, place: &Place, details: &mut Details) -> Result<Self, CollectError> {
        let mut public = Self::default();
        let call = clients.ec2.describe_snapshots().owner_ids("self").restorable_by_user_ids("all");
        let mut pages = paged!(call.max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            let page = page?;
            let own = page.snapshots().iter().filter(|it| is_own(it, place));
            for id in mentioned(own.map(Snapshot::snapshot_id)) {
                match details.take(&id, is_public(clients, &id).await)? {
                    Detail::Read(true) => public.ids.insert(id),
                    Detail::Read(false) => false,
                    Detail::Gone | Detail::Failed => public.left_out.insert(id),
                };
            }
        }
        Ok(public)
    }
}

/// `None`: the snapshot is gone.
async fn is_public(clients: &Clients, id: &str) -> Result<Option<bool>, CollectError> {
    let attribute = SnapshotAttributeName::CreateVolumePermission;
    let answer = clients.ec2.describe_snapshot_attribute().snapshot_id(id).attribute(attribute).send().await;
    let is_all = |answer: &DescribeSnapshotAttributeOutput| {
        answer.create_volume_permissions().iter().any(|it| it.group() == Some(&PermissionGroup::All))
    };
    Ok(unless_gone(answer)?.map(|answer| is_all(&answer)))
}

#[cfg(test)]
mod tests {
    use super::{LISTING, SNAPSHOT, SharedSnapshot, Snapshot};
    use crate::canned::Canned;
    use aws_smithy_types::DateTime;
    use collector::{
        Sink,
        testing::{node_ids, place, render, render_batches},
    };
    use expect_test::expect;

    #[test]
    fn a_full_snapshot_leaves_nothing_null() {
        let snapshot = Snapshot::builder()
            .snapshot_id("snap-1")
            .description("nightly")
            .owner_id("111111111111")
            .encrypted(true)
            .progress("100%")
            .start_time(DateTime::from_secs_f64(1_700_000_000.25))
            .state("completed".into())
            .state_message("copied")
            .volume_id("vol-1")
            .volume_size(8)
            .outpost_arn("arn:aws:outposts:us-east-1:111111111111:outpost/op-1")
            .data_encryption_key_id("key-1")
            .kms_key_id("arn:aws:kms:us-east-1:111111111111:key/k")
            .build();
        let shared = SharedSnapshot { snapshot, public: Some(false) };
        expect![[r#"
            (:AWSEBSSnapshot:EBSSnapshot:Snapshot {id: "snap-1"})
              snapshotid (indexed) = "snap-1"
              description = "nightly"
              ownerid = "111111111111"
              ispublic = false
              encrypted = true
              progress = "100%"
              starttime = time(1700000000250000)
              state = "completed"
              statemessage = "copied"
              volumeid = "vol-1"
              volumesize = 8
              outpostarn = "arn:aws:outposts:us-east-1:111111111111:outpost/op-1"
              dataencryptionkeyid = "key-1"
              kmskeyid = "arn:aws:kms:us-east-1:111111111111:key/k"
              region = "us-east-1"
              _ont_name (indexed) = "snap-1"
              _ont_encrypted (indexed) = true
              _ont_public (indexed) = false
              _ont_source_id (indexed) = "vol-1"
              _ont_created_at (indexed) = time(1700000000250000)
              _ont_region (indexed) = "us-east-1"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&SNAPSHOT, &shared, &[]));
    }

    const OWN: &str = "<snapshotSet>\
        <item><snapshotId>snap-1</snapshotId><ownerId>111111111111</ownerId></item>\
        <item><snapshotId>snap-2</snapshotId><ownerId>111111111111</ownerId></item>\
        <item><snapshotId>snap-3</snapshotId><ownerId>amazon</ownerId></item></snapshotSet>";

    /// AWS lists two as public, but one is not. The third belongs to another account and is not checked.
    #[tokio::test]
    async fn public_snapshots_are_confirmed() {
        let server = Canned::answering(&[
            OWN,
            OWN,
            "<createVolumePermission><item><group>all</group></item></createVolumePermission>",
            "<createVolumePermission><item><userId>222222222222</userId></item></createVolumePermission>",
        ]);
        let clients = server.clients();
        clients.in_use.volumes.begin().await.complete();
        let mut sink = Sink::to_memory(place());
        (LISTING.collect)(&clients, &mut sink).await.expect("answered");
        let text = render_batches(&sink.into_batches().await.expect("in memory"));
        let told: Vec<&str> =
            text.lines().filter(|line| line.contains("ispublic") || line.contains("{id: \"snap")).collect();
        expect![[r#"
            (:AWSEBSSnapshot:EBSSnapshot:Snapshot {id: "snap-1"})
              ispublic = true
            (:AWSEBSSnapshot:EBSSnapshot:Snapshot {id: "snap-2"})
              ispublic = false
            (:AWSEBSSnapshot:EBSSnapshot:Snapshot {id: "snap-3"})
              ispublic = null
            (:AWSEBSSnapshot {id: "snap-1"})<-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
            (:AWSEBSSnapshot {id: "snap-2"})<-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
            (:AWSEBSSnapshot {id: "snap-3"})<-[:RESOURCE]-(:AWSAccount {id: "111111111111"})"#]]
        .assert_eq(&told.join("\n"));
        assert_eq!(server.requests().len(), 4);
    }

    #[tokio::test]
    async fn a_snapshot_that_is_gone_or_cannot_be_read_is_left_out_and_the_others_are_read() {
        const ALL: &str = "<createVolumePermission><item><group>all</group></item></createVolumePermission>";
        for (answer, expected) in [
            ("!InvalidSnapshot.NotFound gone", Ok(())),
            ("!InternalError no", Err("snap-1: InternalError: no".to_owned())),
        ] {
            let server = Canned::answering(&[OWN, OWN, answer, ALL]);
            let (clients, mut sink) = (server.clients(), Sink::to_memory(place()));
            clients.in_use.volumes.begin().await.complete();
            let ended = (LISTING.collect)(&clients, &mut sink).await;
            assert_eq!(ended.map_err(|error| error.message), expected);
            let batches = sink.into_batches().await.expect("in memory");
            assert_eq!(node_ids(&batches).collect::<Vec<_>>(), ["snap-2", "snap-3"]);
        }
    }

    #[tokio::test]
    async fn snapshots_that_volumes_were_made_from_are_asked_for() {
        let server =
            Canned::answering(&["", "<snapshotSet><item><snapshotId>snap-9</snapshotId></item></snapshotSet>"]);
        let clients = server.clients();
        let mut notes = clients.in_use.volumes.begin().await;
        notes.insert("snap-9".to_owned());
        notes.complete();
        (LISTING.collect)(&clients, &mut Sink::to_memory(place())).await.expect("answered");
        let requests = server.requests();
        assert_eq!((requests.len(), requests[1].field("SnapshotId.1")), (2, Some("snap-9")));
    }
}
