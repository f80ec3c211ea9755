//! Launch templates with their versions: `DescribeLaunchTemplates`, `DescribeLaunchTemplateVersions` ->
//! `(:AWSLaunchTemplate)-[:VERSION]->(:AWSLaunchTemplateVersion)`.
//!
//! AWS lists all versions of one template, or the default and the latest version of all templates. The latter is one call
//! and complete for templates with one or two versions, as most have. The others need one call each.

use crate::{Clients, launch_template_version::VERSION, mention::mentioned};
use aws_sdk_ec2::{
    operation::describe_launch_templates::{DescribeLaunchTemplatesError, DescribeLaunchTemplatesOutput},
    types::{LaunchTemplate, LaunchTemplateVersion},
};
use collector::{CollectError, Collecting, Details, Edge, Listing, Node, Pages, Sink, paged, prop, unless_gone};
use std::collections::{BTreeMap, HashMap};

/// Launch templates.
pub(crate) static LAUNCH_TEMPLATE: Node<LaunchTemplate> = Node {
    extra_labels: &["LaunchTemplate"],
    id: |it, _| it.launch_template_id().unwrap_or_default().to_owned(),
    props: &[
        prop("launch_template_id", |it, _| it.launch_template_id().into()),
        prop("name", |it, _| it.launch_template_name().into()),
        prop("create_time", |it, _| it.create_time().map(|time| time.secs().to_string()).into()),
        prop("created_by", |it, _| it.created_by().into()),
        prop("default_version_number", |it, _| it.default_version_number().into()),
        prop("latest_version_number", |it, _| it.latest_version_number().into()),
        prop("region", |_, place| (&place.region).into()),
    ],
    edges: &[Edge::account()],
    ..Node::of("AWSLaunchTemplate")
};

/// The calls.
pub(crate) const LISTING: Listing<Clients> = Listing {
    name: "DescribeLaunchTemplates",
    actions: &["ec2:DescribeLaunchTemplates", "ec2:DescribeLaunchTemplateVersions"],
    feeds: &[&LAUNCH_TEMPLATE, &VERSION],
    collect,
};

fn collect<'a>(clients: &'a Clients, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut images = clients.in_use.launch_templates.begin().await;
        let (mut templates, mut details) = (Templates::of(clients), Details::default());
        while let Some(page) = templates.next(&mut details).await? {
            for described in page {
                images.extend(mentioned(described.images()));
                sink.emit(&LAUNCH_TEMPLATE, &described.template).await?;
                sink.emit_all(&VERSION, &described.versions).await?;
            }
        }
        details.end()?;
        images.complete();
        Ok(())
    })
}

/// A launch template and all its versions; empty if they could not be read.
pub(crate) struct Described {
    /// The template.
    pub(crate) template: LaunchTemplate,
    /// Its versions.
    pub(crate) versions: Vec<LaunchTemplateVersion>,
}

impl Described {
    /// Images that its versions refer to.
    pub(crate) fn images(&self) -> impl Iterator<Item = Option<&str>> {
        self.versions.iter().map(|version| version.launch_template_data()?.image_id())
    }
}

/// The launch templates of an account and region, page by page.
pub(crate) struct Templates<'a> {
    clients: &'a Clients,
    pages: Pages<DescribeLaunchTemplatesOutput, DescribeLaunchTemplatesError>,
    ends: Option<HashMap<String, Versions>>,
}

/// Versions of a template by number. AWS may return one twice, as the default and as the latest.
type Versions = BTreeMap<i64, LaunchTemplateVersion>;

impl<'a> Templates<'a> {
    /// Starts before the first page.
    pub(crate) fn of(clients: &'a Clients) -> Self {
        let pages = paged!(
            clients.ec2.describe_launch_templates().include_managed_resources(true).max_results(200),
            next_token
        );
        Self { clients, pages, ends: None }
    }

    /// Reads the next page, without templates that were deleted meanwhile.
    ///
    /// # Errors
    /// AWS does not return the templates, or the versions of many.
    pub(crate) async fn next(&mut self, details: &mut Details) -> Result<Option<Vec<Described>>, CollectError> {
        let Some(page) = self.pages.next().await else { return Ok(None) };
        let templates = page?.launch_templates.unwrap_or_default();
        if self.ends.is_none() && templates.iter().filter(|template| ends_are_all(template)).count() > 1 {
            self.ends = Some(ends_of_all(self.clients).await?);
        }
        let mut page = Vec::with_capacity(templates.len());
        for template in templates {
            let versions = self.versions(&template).await;
            let id = template.launch_template_id().unwrap_or_default();
            if let Some(versions) = details.take(id, versions)?.unless_gone() {
                page.push(Described { template, versions });
            }
        }
        Ok(Some(page))
    }

    /// `None`: the template is gone.
    async fn versions(
        &mut self,
        template: &LaunchTemplate,
    ) -> Result<Option<Vec<LaunchTemplateVersion>>, CollectError> {
        let id = template.launch_template_id().unwrap_or_default();
        let ends = self.ends.as_mut().and_then(|ends| ends.remove(id)).unwrap_or_default();
        let complete = i64::try_from(ends.len()).is_ok_and(|count| template.latest_version_number() == Some(count));
        if complete { Ok(Some(ends.into_values().collect())) } else { all_versions(self.clients, id).await }
    }
}

/// Whether no versions exist besides the default and the latest: numbers begin at 1 and are not reused.
fn ends_are_all(template: &LaunchTemplate) -> bool {
    matches!((template.default_version_number(), template.latest_version_number()), (Some(1), Some(1 | 2)))
}

/// The default and the latest version of every template.
async fn ends_of_all(clients: &Clients) -> Result<HashMap<String, Versions>, CollectError> {
    let mut ends: HashMap<String, Versions> = HashMap::new();
    let call = clients
        .ec2
        .describe_launch_template_versions()
        .include_managed_resources(true)
        .versions("$Latest")
        .versions("$Default");
    let mut pages = paged!(call.max_results(200), next_token);
    while let Some(page) = pages.next().await {
        for version in page?.launch_template_versions.unwrap_or_default() {
            let id = version.launch_template_id().unwrap_or_default().to_owned();
            ends.entry(id).or_default().insert(version.version_number().unwrap_or_default(), version);
        }
    }
    Ok(ends)
}

/// `None`: the template is gone. Every template has a version.
async fn all_versions(clients: &Clients, id: &str) -> Result<Option<Vec<LaunchTemplateVersion>>, CollectError> {
    let call = clients
        .ec2
        .describe_launch_template_versions()
        .include_managed_resources(true)
        .launch_template_id(id)
        .max_results(200);
    let pages = unless_gone(paged!(call, next_token).all().await)?.unwrap_or_default();
    let versions: Vec<_> =
        pages.into_iter().flat_map(|page| page.launch_template_versions.unwrap_or_default()).collect();
    Ok(Some(versions).filter(|versions| !versions.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::{LAUNCH_TEMPLATE, LISTING, LaunchTemplate};
    use crate::canned::Canned;
    use aws_smithy_types::DateTime;
    use collector::{
        Sink,
        testing::{place, render},
    };
    use expect_test::expect;

    #[test]
    fn a_full_launch_template_leaves_nothing_null() {
        let template = LaunchTemplate::builder()
            .launch_template_id("lt-1")
            .launch_template_name("web")
            .create_time(DateTime::from_secs(1_700_000_000))
            .created_by("arn:aws:iam::111111111111:root")
            .default_version_number(1)
            .latest_version_number(2)
            .build();
        expect![[r#"
            (:AWSLaunchTemplate:LaunchTemplate {id: "lt-1"})
              launch_template_id = "lt-1"
              name = "web"
              create_time = "1700000000"
              created_by = "arn:aws:iam::111111111111:root"
              default_version_number = 1
              latest_version_number = 2
              region = "us-east-1"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&LAUNCH_TEMPLATE, &template, &[]));
    }

    const TEMPLATES: &str = "<launchTemplates>\
        <item><launchTemplateId>lt-1</launchTemplateId><defaultVersionNumber>1</defaultVersionNumber>\
        <latestVersionNumber>1</latestVersionNumber></item>\
        <item><launchTemplateId>lt-2</launchTemplateId><defaultVersionNumber>1</defaultVersionNumber>\
        <latestVersionNumber>2</latestVersionNumber></item>\
        <item><launchTemplateId>lt-3</launchTemplateId><defaultVersionNumber>2</defaultVersionNumber>\
        <latestVersionNumber>4</latestVersionNumber></item></launchTemplates>";

    const ENDS: &str = "<launchTemplateVersionSet>\
        <item><launchTemplateId>lt-1</launchTemplateId><versionNumber>1</versionNumber></item>\
        <item><launchTemplateId>lt-1</launchTemplateId><versionNumber>1</versionNumber></item>\
        <item><launchTemplateId>lt-2</launchTemplateId><versionNumber>1</versionNumber></item>\
        <item><launchTemplateId>lt-2</launchTemplateId><versionNumber>2</versionNumber></item>\
        <item><launchTemplateId>lt-3</launchTemplateId><versionNumber>2</versionNumber></item>\
        <item><launchTemplateId>lt-3</launchTemplateId><versionNumber>4</versionNumber></item>\
        </launchTemplateVersionSet>";

    const THIRD: &str = "<launchTemplateVersionSet>\
        <item><launchTemplateId>lt-3</launchTemplateId><versionNumber>2</versionNumber></item>\
        <item><launchTemplateId>lt-3</launchTemplateId><versionNumber>3</versionNumber></item>\
        <item><launchTemplateId>lt-3</launchTemplateId><versionNumber>4</versionNumber></item>\
        </launchTemplateVersionSet>";

    async fn ids(answers: &[&'static str]) -> (Vec<String>, usize) {
        let server = Canned::answering(answers);
        let mut sink = Sink::to_memory(place());
        (LISTING.collect)(&server.clients(), &mut sink).await.expect("answered");
        let batches = sink.into_batches().await.expect("in memory");
        let rows = batches.into_iter().flat_map(|it| it.nodes).flat_map(|it| it.rows);
        (rows.map(|row| row.id).collect(), server.requests().len())
    }

    #[tokio::test]
    async fn only_templates_with_more_versions_take_a_call_each() {
        let (ids, calls) = ids(&[TEMPLATES, ENDS, THIRD]).await;
        assert_eq!(ids, ["lt-1", "lt-2", "lt-3", "lt-1-1", "lt-2-1", "lt-2-2", "lt-3-2", "lt-3-3", "lt-3-4"]);
        assert_eq!(calls, 3);
    }

    #[tokio::test]
    async fn a_template_that_is_gone_is_left_out() {
        let one = "<launchTemplates><item><launchTemplateId>lt-9</launchTemplateId></item></launchTemplates>";
        let (ids, calls) = ids(&[one, "!InvalidLaunchTemplateId.NotFound gone"]).await;
        assert_eq!((ids, calls), (Vec::new(), 2));
    }

    const TWO: &str = "<launchTemplates>\
        <item><launchTemplateId>lt-1</launchTemplateId><latestVersionNumber>3</latestVersionNumber></item>\
        <item><launchTemplateId>lt-3</launchTemplateId><latestVersionNumber>4</latestVersionNumber></item>\
        </launchTemplates>";

    #[tokio::test]
    async fn a_template_whose_versions_cannot_be_read_is_named_and_the_others_are_read() {
        let server = Canned::answering(&[TWO, "!InternalError no", THIRD]);
        let (clients, mut sink) = (server.clients(), Sink::to_memory(place()));
        let error = (LISTING.collect)(&clients, &mut sink).await.expect_err("one failed");
        assert_eq!(error.message, "lt-1: InternalError: no");
        let batches = sink.into_batches().await.expect("in memory");
        let rows = batches.into_iter().flat_map(|it| it.nodes).flat_map(|it| it.rows);
        assert_eq!(rows.map(|row| row.id).collect::<Vec<_>>(), ["lt-1", "lt-3", "lt-3-2", "lt-3-3", "lt-3-4"]);
        assert_eq!(clients.in_use.launch_templates.known().await, None, "some images are missing");
    }
}
