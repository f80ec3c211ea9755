//! Versions of launch templates, `(:AWSLaunchTemplateVersion)`: listed with their templates.
//!
//! Cartography looks the instance profile, monitoring, RAM disk and shutdown behaviour up by names that AWS does not
//! use, and never sets them; Groma does.

use aws_sdk_ec2::types::{
    LaunchTemplateIamInstanceProfileSpecification as Profile, LaunchTemplateVersion, LaunchTemplatesMonitoring,
    ResponseLaunchTemplateData as Data,
};
use collector::{Edge, Node, Value, one, prop};

/// Launch template versions.
pub(crate) static VERSION: Node<LaunchTemplateVersion> = Node {
    extra_labels: &["LaunchTemplateVersion"],
    id: |it, _| format!("{}-{}", it.launch_template_id().unwrap_or_default(), it.version_number().unwrap_or_default()),
    props: &[
        prop("name", |it, _| it.launch_template_name().into()),
        prop("create_time", |it, _| it.create_time().map(|time| time.secs().to_string()).into()),
        prop("created_by", |it, _| it.created_by().into()),
        prop("default_version", |it, _| it.default_version().into()),
        prop("version_number", |it, _| it.version_number().into()),
        prop("version_description", |it, _| it.version_description().into()),
        prop("kernel_id", |it, _| data(it).and_then(Data::kernel_id).into()),
        prop("ebs_optimized", |it, _| data(it).and_then(Data::ebs_optimized).into()),
        prop("iam_instance_profile_arn", |it, _| {
            data(it).and_then(Data::iam_instance_profile).and_then(Profile::arn).into()
        }),
        prop("iam_instance_profile_name", |it, _| {
            data(it).and_then(Data::iam_instance_profile).and_then(Profile::name).into()
        }),
        prop("image_id", |it, _| data(it).and_then(Data::image_id).into()),
        prop("instance_type", |it, _| Value::text(data(it).and_then(Data::instance_type))),
        prop("key_name", |it, _| data(it).and_then(Data::key_name).into()),
        prop("monitoring_enabled", |it, _| {
            data(it).and_then(Data::monitoring).and_then(LaunchTemplatesMonitoring::enabled).into()
        }),
        prop("ramdisk_id", |it, _| data(it).and_then(Data::ram_disk_id).into()),
        prop("disable_api_termination", |it, _| data(it).and_then(Data::disable_api_termination).into()),
        prop("instance_initiated_shutdown_behavior", |it, _| {
            Value::text(data(it).and_then(Data::instance_initiated_shutdown_behavior))
        }),
        prop("security_group_ids", |it, _| texts(data(it).and_then(|data| data.security_group_ids.as_deref()))),
        prop("security_groups", |it, _| texts(data(it).and_then(|data| data.security_groups.as_deref()))),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("VERSION", "AWSLaunchTemplate", "id", |it, _| one(it.launch_template_id())),
    ],
    ..Node::of("AWSLaunchTemplateVersion")
};

fn data(it: &LaunchTemplateVersion) -> Option<&Data> {
    it.launch_template_data()
}

/// A list that AWS omits sets no property; an empty one sets an empty list.
fn texts(list: Option<&[String]>) -> Value {
    list.map(Value::texts).into()
}

#[cfg(test)]
mod tests {
    use super::{Data, LaunchTemplateVersion, LaunchTemplatesMonitoring, Profile, VERSION};
    use aws_smithy_types::DateTime;
    use collector::testing::render;
    use expect_test::expect;

    #[test]
    fn a_full_version_leaves_nothing_null() {
        let data = Data::builder()
            .kernel_id("aki-1")
            .ebs_optimized(true)
            .iam_instance_profile(
                Profile::builder().arn("arn:aws:iam::111111111111:instance-profile/web").name("web").build(),
            )
            .image_id("ami-1")
            .instance_type("m7g.large".into())
            .key_name("deploy")
            .monitoring(LaunchTemplatesMonitoring::builder().enabled(true).build())
            .ram_disk_id("ari-1")
            .disable_api_termination(true)
            .instance_initiated_shutdown_behavior("terminate".into())
            .security_group_ids("sg-1")
            .security_groups("web");
        let version = LaunchTemplateVersion::builder()
            .launch_template_id("lt-1")
            .launch_template_name("web")
            .create_time(DateTime::from_secs(1_700_000_000))
            .created_by("arn:aws:iam::111111111111:root")
            .default_version(true)
            .version_number(2)
            .version_description("second")
            .launch_template_data(data.build())
            .build();
        expect![[r#"
            (:AWSLaunchTemplateVersion:LaunchTemplateVersion {id: "lt-1-2"})
              name = "web"
              create_time = "1700000000"
              created_by = "arn:aws:iam::111111111111:root"
              default_version = true
              version_number = 2
              version_description = "second"
              kernel_id = "aki-1"
              ebs_optimized = true
              iam_instance_profile_arn = "arn:aws:iam::111111111111:instance-profile/web"
              iam_instance_profile_name = "web"
              image_id = "ami-1"
              instance_type = "m7g.large"
              key_name = "deploy"
              monitoring_enabled = true
              ramdisk_id = "ari-1"
              disable_api_termination = true
              instance_initiated_shutdown_behavior = "terminate"
              security_group_ids = ["sg-1"]
              security_groups = ["web"]
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:VERSION]-(:AWSLaunchTemplate {id: "lt-1"})
        "#]]
        .assert_eq(&render(&VERSION, &version, &[]));
    }
}
