//! Patches of a managed node: `DescribeInstancePatches` -> `(:AWSSSMInstancePatch)`.
//!
//! A Windows node may have thousands, most of them not applicable to it. Each page is passed on before the node's next one
//! is read.

use aws_sdk_ssm::{
    Client,
    error::SdkError,
    operation::describe_instance_patches::{DescribeInstancePatchesError, DescribeInstancePatchesOutput},
    types::PatchComplianceData,
};
use collector::{CollectError, Edge, Node, indexed, one, paged, prop, seconds};
use futures::{StreamExt, stream::BoxStream};

/// A patch, with the id of its node.
#[derive(Debug, Clone)]
pub(crate) struct Patch {
    node: String,
    data: PatchComplianceData,
}

impl Patch {
    /// Name within the node. Updates of Windows that the patch baseline does not name have an empty title (AWS CLI Command
    /// Reference, `describe-instance-patches`), but a different KB id each.
    fn name(&self) -> &str {
        if self.data.title().is_empty() { self.data.kb_id() } else { self.data.title() }
    }
}

/// Patches, installed or not.
pub(crate) static PATCH: Node<Patch> = Node {
    extra_labels: &["SSMInstancePatch"],
    id: |it, _| format!("{}-{}", it.node, it.name()),
    props: &[
        indexed("instance_id", |it, _| (&it.node).into()),
        prop("region", |_, place| (&place.region).into()),
        indexed("title", |it, _| it.data.title().into()),
        indexed("kb_id", |it, _| it.data.kb_id().into()),
        prop("classification", |it, _| it.data.classification().into()),
        prop("severity", |it, _| it.data.severity().into()),
        prop("state", |it, _| it.data.state().as_str().into()),
        prop("installed_time", |it, _| seconds(Some(it.data.installed_time()))),
        prop("cve_ids", |it, _| cve_ids(&it.data).into()),
    ],
    edges: &[Edge::account(), Edge::incoming("HAS_PATCH", "AWSEC2Instance", "id", |it, _| one(Some(&it.node)))],
    ..Node::of("AWSSSMInstancePatch")
};

/// Ids of vulnerabilities that the patch resolves: a text with commas. AWS has them only for patches that are missing or
/// failed (AWS Systems Manager API Reference, `PatchComplianceData`).
fn cve_ids(data: &PatchComplianceData) -> Vec<String> {
    let ids = data.cve_ids().into_iter().flat_map(|ids| ids.split(','));
    ids.filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

/// A page of a node's patches; `None` if SSM does not reach the node.
type Page = Result<Option<Vec<Patch>>, CollectError>;

/// Pages of a node's patches, each with the node's id, up to the first error.
pub(crate) fn patches(ssm: &Client, node: String) -> BoxStream<'static, (String, Page)> {
    let call = ssm.describe_instance_patches().instance_id(&node).max_results(100);
    let pages = paged!(call, next_token).into_stream();
    pages.map(move |page| (node.clone(), of_node(&node, page))).boxed()
}

/// Turns `InvalidInstanceId` into `None`: the node does not run, or its agent does not, so SSM has no patches of it (AWS
/// Systems Manager API Reference, `DescribeInstancePatches`). A denial has another code.
fn of_node(node: &str, page: Result<DescribeInstancePatchesOutput, SdkError<DescribeInstancePatchesError>>) -> Page {
    match page {
        Ok(page) => {
            let patches = page.patches.into_iter().flatten();
            Ok(Some(patches.map(|data| Patch { node: node.to_owned(), data }).collect()))
        }
        Err(error) if error.as_service_error().is_some_and(DescribeInstancePatchesError::is_invalid_instance_id) => {
            Ok(None)
        }
        Err(error) => Err(error.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::{PATCH, Patch, PatchComplianceData};
    use aws_sdk_ssm::{
        primitives::DateTime,
        types::{PatchComplianceDataState, builders::PatchComplianceDataBuilder},
    };
    use collector::testing::render;
    use expect_test::expect;

    fn patch(title: &str, more: fn(PatchComplianceDataBuilder) -> PatchComplianceDataBuilder) -> Patch {
        let data = PatchComplianceData::builder()
            .title(title)
            .kb_id("KB4481031")
            .classification("SecurityUpdates")
            .severity("Critical")
            .state(PatchComplianceDataState::Missing)
            .installed_time(DateTime::from_secs_f64(1_700_000_000.75));
        Patch { node: "i-1234abcd".to_owned(), data: more(data).build().expect("all that is required") }
    }

    #[test]
    fn a_full_patch_leaves_nothing_null() {
        let patch = patch("2019-02 Cumulative Update", |it| it.cve_ids("CVE-2019-0001,CVE-2019-0002"));
        expect![[r#"
            (:AWSSSMInstancePatch:SSMInstancePatch {id: "i-1234abcd-2019-02 Cumulative Update"})
              instance_id (indexed) = "i-1234abcd"
              region = "us-east-1"
              title (indexed) = "2019-02 Cumulative Update"
              kb_id (indexed) = "KB4481031"
              classification = "SecurityUpdates"
              severity = "Critical"
              state = "MISSING"
              installed_time = 1700000000
              cve_ids = ["CVE-2019-0001", "CVE-2019-0002"]
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
              <-[:HAS_PATCH]-(:AWSEC2Instance {id: "i-1234abcd"})
        "#]]
        .assert_eq(&render(&PATCH, &patch, &[]));
    }

    #[test]
    fn patches_without_a_title_differ_by_their_kb_id() {
        let text = render(&PATCH, &patch("", |it| it), &[]);
        assert!(text.contains(r#"{id: "i-1234abcd-KB4481031"}"#) && text.contains("cve_ids = []"), "{text}");
    }
}
