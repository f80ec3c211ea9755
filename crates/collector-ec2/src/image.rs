//! Images, the account's own and those in use: `DescribeImages` -> `(:AWSEC2Image)`.
//!
//! Instances, launch template versions and launch configurations of the account and region refer to images in use, see
//! [`in_use`]. Cartography reads them from its graph, and so finds those of launch configurations one sync late. It then
//! makes one call per image; Groma makes one for all.

use crate::{Clients, existing::existing, in_use, mention::mentioned};
use aws_sdk_ec2::{error::SdkError, operation::describe_images::DescribeImagesError, types::Image};
use collector::{Collecting, Details, Edge, Listing, Node, Sink, Value, indexed, paged, prop};

/// Images. Their ids are valid in one region only, so the node's id includes the region. Cartography reads the region from
/// AWS's answer, which has none, and never sets it; Groma does.
pub(crate) static IMAGE: Node<Image> = Node {
    extra_labels: &["EC2Image"],
    id: |it, place| format!("{}|{}", it.image_id().unwrap_or_default(), place.region),
    props: &[
        indexed("imageid", |it, _| it.image_id().into()),
        indexed("name", |it, _| it.name().into()),
        prop("creationdate", |it, _| it.creation_date().into()),
        prop("architecture", |it, _| Value::text(it.architecture())),
        prop("location", |it, _| it.image_location().into()),
        prop("type", |it, _| Value::text(it.image_type())),
        prop("ispublic", |it, _| it.public().into()),
        prop("platform", |it, _| Value::text(it.platform())),
        prop("platform_details", |it, _| it.platform_details().into()),
        prop("usageoperation", |it, _| it.usage_operation().into()),
        prop("state", |it, _| Value::text(it.state())),
        prop("description", |it, _| it.description().into()),
        prop("enasupport", |it, _| it.ena_support().into()),
        prop("hypervisor", |it, _| Value::text(it.hypervisor())),
        prop("rootdevicename", |it, _| it.root_device_name().into()),
        prop("rootdevicetype", |it, _| Value::text(it.root_device_type())),
        prop("virtualizationtype", |it, _| Value::text(it.virtualization_type())),
        prop("sriov_net_support", |it, _| it.sriov_net_support().into()),
        prop("bootmode", |it, _| Value::text(it.boot_mode())),
        prop("owner", |it, _| it.owner_id().into()),
        prop("image_owner_alias", |it, _| it.image_owner_alias().into()),
        prop("kernel_id", |it, _| it.kernel_id().into()),
        prop("ramdisk_id", |it, _| it.ramdisk_id().into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[Edge::account()],
    ..Node::of("AWSEC2Image")
};

/// The call, and those that find images in use if their own listings did not note them.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeImages",
    actions: &[
        "ec2:DescribeImages",
        "ec2:DescribeInstances",
        "ec2:DescribeLaunchTemplates",
        "ec2:DescribeLaunchTemplateVersions",
        "autoscaling:DescribeLaunchConfigurations",
    ],
    feeds: &[&IMAGE],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut own = std::collections::BTreeSet::new();
        let mut pages =
            paged!(clients.ec2.describe_images().include_disabled(true).owners("self").max_results(1000), next_token);
        while let Some(page) = pages.next().await {
            let page = page?;
            own.extend(mentioned(page.images().iter().map(Image::image_id)));
            sink.emit_all(&IMAGE, page.images()).await?;
        }
        let mut details = Details::default();
        let used = in_use::images(clients, &mut details).await?;
        let others: Vec<String> = used.difference(&own).cloned().collect();
        sink.emit_all(&IMAGE, &existing(&others, &mut details, |ids| by_ids(clients, ids)).await?).await?;
        details.end()
    })
}

async fn by_ids(clients: &Clients, ids: Vec<String>) -> Result<Vec<Image>, SdkError<DescribeImagesError>> {
    let pages =
        paged!(clients.ec2.describe_images().include_disabled(true).set_image_ids(Some(ids)), next_token).all().await?;
    Ok(pages.into_iter().flat_map(|page| page.images.unwrap_or_default()).collect())
}

#[cfg(test)]
mod tests {
    use super::{IMAGE, Image, LISTING};
    use crate::canned::Canned;
    use collector::{
        Sink,
        testing::{place, render},
    };
    use expect_test::expect;

    #[test]
    fn a_full_image_leaves_nothing_null() {
        let image = Image::builder()
            .image_id("ami-1")
            .name("base-2024")
            .creation_date("2024-05-01T01:02:03.000Z")
            .architecture("arm64".into())
            .image_location("111111111111/base-2024")
            .image_type("machine".into())
            .public(false)
            .platform("windows".into())
            .platform_details("Windows")
            .usage_operation("RunInstances:0002")
            .state("available".into())
            .description("base image")
            .ena_support(true)
            .hypervisor("xen".into())
            .root_device_name("/dev/sda1")
            .root_device_type("ebs".into())
            .virtualization_type("hvm".into())
            .sriov_net_support("simple")
            .boot_mode("uefi".into())
            .owner_id("111111111111")
            .image_owner_alias("self")
            .kernel_id("aki-1")
            .ramdisk_id("ari-1")
            .build();
        expect![[r#"
            (:AWSEC2Image:EC2Image {id: "ami-1|us-east-1"})
              imageid (indexed) = "ami-1"
              name (indexed) = "base-2024"
              creationdate = "2024-05-01T01:02:03.000Z"
              architecture = "arm64"
              location = "111111111111/base-2024"
              type = "machine"
              ispublic = false
              platform = "windows"
              platform_details = "Windows"
              usageoperation = "RunInstances:0002"
              state = "available"
              description = "base image"
              enasupport = true
              hypervisor = "xen"
              rootdevicename = "/dev/sda1"
              rootdevicetype = "ebs"
              virtualizationtype = "hvm"
              sriov_net_support = "simple"
              bootmode = "uefi"
              owner = "111111111111"
              image_owner_alias = "self"
              kernel_id = "aki-1"
              ramdisk_id = "ari-1"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&IMAGE, &image, &[]));
    }

    /// The account's own image is also in use, and is not requested again.
    #[tokio::test]
    async fn images_in_use_are_asked_for_together() {
        let server = Canned::answering(&["<imagesSet><item><imageId>ami-1</imageId></item></imagesSet>"]);
        let clients = server.clients();
        for noted in [&clients.in_use.launch_templates, &clients.in_use.launch_configurations] {
            noted.begin().await.complete();
        }
        let mut notes = clients.in_use.instances.begin().await;
        notes.extend(["ami-1", "ami-2", "ami-3"].map(str::to_owned));
        notes.complete();
        (LISTING.collect)(&clients, &mut Sink::to_memory(place())).await.expect("answered");
        let requests = server.requests();
        assert_eq!(requests.len(), 2);
        assert_eq!(requests[1].field("ImageId.1"), Some("ami-2"));
        assert_eq!(requests[1].field("ImageId.2"), Some("ami-3"));
        assert_eq!(requests[1].field("ImageId.3"), None);
    }

    #[tokio::test]
    async fn a_launch_template_that_cannot_be_read_costs_only_its_own_images() {
        let server = Canned::answering(&[
            "",
            "<launchTemplates><item><launchTemplateId>lt-1</launchTemplateId></item>\
             <item><launchTemplateId>lt-2</launchTemplateId></item></launchTemplates>",
            "!InternalError no",
            "<launchTemplateVersionSet><item><launchTemplateId>lt-2</launchTemplateId><versionNumber>1</versionNumber>\
             <launchTemplateData><imageId>ami-2</imageId></launchTemplateData></item></launchTemplateVersionSet>",
            "<imagesSet><item><imageId>ami-2</imageId></item></imagesSet>",
        ]);
        let (clients, mut sink) = (server.clients(), Sink::to_memory(place()));
        for noted in [&clients.in_use.instances, &clients.in_use.launch_configurations] {
            noted.begin().await.complete();
        }
        let error = (LISTING.collect)(&clients, &mut sink).await.expect_err("one failed");
        assert_eq!(error.message, "lt-1: InternalError: no");
        let batches = sink.into_batches().await.expect("in memory");
        assert_eq!(batches[0].nodes[0].rows[0].id, "ami-2|us-east-1");
    }
}
