//! Findings: `ListFindings` -> `(:AWSInspectorFinding)-[:HAS]->(:AWSInspectorPackage)`.

use crate::{
    members::accounts,
    package::{self, PACKAGE},
    status::{failure, judged},
};
use aws_sdk_inspector2::{
    Client,
    types::{
        FilterCriteria, Finding, FindingType, PackageVulnerabilityDetails, ResourceType, StringComparison,
        StringFilter, VulnerablePackage,
    },
};
use collector::{
    CollectError, Collecting, Details, Edge, Listing, Node, Prop, Sink, Value, When, copied, indexed, mapped, one,
    paged, prop,
};
use events::FailureClass;
use std::collections::BTreeMap;

/// Findings that are not closed.
pub(crate) static FINDING: Node<Finding> = Node {
    extra_labels: &["Risk"],
    labels_when: &[
        When { label: "CVE", holds: |it| *it.r#type() == FindingType::PackageVulnerability },
        When { label: "SecurityIssue", holds: |it| *it.r#type() == FindingType::NetworkReachability },
    ],
    id: |it, _| it.finding_arn().to_owned(),
    props: PROPS,
    ontology: &[
        copied("_ont_cve_id", "cve_id"),
        copied("_ont_description", "description").unindexed(),
        copied("_ont_references", "referenceurls").unindexed(),
        copied("_ont_base_score", "cvssscore"),
        mapped(
            "_ont_base_severity",
            "severity",
            &[
                ("NONE", "info"),
                ("LOW", "low"),
                ("MEDIUM", "medium"),
                ("HIGH", "high"),
                ("CRITICAL", "critical"),
                ("INFORMATIONAL", "info"),
            ],
        ),
    ],
    edges: &[
        Edge::account(),
        Edge::incoming("MEMBER", "AWSAccount", "id", |it, _| one(Some(it.aws_account_id()))),
        Edge::out("AFFECTS", "AWSEC2Instance", "id", |it, _| one(instance(it))),
        Edge::out("AFFECTS", "AWSECRRepository", "id", |it, _| one(repository(it))),
        Edge::out("AFFECTS", "AWSECRImage", "id", |it, _| one(image(it))),
        Edge::out("HAS", package::LABEL, "id", |it, _| package::targets(packages(it))).with_props(package::EDGE_PROPS),
    ],
    ..Node::of("AWSInspectorFinding")
};

const PROPS: &[Prop<Finding>] = &[
    indexed("arn", |it, _| it.finding_arn().into()),
    prop("awsaccount", |it, _| it.aws_account_id().into()),
    prop("name", |it, _| it.title().into()),
    prop("instanceid", |it, _| instance(it).into()),
    prop("ecrimageid", |it, _| image(it).into()),
    prop("ecrrepositoryid", |it, _| repository(it).into()),
    prop("severity", |it, _| it.severity().as_str().into()),
    prop("firstobservedat", |it, _| it.first_observed_at().into()),
    prop("updatedat", |it, _| it.updated_at().into()),
    prop("description", |it, _| it.description().into()),
    prop("type", |it, _| it.r#type().as_str().into()),
    indexed("cvssscore", |it, _| cvss(it).map(|cvss| cvss.score()).into()),
    prop("cvssvector", |it, _| cvss(it).map(|cvss| cvss.scoring_vector()).into()),
    prop("protocol", |it, _| it.network_reachability_details().map(|network| network.protocol().as_str()).into()),
    prop("portrange", |it, _| ports(it).map(|(begin, end)| format!("{begin}-{end}")).into()),
    prop("portrangebegin", |it, _| ports(it).map(|(begin, _)| begin).into()),
    prop("portrangeend", |it, _| ports(it).map(|(_, end)| end).into()),
    prop("vulnerabilityid", |it, _| vulnerability(it).map(|it| it.vulnerability_id()).into()),
    indexed("cve_id", |it, _| vulnerability(it).map(|it| it.vulnerability_id()).into()),
    prop("referenceurls", |it, _| vulnerability(it).and_then(|it| it.reference_urls.clone()).into()),
    prop("relatedvulnerabilities", |it, _| vulnerability(it).and_then(|it| it.related_vulnerabilities.clone()).into()),
    prop("vendorcvssvectors", |it, _| {
        let vectors =
            |it: &PackageVulnerabilityDetails| it.cvss().iter().map(|it| it.scoring_vector().to_owned()).collect();
        vulnerability(it).map(vectors).map(Value::Strings).into()
    }),
    prop("vendorcvssscores", |it, _| {
        let scores = |it: &PackageVulnerabilityDetails| it.cvss().iter().map(|it| it.base_score()).collect();
        vulnerability(it).map(scores).map(Value::Floats).into()
    }),
    prop("source", |it, _| vulnerability(it).map(|it| it.source()).into()),
    prop("sourceurl", |it, _| vulnerability(it).and_then(|it| it.source_url()).into()),
    prop("status", |it, _| it.status().as_str().into()),
    prop("vendorcreatedat", |it, _| vulnerability(it).and_then(|it| it.vendor_created_at()).into()),
    prop("vendorseverity", |it, _| vulnerability(it).and_then(|it| it.vendor_severity()).into()),
    prop("vendorupdatedat", |it, _| vulnerability(it).and_then(|it| it.vendor_updated_at()).into()),
    prop("vulnerablepackageids", |it, _| {
        let ids =
            |_: &PackageVulnerabilityDetails| package::unique(packages(it)).into_iter().map(|(id, _)| id).collect();
        vulnerability(it).map(ids).map(Value::Strings).into()
    }),
    prop("fixavailable", |it, _| Value::text(it.fix_available())),
    prop("exploitavailable", |it, _| Value::text(it.exploit_available())),
    prop("lastknownexploitat", |it, _| {
        it.exploitability_details().and_then(|exploit| exploit.last_known_exploit_at()).into()
    }),
    prop("epss_score_inspector", |it, _| it.epss().map(|epss| epss.score()).into()),
    prop("region", |_, place| (&place.region).into()),
];

/// Returns the id of the finding's resource if it has this type. Inspector names exactly one resource.
fn resource<'a>(finding: &'a Finding, r#type: &ResourceType) -> Option<&'a str> {
    finding.resources().first().filter(|resource| resource.r#type() == r#type).map(|resource| resource.id())
}

fn instance(finding: &Finding) -> Option<&str> {
    resource(finding, &ResourceType::AwsEc2Instance)
}

fn repository(finding: &Finding) -> Option<&str> {
    resource(finding, &ResourceType::AwsEcrRepository)
}

/// Returns `sha256:…` of `arn:aws:ecr:<region>:<account>:repository/<name>/sha256:…`. The repository name may contain
/// slashes.
fn image(finding: &Finding) -> Option<&str> {
    resource(finding, &ResourceType::AwsEcrContainerImage).and_then(|id| id.rsplit('/').next())
}

fn cvss(finding: &Finding) -> Option<&aws_sdk_inspector2::types::CvssScoreDetails> {
    finding.inspector_score_details()?.adjusted_cvss()
}

fn ports(finding: &Finding) -> Option<(i32, i32)> {
    let range = finding.network_reachability_details()?.open_port_range()?;
    Some((range.begin(), range.end()))
}

fn vulnerability(finding: &Finding) -> Option<&PackageVulnerabilityDetails> {
    finding.package_vulnerability_details()
}

fn packages(finding: &Finding) -> &[VulnerablePackage] {
    vulnerability(finding).map(|it| it.vulnerable_packages()).unwrap_or_default()
}

/// Listing of findings and packages.
pub(crate) const LISTING: Listing<Client> = Listing {
    name: "ListFindings",
    actions: &["inspector2:ListFindings", "inspector2:ListMembers", "inspector2:BatchGetAccountStatus"],
    feeds: &[&FINDING, &PACKAGE],
    collect,
};

/// Limit of values in one filter of `ListFindings` (Amazon Inspector API Reference, `FilterCriteria`).
const ACCOUNTS_A_CALL: usize = 10;

fn collect<'a>(inspector: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let own = sink.place().account_id.clone();
        let mut details = Details::default();
        let accounts = match accounts(inspector, &own).await {
            // The role may still read the account's own findings: SecurityAudit permits only this.
            Err(error) if error.class == FailureClass::AccessDenied => {
                details.fail("members", &error)?;
                vec![own.clone()]
            }
            accounts => accounts?,
        };
        if let [_] = accounts.as_slice() {
            return match findings_of(inspector, &accounts, sink).await {
                Ok(()) => details.end(),
                Err(failing) => Err(failing.judged(inspector, &own).await),
            };
        }
        for accounts in accounts.chunks(ACCOUNTS_A_CALL) {
            let Some(error) = in_failing(inspector, &own, findings_of(inspector, accounts, sink).await).await? else {
                details.note_read();
                continue;
            };
            // AWS does not name the account that caused the error.
            let alone = if accounts.len() > 1 && is_of_an_account(error.class) { accounts } else { &[] };
            if alone.is_empty() {
                details.fail(&named(accounts), &error)?;
            }
            for account in alone {
                let account = std::slice::from_ref(account);
                let failing = in_failing(inspector, &own, findings_of(inspector, account, sink).await).await?;
                match judged_of(inspector, account, failing).await {
                    Some(error) => details.fail(&named(account), &error)?,
                    None => details.note_read(),
                }
            }
        }
        details.end()
    })
}

/// A failed call about some accounts.
enum Failing {
    /// Error of AWS, which may concern only these accounts.
    Call(CollectError),
    /// Error of the bus or of Groma.
    Other(CollectError),
}

impl Failing {
    /// The failure of a call of this account.
    async fn judged(self, inspector: &Client, own: &str) -> CollectError {
        match self {
            Self::Call(error) => judged(inspector, own, error).await,
            Self::Other(error) => error,
        }
    }
}

/// Emits all open findings of some accounts.
async fn findings_of(inspector: &Client, accounts: &[String], sink: &mut Sink) -> Result<(), Failing> {
    let criteria = open_findings(accounts).map_err(Failing::Other)?;
    let mut pages = paged!(inspector.list_findings().filter_criteria(criteria).max_results(100), next_token);
    while let Some(page) = pages.next().await {
        let page = page.map_err(|error| Failing::Call(failure(error)))?;
        sink.emit_all(&FINDING, page.findings()).await.map_err(Failing::Other)?;
        let packages = packages_of(page.findings());
        sink.emit_all(&PACKAGE, packages.into_values()).await.map_err(Failing::Other)?;
    }
    Ok(())
}

/// Splits off errors that need not affect calls about other accounts. Members were listed before, so the region and
/// Inspector's API work. A denial in Inspector's own words (`NotEnabled`) concerns the requested accounts, and one that
/// Inspector is off (`ServiceOff`) the caller's account.
async fn in_failing(
    inspector: &Client,
    own: &str,
    listed: Result<(), Failing>,
) -> Result<Option<CollectError>, CollectError> {
    match listed {
        Ok(()) => Ok(None),
        Err(Failing::Call(error)) if !matches!(error.class, FailureClass::Credentials | FailureClass::ServiceOff) => {
            Ok(Some(error))
        }
        Err(failing) => Err(failing.judged(inspector, own).await),
    }
}

/// Error of a call about one account. `None` if there was none, or if Inspector is switched off there.
async fn judged_of(inspector: &Client, account: &[String], failing: Option<CollectError>) -> Option<CollectError> {
    let ([account], Some(error)) = (account, failing) else { return None };
    let error = judged(inspector, account, error).await;
    (error.class != FailureClass::ServiceOff).then_some(error)
}

/// Whether the error may concern one of several accounts, so that the others are worth a call each. Missing
/// permissions, throttling and timeouts do not.
fn is_of_an_account(class: FailureClass) -> bool {
    matches!(class, FailureClass::NotEnabled | FailureClass::Service)
}

fn named(accounts: &[String]) -> String {
    let noun = if accounts.len() == 1 { "account" } else { "accounts" };
    format!("{noun} {}", accounts.join(", "))
}

/// Packages of a page by id, so that the package of a hundred findings is one row.
fn packages_of(findings: &[Finding]) -> BTreeMap<String, &VulnerablePackage> {
    findings.iter().flat_map(packages).map(|package| (package::id(package), package)).collect()
}

/// Filter for open findings. Inspector keeps closed ones for long; there may be millions, and the graph leaves them
/// out.
fn open_findings(accounts: &[String]) -> Result<FilterCriteria, CollectError> {
    let filter = |comparison: StringComparison, value: &str| {
        let filter = StringFilter::builder().comparison(comparison).value(value).build();
        filter.map_err(|error| CollectError::internal(format!("a filter of ListFindings: {error}")))
    };
    let mut criteria = FilterCriteria::builder().finding_status(filter(StringComparison::NotEquals, "CLOSED")?);
    for account in accounts {
        criteria = criteria.aws_account_id(filter(StringComparison::Equals, account)?);
    }
    Ok(criteria.build())
}

#[cfg(test)]
mod tests;
