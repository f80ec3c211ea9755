//! Launch configurations: `DescribeLaunchConfigurations` -> `(:AWSLaunchConfiguration)`.

use crate::{Clients, by_name, mention::mentioned};
use aws_sdk_autoscaling::types::{InstanceMonitoring, LaunchConfiguration};
use collector::{Collecting, Edge, Listing, Node, Sink, Value, indexed, paged, prop};

/// Launch configurations. Cartography renames the key of `instance_monitoring_enabled` and so never sets it; Groma does.
pub(crate) static LAUNCH_CONFIGURATION: Node<LaunchConfiguration> = Node {
    extra_labels: &["LaunchConfiguration"],
    id: |it, _| it.launch_configuration_arn().unwrap_or_default().to_owned(),
    props: &[
        prop("arn", |it, _| it.launch_configuration_arn().into()),
        prop("image_id", |it, _| it.image_id().into()),
        prop("key_name", |it, _| it.key_name().into()),
        indexed("name", |it, _| it.launch_configuration_name().into()),
        prop("security_groups", |it, _| it.security_groups.as_deref().map(Value::texts).into()),
        prop("instance_type", |it, _| it.instance_type().into()),
        prop("kernel_id", |it, _| it.kernel_id().into()),
        prop("ramdisk_id", |it, _| it.ramdisk_id().into()),
        prop("instance_monitoring_enabled", |it, _| {
            it.instance_monitoring().and_then(InstanceMonitoring::enabled).into()
        }),
        prop("spot_price", |it, _| it.spot_price().into()),
        prop("iam_instance_profile", |it, _| it.iam_instance_profile().into()),
        prop("ebs_optimized", |it, _| it.ebs_optimized().into()),
        prop("associate_public_ip_address", |it, _| it.associate_public_ip_address().into()),
        prop("placement_tenancy", |it, _| it.placement_tenancy().into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[Edge::account()],
    ..Node::of("AWSLaunchConfiguration")
};

pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeLaunchConfigurations",
    actions: &["autoscaling:DescribeLaunchConfigurations"],
    feeds: &[&LAUNCH_CONFIGURATION],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut images = clients.in_use.launch_configurations.begin().await;
        let mut names = clients.in_use.configurations.begin().await;
        let mut pages = paged!(clients.autoscaling.describe_launch_configurations().max_records(100), next_token);
        while let Some(page) = pages.next().await {
            let page = page?;
            images.extend(mentioned(page.launch_configurations().iter().map(LaunchConfiguration::image_id)));
            names.extend(by_name::of_launch_configurations(page.launch_configurations()));
            sink.emit_all(&LAUNCH_CONFIGURATION, page.launch_configurations()).await?;
        }
        images.complete();
        names.complete();
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::{InstanceMonitoring, LAUNCH_CONFIGURATION, LaunchConfiguration};
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_launch_configuration_leaves_nothing_null() {
        let configuration = LaunchConfiguration::builder()
            .launch_configuration_arn(
                "arn:aws:autoscaling:us-east-1:111111111111:launchConfiguration:u:launchConfigurationName/web",
            )
            .image_id("ami-1")
            .key_name("deploy")
            .launch_configuration_name("web")
            .security_groups("sg-1")
            .instance_type("m7g.large")
            .kernel_id("aki-1")
            .ramdisk_id("ari-1")
            .instance_monitoring(InstanceMonitoring::builder().enabled(true).build())
            .spot_price("0.05")
            .iam_instance_profile("web")
            .ebs_optimized(true)
            .associate_public_ip_address(false)
            .placement_tenancy("default")
            .build();
        expect![[r#"
            (:AWSLaunchConfiguration:LaunchConfiguration {id: "arn:aws:autoscaling:us-east-1:111111111111:launchConfiguration:u:launchConfigurationName/web"})
              arn = "arn:aws:autoscaling:us-east-1:111111111111:launchConfiguration:u:launchConfigurationName/web"
              image_id = "ami-1"
              key_name = "deploy"
              name (indexed) = "web"
              security_groups = ["sg-1"]
              instance_type = "m7g.large"
              kernel_id = "aki-1"
              ramdisk_id = "ari-1"
              instance_monitoring_enabled = true
              spot_price = "0.05"
              iam_instance_profile = "web"
              ebs_optimized = true
              associate_public_ip_address = false
              placement_tenancy = "default"
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]].assert_eq(&render(&LAUNCH_CONFIGURATION, &configuration, &[]));
    }
}
