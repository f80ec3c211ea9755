//! EBS volumes: `DescribeVolumes` -> `(:AWSEBSVolume)`.

use crate::{Clients, mention::mentioned};
use aws_sdk_ec2::types::{InstanceBlockDeviceMapping, Volume, VolumeAttachmentState};
use collector::{Collecting, Edge, Listing, Node, Place, Sink, Value, copied, indexed, many, mapped, one, paged, prop};

/// Volumes as `DescribeVolumes` knows them.
pub(crate) static VOLUME: Node<Volume> = Node {
    extra_labels: LABELS,
    id: |it, _| it.volume_id().unwrap_or_default().to_owned(),
    props: &[
        indexed("arn", |it, place| it.volume_id().map(|id| arn(id, place)).into()),
        indexed("volumeid", |it, _| it.volume_id().into()),
        prop("region", |_, place| (&place.region).into()),
        prop("availabilityzone", |it, _| it.availability_zone().into()),
        prop("createtime", |it, _| it.create_time().into()),
        prop("encrypted", |it, _| it.encrypted().into()),
        prop("size", |it, _| it.size().into()),
        prop("state", |it, _| Value::text(it.state())),
        prop("outpostarn", |it, _| it.outpost_arn().into()),
        prop("snapshotid", |it, _| it.snapshot_id().into()),
        prop("iops", |it, _| it.iops().into()),
        prop("fastrestored", |it, _| it.fast_restored().into()),
        prop("multiattachenabled", |it, _| it.multi_attach_enabled().into()),
        prop("type", |it, _| Value::text(it.volume_type())),
        prop("kmskeyid", |it, _| it.kms_key_id().into()),
    ],
    ontology: &[
        copied("_ont_name", "id"),
        copied("_ont_size_gb", "size"),
        copied("_ont_encrypted", "encrypted"),
        copied("_ont_region", "region"),
        mapped("_ont_state", "state", STATES),
    ],
    edges: &[
        Edge::account(),
        Edge::out("ATTACHED_TO", "AWSEC2Instance", "id", |it, _| {
            let attached = it.attachments().iter().filter(|it| it.state() == Some(&VolumeAttachmentState::Attached));
            many(attached.map(|attachment| attachment.instance_id()))
        }),
        Edge::incoming("CREATED_FROM", "AWSEBSSnapshot", "id", |it, _| one(it.snapshot_id())),
    ],
    ..Node::of("AWSEBSVolume")
};

/// Volumes as the block devices of an instance; the instance declares the attachment. Cartography's row has no ARN, which
/// removes the ARN until Cartography lists the volumes; here only that listing sets it.
pub(crate) static OF_INSTANCE: Node<InstanceBlockDeviceMapping> = Node {
    extra_labels: LABELS,
    id: |it, _| volume_id(it).unwrap_or_default().to_owned(),
    props: &[
        indexed("volumeid", |it, _| volume_id(it).into()),
        prop("deleteontermination", |it, _| it.ebs().and_then(|ebs| ebs.delete_on_termination()).into()),
    ],
    ontology: &[copied("_ont_name", "id")],
    edges: &[Edge::account()],
    ..Node::of("AWSEBSVolume")
};

const LABELS: &[&str] = &["EBSVolume", "BlockStorage"];

const STATES: &[(&str, &str)] = &[
    ("creating", "creating"),
    ("available", "available"),
    ("in-use", "in_use"),
    ("deleting", "deleting"),
    ("deleted", "deleted"),
    ("error", "error"),
];

/// The volume behind a block device.
pub(crate) fn volume_id(device: &InstanceBlockDeviceMapping) -> Option<&str> {
    device.ebs().and_then(|ebs| ebs.volume_id())
}

fn arn(volume_id: &str, place: &Place) -> String {
    place.arn("ec2", &format!("volume/{volume_id}"))
}

pub(crate) const LISTING: Listing<Clients> =
    Listing { name: "DescribeVolumes", actions: &["ec2:DescribeVolumes"], feeds: &[&VOLUME], collect };

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut snapshots = clients.in_use.volumes.begin().await;
        let mut pages =
            paged!(clients.ec2.describe_volumes().include_managed_resources(true).max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            let page = page?;
            snapshots.extend(mentioned(page.volumes().iter().map(Volume::snapshot_id)));
            sink.emit_all(&VOLUME, page.volumes()).await?;
        }
        snapshots.complete();
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{InstanceBlockDeviceMapping, OF_INSTANCE, VOLUME, Volume};
    use aws_sdk_ec2::types::{EbsInstanceBlockDevice, VolumeAttachment};
    use aws_smithy_types::DateTime;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_volume_leaves_nothing_null() {
        let attachment =
            |instance: &str, state: &str| VolumeAttachment::builder().instance_id(instance).state(state.into()).build();
        let volume = Volume::builder()
            .volume_id("vol-1")
            .availability_zone("us-east-1a")
            .create_time(DateTime::from_secs_f64(1_700_000_000.5))
            .encrypted(true)
            .size(100)
            .state("in-use".into())
            .outpost_arn("arn:aws:outposts:us-east-1:111111111111:outpost/op-1")
            .snapshot_id("snap-1")
            .iops(3000)
            .fast_restored(false)
            .multi_attach_enabled(true)
            .volume_type("gp3".into())
            .kms_key_id("arn:aws:kms:us-east-1:111111111111:key/k")
            .attachments(attachment("i-1", "attached"))
            .attachments(attachment("i-2", "detaching"))
            .build();
        expect![[r#"
            (:AWSEBSVolume:EBSVolume:BlockStorage {id: "vol-1"})
              arn (indexed) = "arn:aws:ec2:us-east-1:111111111111:volume/vol-1"
              volumeid (indexed) = "vol-1"
              region = "us-east-1"
              availabilityzone = "us-east-1a"
              createtime = time(1700000000500000)
              encrypted = true
              size = 100
              state = "in-use"
              outpostarn = "arn:aws:outposts:us-east-1:111111111111:outpost/op-1"
              snapshotid = "snap-1"
              iops = 3000
              fastrestored = false
              multiattachenabled = true
              type = "gp3"
              kmskeyid = "arn:aws:kms:us-east-1:111111111111:key/k"
              _ont_name (indexed) = "vol-1"
              _ont_size_gb (indexed) = 100
              _ont_encrypted (indexed) = true
              _ont_region (indexed) = "us-east-1"
              _ont_state (indexed) = "in_use"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              -[:ATTACHED_TO]->(:AWSEC2Instance {id: "i-1"})
              <-[:CREATED_FROM]-(:AWSEBSSnapshot {id: "snap-1"})
        "#]]
        .assert_eq(&render(&VOLUME, &volume, &[]));
    }

    #[test]
    fn a_block_device_is_its_volume() {
        let ebs = EbsInstanceBlockDevice::builder().volume_id("vol-1").delete_on_termination(true).build();
        let device = InstanceBlockDeviceMapping::builder().device_name("/dev/xvda").ebs(ebs).build();
        expect![[r#"
            (:AWSEBSVolume:EBSVolume:BlockStorage {id: "vol-1"})
              volumeid (indexed) = "vol-1"
              deleteontermination = true
              _ont_name (indexed) = "vol-1"
              _ont_source = "aws"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&OF_INSTANCE, &device, &[]));
    }
}
