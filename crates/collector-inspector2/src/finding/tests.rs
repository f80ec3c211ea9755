use super::{FINDING, Finding, LISTING, open_findings, packages_of};
use aws_sdk_inspector2::types::{
    CvssScore, CvssScoreDetails, EpssDetails, ExploitabilityDetails, InspectorScoreDetails, NetworkPath,
    NetworkReachabilityDetails, PackageVulnerabilityDetails, PortRange, Recommendation, Remediation, Resource,
    VulnerablePackage, builders::FindingBuilder,
};
use aws_smithy_types::DateTime;
use collector::{
    CollectError, Sink,
    testing::{Canned, place, render, render_batches},
};
use events::FailureClass;
use expect_test::expect;

const ARN: &str = "arn:aws:inspector2:us-east-1:111111111111:finding/1";

fn time() -> DateTime {
    DateTime::from_secs(1_714_525_323)
}

fn finding(r#type: &str, resource_type: &str, resource: &str) -> FindingBuilder {
    let recommendation = Recommendation::builder().text("update").build();
    let resource = Resource::builder().id(resource).r#type(resource_type.into()).build().expect("full");
    Finding::builder()
        .finding_arn(ARN)
        .aws_account_id("222222222222")
        .title("CVE-2024-0001 - openssl")
        .description("An attacker may do things.")
        .r#type(r#type.into())
        .severity("HIGH".into())
        .status("ACTIVE".into())
        .first_observed_at(time())
        .last_observed_at(time())
        .updated_at(time())
        .remediation(Remediation::builder().recommendation(recommendation).build())
        .resources(resource)
}

fn vulnerability() -> PackageVulnerabilityDetails {
    let package = VulnerablePackage::builder()
        .name("openssl")
        .version("1.0.2k")
        .epoch(1)
        .release("24.amzn2")
        .arch("X86_64")
        .file_path("/usr/lib/libssl.so")
        .fixed_in_version("1:1.0.2k-25.amzn2")
        .remediation("yum update openssl")
        .source_layer_hash("sha256:1")
        .source_lambda_layer_arn("arn:aws:lambda:us-east-1:111111111111:layer:a:1");
    let cvss = CvssScore::builder().base_score(7.5).scoring_vector("AV:N").version("3.1").source("NVD");
    PackageVulnerabilityDetails::builder()
        .vulnerability_id("CVE-2024-0001")
        .vulnerable_packages(package.build().expect("full"))
        .cvss(cvss.build().expect("full"))
        .reference_urls("https://example.com/a")
        .related_vulnerabilities("CVE-2024-0002")
        .source("NVD")
        .source_url("https://nvd.nist.gov/vuln/detail/CVE-2024-0001")
        .vendor_created_at(time())
        .vendor_updated_at(time())
        .vendor_severity("HIGH")
        .build()
        .expect("full")
}

fn full() -> FindingBuilder {
    let adjusted =
        CvssScoreDetails::builder().score(8.1).score_source("NVD").scoring_vector("AV:N/AC:L").version("3.1");
    let score = InspectorScoreDetails::builder().adjusted_cvss(adjusted.build().expect("full")).build();
    let network = NetworkReachabilityDetails::builder()
        .protocol("TCP".into())
        .open_port_range(PortRange::builder().begin(22).end(23).build().expect("full"))
        .network_path(NetworkPath::builder().build());
    finding("PACKAGE_VULNERABILITY", "AWS_EC2_INSTANCE", "i-1")
        .inspector_score_details(score)
        .network_reachability_details(network.build().expect("full"))
        .package_vulnerability_details(vulnerability())
        .fix_available("YES".into())
        .exploit_available("NO".into())
        .exploitability_details(ExploitabilityDetails::builder().last_known_exploit_at(time()).build())
        .epss(EpssDetails::builder().score(0.5).build())
}

#[test]
fn a_full_finding_leaves_nothing_null() {
    let finding = full().build().expect("full");
    // A finding is about one resource, here an instance.
    expect![[r#"
        (:AWSInspectorFinding:Risk:CVE {id: "arn:aws:inspector2:us-east-1:111111111111:finding/1"}) !SecurityIssue
          arn (indexed) = "arn:aws:inspector2:us-east-1:111111111111:finding/1"
          awsaccount = "222222222222"
          name = "CVE-2024-0001 - openssl"
          instanceid = "i-1"
          ecrimageid = null
          ecrrepositoryid = null
          severity = "HIGH"
          firstobservedat = time(1714525323000000)
          updatedat = time(1714525323000000)
          description = "An attacker may do things."
          type = "PACKAGE_VULNERABILITY"
          cvssscore (indexed) = 8.1
          cvssvector = "AV:N/AC:L"
          protocol = "TCP"
          portrange = "22-23"
          portrangebegin = 22
          portrangeend = 23
          vulnerabilityid = "CVE-2024-0001"
          cve_id (indexed) = "CVE-2024-0001"
          referenceurls = ["https://example.com/a"]
          relatedvulnerabilities = ["CVE-2024-0002"]
          vendorcvssvectors = ["AV:N"]
          vendorcvssscores = [7.5]
          source = "NVD"
          sourceurl = "https://nvd.nist.gov/vuln/detail/CVE-2024-0001"
          status = "ACTIVE"
          vendorcreatedat = time(1714525323000000)
          vendorseverity = "HIGH"
          vendorupdatedat = time(1714525323000000)
          vulnerablepackageids = ["openssl|1:1.0.2k-24.amzn2.X86_64"]
          fixavailable = "YES"
          exploitavailable = "NO"
          lastknownexploitat = time(1714525323000000)
          epss_score_inspector = 0.5
          region = "us-east-1"
          _ont_cve_id (indexed) = "CVE-2024-0001"
          _ont_description = "An attacker may do things."
          _ont_references = ["https://example.com/a"]
          _ont_base_score (indexed) = 8.1
          _ont_base_severity (indexed) = "high"
          _ont_source = "aws"
          <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
          <-[:MEMBER]-(:AWSAccount {id: "222222222222"})
          -[:AFFECTS]->(:AWSEC2Instance {id: "i-1"})
          -[:HAS filepath="/usr/lib/libssl.so" fixedinversion="1:1.0.2k-25.amzn2" remediation="yum update openssl" sourcelayerhash="sha256:1" sourcelambdalayerarn="arn:aws:lambda:us-east-1:111111111111:layer:a:1"]->(:AWSInspectorPackage {id: "openssl|1:1.0.2k-24.amzn2.X86_64"})
    "#]].assert_eq(&render(&FINDING, &finding, &["ecrimageid", "ecrrepositoryid"]));
}

/// Labels, edges and properties that identify the affected resource.
fn affected(finding: &Finding) -> String {
    let ontology = FINDING.ontology.iter().map(|it| it.name);
    let nulls: Vec<&str> = FINDING.props.iter().map(|prop| prop.name).chain(ontology).collect();
    let text = render(&FINDING, finding, &nulls);
    let tells = |line: &&str| ["(:AWSInspector", "[:AFFECTS", "ecr"].iter().any(|part| line.contains(part));
    text.lines().filter(tells).fold(String::new(), |all, line| all + line + "\n")
}

#[test]
fn images_repositories_and_networks() {
    let image = "arn:aws:ecr:us-east-1:111111111111:repository/team/app/sha256:abc";
    let image = finding("CODE_VULNERABILITY", "AWS_ECR_CONTAINER_IMAGE", image).build().expect("full");
    expect![[r#"
        (:AWSInspectorFinding:Risk {id: "arn:aws:inspector2:us-east-1:111111111111:finding/1"}) !CVE !SecurityIssue
          ecrimageid = "sha256:abc"
          ecrrepositoryid = null
          -[:AFFECTS]->(:AWSECRImage {id: "sha256:abc"})
    "#]]
    .assert_eq(&affected(&image));
    let repository = "arn:aws:ecr:us-east-1:111111111111:repository/app";
    let repository = finding("NETWORK_REACHABILITY", "AWS_ECR_REPOSITORY", repository).build().expect("full");
    expect![[r#"
        (:AWSInspectorFinding:Risk:SecurityIssue {id: "arn:aws:inspector2:us-east-1:111111111111:finding/1"}) !CVE
          ecrimageid = null
          ecrrepositoryid = "arn:aws:ecr:us-east-1:111111111111:repository/app"
          -[:AFFECTS]->(:AWSECRRepository {id: "arn:aws:ecr:us-east-1:111111111111:repository/app"})
    "#]]
    .assert_eq(&affected(&repository));
}

#[test]
fn closed_findings_and_other_accounts_are_filtered_out() {
    let criteria = open_findings(&["111111111111".to_owned(), "222222222222".to_owned()]).expect("good filters");
    let filters = criteria.finding_status().iter().chain(criteria.aws_account_id());
    let texts: Vec<_> = filters.map(|filter| format!("{} {}", filter.comparison().as_str(), filter.value())).collect();
    assert_eq!(texts, ["NOT_EQUALS CLOSED", "EQUALS 111111111111", "EQUALS 222222222222"]);
}

#[test]
fn a_package_of_many_findings_is_one_row() {
    let findings = [full().build().expect("full"), full().build().expect("full")];
    assert_eq!(packages_of(&findings).len(), 1);
    assert_eq!(
        packages_of(&[finding("CODE_VULNERABILITY", "AWS_LAMBDA_FUNCTION", "f").build().expect("full")]).len(),
        0
    );
}

/// Lists the findings of the own account and these members. `answers` follow the responses for the members.
async fn listed(members: usize, answers: &[String]) -> (Canned, Result<(), CollectError>, String) {
    let members: Vec<_> = (0..members).map(|nth| format!(r#"{{"accountId":"{:012}"}}"#, 900 + nth)).collect();
    let members = format!(r#"{{"members":[{}]}}"#, members.join(","));
    answered(&std::iter::once(&members).chain(answers).map(String::as_str).collect::<Vec<_>>()).await
}

/// Runs the listing on these answers.
async fn answered(answers: &[&str]) -> (Canned, Result<(), CollectError>, String) {
    let server = Canned::answering(answers);
    let inspector = (crate::SERVICE.connect)(&server.connection());
    let mut sink = Sink::to_memory(place());
    let result = (LISTING.collect)(&inspector, &mut sink).await;
    let batches = sink.into_batches().await.expect("in memory");
    (server, result, render_batches(&batches))
}

/// Answer about the status of an account; all its resource types have the same.
fn status(account: &str, status: &str) -> String {
    let state = format!(r#"{{"status":"{status}","errorCode":"ALREADY_ENABLED","errorMessage":"m"}}"#);
    format!(
        r#"{{"accounts":[{{"accountId":"{account}","state":{state},"resourceState":{{"ec2":{state},"ecr":{state}}}}}]}}"#
    )
}

/// A page with one finding with this id.
fn page(arn: &str) -> String {
    format!(
        r#"{{"findings":[{{"findingArn":"{arn}","awsAccountId":"000000000900","type":"NETWORK_REACHABILITY",
        "description":"d","severity":"LOW","firstObservedAt":1,"lastObservedAt":2,"status":"ACTIVE","remediation":{{}},
        "resources":[{{"type":"AWS_EC2_INSTANCE","id":"i-1"}}]}}]}}"#
    )
}

#[tokio::test]
async fn a_role_that_may_not_list_the_members_reads_the_account_s_own_findings() {
    let denied = "!AccessDeniedException User: u is not authorized to perform: inspector2:ListMembers";
    let on = status(&place().account_id, "ENABLED");
    let (_, result, rows) = answered(&[denied, &on, &page("own")]).await;
    let error = result.expect_err("the members are not seen");
    assert_eq!(error.class, FailureClass::AccessDenied);
    assert!(error.message.starts_with("members: AccessDeniedException"), "{}", error.message);
    assert!(rows.contains(r#"id: "own""#), "{rows}");
}

#[tokio::test]
async fn an_account_whose_findings_cannot_be_listed_does_not_take_the_others_along() {
    let mut answers = vec![page("first"), "!ValidationException no such account".to_owned()];
    // A call for each account of the failed call.
    let refused = || "!AccessDeniedException Invoking account does not have access to this account".to_owned();
    answers.extend((0..10).flat_map(|nth| match nth {
        4 => vec![refused(), status("000000000914", "ENABLED")],
        7 => vec![refused(), status("000000000917", "DISABLED")],
        nth => vec![page(&format!("alone-{nth}"))],
    }));
    answers.push(page("last"));
    let (server, result, rows) = listed(25, &answers).await;
    let calls = server.requests().len();
    assert_eq!(calls, 16, "members, three calls for ten accounts, ten for one, and two for a status");
    let error = result.expect_err("one account is not seen");
    let words = "account 000000000914: AccessDeniedException: Invoking account does not have access to this account";
    assert_eq!(error.message, words);
    for arn in ["first", "alone-3", "alone-5", "last"] {
        assert!(rows.contains(&format!(r#"id: "{arn}""#)), "{arn}: {rows}");
    }
}

#[tokio::test]
async fn a_call_that_fails_for_all_its_accounts_names_them() {
    let denied = "!AccessDeniedException User: u is not authorized to perform: inspector2:ListFindings".to_owned();
    let (server, result, rows) = listed(11, &[denied, page("last")]).await;
    assert_eq!(server.requests().len(), 3);
    let message = result.expect_err("ten accounts are not seen").message;
    assert!(message.starts_with("accounts 000000000900, 000000000901, "), "{message}");
    assert!(
        message.contains("000000000909: AccessDeniedException: User: u is not") && rows.contains("last"),
        "{message}"
    );
}

#[tokio::test]
async fn what_is_wrong_with_all_accounts_ends_the_listing() {
    let off = || "!AccessDeniedException Invoking account is not enabled.".to_owned();
    for (own, class) in [("DISABLED", FailureClass::ServiceOff), ("ENABLED", FailureClass::NotEnabled)] {
        let (server, result, _) = listed(11, &[off(), status(&place().account_id, own), page("last")]).await;
        assert_eq!((server.requests().len(), result.expect_err("it is off").class), (3, class));
    }
    let denied = "!AccessDeniedException User: u is not authorized".to_owned();
    for refused in [off(), "!AccessDeniedException Nobody has switched it on.".to_owned(), denied] {
        let (_, result, _) = listed(0, &[refused, status(&place().account_id, "DISABLED")]).await;
        assert_eq!(result.expect_err("it is off").class, FailureClass::ServiceOff);
    }
    let (_, result, _) = listed(0, &["!ValidationException The nextToken has expired.".to_owned()]).await;
    assert_eq!(result.expect_err("it fails").message, "ValidationException: The nextToken has expired.");
}
