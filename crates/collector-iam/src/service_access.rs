//! Last service used by each principal. `GenerateServiceLastAccessedDetails` starts a job for each user, role and
//! group; `GetServiceLastAccessedDetails` returns its result -> properties of `(:AWSUser)`, `(:AWSRole)`,
//! `(:AWSGroup)`.

use crate::{Iam, principals::Principals};
use aws_sdk_iam::{
    Client,
    operation::get_service_last_accessed_details::GetServiceLastAccessedDetailsOutput,
    types::{JobStatusType, ServiceLastAccessed},
};
use collector::{
    CollectError, Collecting, Details, Listing, Node, Prop, Sink, Tokens, Value, indexed, prop, unless_gone,
};
use events::FailureClass;
use futures::{StreamExt, stream};
use std::time::Duration;

/// Last service of users. Rows use the principal's own label, not the label that all principals share: they must find
/// the same node whichever listing comes first.
pub(crate) static USER_ACCESS: Node<Access> = access("AWSUser");
/// Last service of roles.
pub(crate) static ROLE_ACCESS: Node<Access> = access("AWSRole");
/// Last service of groups.
pub(crate) static GROUP_ACCESS: Node<Access> = access("AWSGroup");

/// Last service of a principal.
#[derive(Debug, Clone)]
pub(crate) struct Access {
    /// ARN of the principal.
    pub(crate) arn: String,
    /// Last used service; `None` if it used no service within AWS's tracking period.
    pub(crate) service: Option<ServiceLastAccessed>,
}

const fn access(label: &'static str) -> Node<Access> {
    Node { extra_labels: &["AWSPrincipal"], id: |it, _| it.arn.clone(), props: PROPS, ..Node::of(label) }
}

const PROPS: &[Prop<Access>] = &[
    indexed("arn", |it, _| (&it.arn).into()),
    prop("last_accessed_service_name", |it, _| it.read(|service| service.service_name().into())),
    prop("last_accessed_service_namespace", |it, _| it.read(|service| service.service_namespace().into())),
    prop("last_authenticated", |it, _| it.read(|service| service.last_authenticated().map(Value::spelled).into())),
    prop("last_authenticated_entity", |it, _| {
        it.read(|service| service.last_authenticated_entity().unwrap_or_default().into())
    }),
    prop("last_authenticated_region", |it, _| {
        it.read(|service| service.last_authenticated_region().unwrap_or_default().into())
    }),
];

impl Access {
    fn read(&self, property: impl Fn(&ServiceLastAccessed) -> Value) -> Value {
        self.service.as_ref().map(property).into()
    }
}

/// Listing of all principals' last services.
pub(crate) const LISTING: Listing<Iam> = Listing {
    name: "GetServiceLastAccessedDetails",
    actions: &[
        "iam:GetAccountAuthorizationDetails",
        "iam:GenerateServiceLastAccessedDetails",
        "iam:GetServiceLastAccessedDetails",
    ],
    feeds: &[&USER_ACCESS, &ROLE_ACCESS, &GROUP_ACCESS],
    collect,
};

fn collect<'a>(iam: &'a Iam, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let asked = questions(iam.principals().await?);
        let mut answers =
            stream::iter(asked).map(|question| ask(iam.sdk.clone(), question)).buffer_unordered(Iam::AT_ONCE);
        let mut details = Details::default();
        while let Some((Question { table, arn }, answer)) = answers.next().await {
            if let Some(access) = details.take(&arn, answer)?.read() {
                sink.emit(table, &access).await?;
            }
        }
        details.end()
    })
}

/// A principal, with the table for its result.
struct Question {
    table: &'static Node<Access>,
    arn: String,
}

fn questions(principals: &Principals) -> Vec<Question> {
    let kinds =
        [(&USER_ACCESS, &principals.users), (&ROLE_ACCESS, &principals.roles), (&GROUP_ACCESS, &principals.groups)];
    let all =
        kinds.into_iter().flat_map(|(table, arns)| arns.iter().map(move |arn| Question { table, arn: arn.clone() }));
    all.collect()
}

/// Returns `None` if the principal was deleted after it was listed.
async fn ask(iam: Client, question: Question) -> (Question, Result<Option<Access>, CollectError>) {
    let answer = last_service(&iam, &question.arn).await;
    (question, answer)
}

async fn last_service(iam: &Client, arn: &str) -> Result<Option<Access>, CollectError> {
    // A missing job may mean that its principal was deleted. Otherwise a second job returns the result.
    for _ in 0..2 {
        let Some(job) = generate(iam, arn).await? else { return Ok(None) };
        if let Some(access) = wait(iam, arn, &job).await? {
            return Ok(Some(access));
        }
    }
    Err(failed("two jobs for the last used service disappeared"))
}

/// Starts a job and returns its id.
async fn generate(iam: &Client, arn: &str) -> Result<Option<String>, CollectError> {
    let job = unless_gone(iam.generate_service_last_accessed_details().arn(arn).send().await)?;
    Ok(job.map(|job| job.job_id.unwrap_or_default()))
}

/// Waits for a job. Returns `None` if the job is gone. Polls with growing pauses for up to a minute, as long as
/// Cartography does. Most jobs end immediately.
async fn wait(iam: &Client, arn: &str, job: &str) -> Result<Option<Access>, CollectError> {
    const FIRST: Duration = Duration::from_millis(250);
    const SLOWEST: Duration = Duration::from_secs(4);
    const ATTEMPTS: u32 = 18;
    let mut pause = FIRST;
    for _ in 0..ATTEMPTS {
        let answer = iam.get_service_last_accessed_details().job_id(job).max_items(1000).send().await;
        let Some(answer) = unless_gone(answer)? else { return Ok(None) };
        match answer.job_status() {
            JobStatusType::Completed => return rest(iam, arn, job, answer).await,
            JobStatusType::Failed => return Err(job_failed(&answer)),
            _ => tokio::time::sleep(pause).await,
        }
        pause = (pause * 2).min(SLOWEST);
    }
    Err(failed("the job for the last used service did not end"))
}

/// Reads the remaining pages of a result. Returns `None` if the job is gone.
async fn rest(
    iam: &Client,
    arn: &str,
    job: &str,
    first: GetServiceLastAccessedDetailsOutput,
) -> Result<Option<Access>, CollectError> {
    let mut page = first;
    let (mut latest, mut tokens) = (None, Tokens::default());
    loop {
        let next = page.marker.take().filter(|marker| !marker.is_empty());
        if page.is_truncated && next.is_none() {
            return Err(CollectError::internal(
                "AWS marked the response as truncated but returned no marker for the next page",
            ));
        }
        let next = next.filter(|_| page.is_truncated);
        latest = page.services_last_accessed.into_iter().fold(latest, later);
        let Some(marker) = next else { return Ok(Some(Access { arn: arn.to_owned(), service: latest })) };
        tokens.note(&marker)?;
        let call = iam.get_service_last_accessed_details().job_id(job).max_items(1000).marker(marker);
        let Some(answer) = unless_gone(call.send().await)? else { return Ok(None) };
        page = answer;
    }
}

/// Returns the service that was used later: the first one of equals, and never one that was not used.
fn later(latest: Option<ServiceLastAccessed>, next: ServiceLastAccessed) -> Option<ServiceLastAccessed> {
    let when =
        |service: &ServiceLastAccessed| service.last_authenticated().map(|time| (time.secs(), time.subsec_nanos()));
    if when(&next) > latest.as_ref().and_then(when) { Some(next) } else { latest }
}

fn job_failed(answer: &GetServiceLastAccessedDetailsOutput) -> CollectError {
    let reason = answer.error().map(|error| format!(": {}: {}", error.code(), error.message())).unwrap_or_default();
    failed(format!("the job for the last used service failed{reason}"))
}

/// A failure of one principal's job. The jobs of other principals may still succeed.
fn failed(message: impl Into<String>) -> CollectError {
    CollectError::new(FailureClass::Service, message)
}

#[cfg(test)]
mod tests {
    use super::{Access, GROUP_ACCESS, LISTING, ROLE_ACCESS, ServiceLastAccessed, USER_ACCESS, later};
    use crate::{Iam, testing::time};
    use aws_smithy_types::DateTime;
    use collector::{
        Sink,
        testing::{Canned, place, render, render_batches},
    };
    use expect_test::expect;

    fn service(namespace: &str, used: Option<DateTime>) -> ServiceLastAccessed {
        ServiceLastAccessed::builder()
            .service_name(format!("Amazon {namespace}"))
            .service_namespace(namespace)
            .set_last_authenticated(used)
            .last_authenticated_entity("arn:aws:iam::111111111111:user/alice")
            .last_authenticated_region("us-east-1")
            .build()
            .expect("full")
    }

    #[test]
    fn a_full_answer_leaves_nothing_null() {
        let access =
            Access { arn: "arn:aws:iam::111111111111:user/alice".into(), service: Some(service("s3", Some(time()))) };
        expect![[r#"
            (:AWSUser:AWSPrincipal {id: "arn:aws:iam::111111111111:user/alice"})
              arn (indexed) = "arn:aws:iam::111111111111:user/alice"
              last_accessed_service_name = "Amazon s3"
              last_accessed_service_namespace = "s3"
              last_authenticated = "2024-05-01 01:02:03+00:00"
              last_authenticated_entity = "arn:aws:iam::111111111111:user/alice"
              last_authenticated_region = "us-east-1"
        "#]]
        .assert_eq(&render(&USER_ACCESS, &access, &[]));
        assert_eq!(
            render(&USER_ACCESS, &access, &[]).lines().skip(1).collect::<Vec<_>>(),
            render(&ROLE_ACCESS, &access, &[]).lines().skip(1).collect::<Vec<_>>(),
        );
        assert!(render(&GROUP_ACCESS, &access, &[]).starts_with("(:AWSGroup:AWSPrincipal {"));
    }

    #[test]
    fn the_service_used_last_counts() {
        let at = |secs| Some(DateTime::from_secs(secs));
        let last = |services: Vec<ServiceLastAccessed>| {
            services.into_iter().fold(None, later).map(|service| service.service_namespace)
        };
        assert_eq!(last(vec![service("a", at(1)), service("b", at(3)), service("c", at(2))]).as_deref(), Some("b"));
        assert_eq!(last(vec![service("a", at(1)), service("b", at(1))]).as_deref(), Some("a"));
        assert_eq!(last(vec![service("a", None)]), None);
    }

    const USERS: &str =
        "<UserDetailList><member><Arn>arn:aws:iam::111111111111:user/alice</Arn></member></UserDetailList>";
    const JOB: &str = "<JobId>job</JobId>";

    /// A page of a finished job: a service that was used at this second of a minute, and the marker of the next page.
    fn page(namespace: &str, second: u32, marker: &str) -> String {
        let more = if marker.is_empty() { String::new() } else { format!("<Marker>{marker}</Marker>") };
        format!(
            "<JobStatus>COMPLETED</JobStatus><JobCreationDate>2024-05-01T01:02:03Z</JobCreationDate>\
             <JobCompletionDate>2024-05-01T01:02:03Z</JobCompletionDate><ServicesLastAccessed><member>\
             <ServiceName>Amazon {namespace}</ServiceName><ServiceNamespace>{namespace}</ServiceNamespace>\
             <LastAuthenticated>2024-05-01T01:02:{second:02}Z</LastAuthenticated></member></ServicesLastAccessed>\
             <IsTruncated>{}</IsTruncated>{more}",
            !marker.is_empty()
        )
    }

    /// Result of the listing, with the service.
    async fn listed(answers: &[&str]) -> Result<String, String> {
        let server = Canned::answering(answers);
        let mut sink = Sink::to_memory(place());
        let ended = (LISTING.collect)(&Iam::connect(&server.connection()), &mut sink).await;
        assert_eq!(server.requests().len(), answers.len());
        ended.map_err(|error| error.message)?;
        let rows = render_batches(&sink.into_batches().await.expect("in memory"));
        let service = rows.lines().find_map(|line| line.strip_prefix("  last_accessed_service_namespace = "));
        Ok(service.unwrap_or("nothing").to_owned())
    }

    #[tokio::test]
    async fn the_service_used_last_is_found_on_any_page() {
        let (first, second) = (page("s3", 1, "a"), page("ec2", 3, "b"));
        let pages = [USERS, JOB, &first, &second, &page("sqs", 2, "")];
        assert_eq!(listed(&pages).await.as_deref(), Ok("\"ec2\""));
    }

    #[tokio::test]
    async fn a_repeated_marker_is_an_error() {
        let (a, b) = (page("s3", 1, "a"), page("ec2", 3, "b"));
        let repeated = "arn:aws:iam::111111111111:user/alice: AWS returned the same page token twice, so the rest of the listing \
                        cannot be read";
        for pages in [&[USERS, JOB, &a, &a][..], &[USERS, JOB, &a, &b, &a]] {
            assert_eq!(listed(pages).await, Err(repeated.to_owned()));
        }
    }

    #[tokio::test]
    async fn a_job_that_is_gone_is_begun_anew_and_a_principal_that_is_gone_left_out() {
        let (gone, more, all) = ("!NoSuchEntity gone", page("s3", 1, "a"), page("s3", 1, ""));
        assert_eq!(listed(&[USERS, gone]).await.as_deref(), Ok("nothing"));
        assert_eq!(listed(&[USERS, JOB, gone, JOB, &all]).await.as_deref(), Ok("\"s3\""));
        assert_eq!(listed(&[USERS, JOB, &more, gone, JOB, &all]).await.as_deref(), Ok("\"s3\""));
        assert_eq!(listed(&[USERS, JOB, &more, gone, gone]).await.as_deref(), Ok("nothing"));
        let twice = listed(&[USERS, JOB, gone, JOB, gone]).await.expect_err("AWS has the principal and no job");
        assert!(twice.starts_with("arn:aws:iam::111111111111:user/alice: two jobs "), "{twice}");
    }
}
