//! Answers requests for accounts and leases on the bus.

use crate::{
    aws::Aws,
    config::{BrokerConfig, Scope},
    directory::Directory,
    environment::Environment,
    leases::{self, Leases},
    peers::Peers,
    plan::PlanError,
    profiles::{Profiles, ProfilesError},
    refusal::{Kind, Refusal},
    settings::SettingError,
    size,
};
use anyhow::Context;
use bus::{Bus, request::Served};
use events::{
    AccountsAnswer, ClientSettings, LeaseAnswer, LeaseRequest, Message, SealedSession, lease_answer, subjects,
};
use futures::{FutureExt, StreamExt};
use observe::{health, metrics};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinSet},
    time::interval,
};
use tokio_util::sync::CancellationToken;

/// Queue group that distributes requests among replicas.
const QUEUE: &str = "broker";
/// Time limit for unfinished requests at shutdown.
const DRAIN: Duration = Duration::from_secs(10);
/// Limit of requests answered at the same time. Others wait in the subscription.
const AT_ONCE: usize = 256;

/// Interval at which the loop sets its mark.
const TICK: Duration = Duration::from_secs(10);
/// Longest time without a mark: so long, every request in progress may hang. AWS and NATS have shorter limits.
const TURN: Duration = Duration::from_mins(10);

/// A broker with a checked configuration.
pub struct Broker {
    office: Arc<Office>,
    is_private: bool,
}

struct Office {
    aws: Arc<Aws>,
    scope: Scope,
    directory: Directory,
    leases: Leases,
}

/// The AWS configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum BrokerError {
    /// A file cannot be read or parsed.
    #[error(transparent)]
    Profiles(#[from] ProfilesError),
    /// A setting is invalid.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The route to the caller cannot be planned.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// Reads the AWS configuration and checks it as far as possible without AWS calls.
///
/// # Errors
/// Fails if a file cannot be read or parsed, a setting is invalid, or a named profile does not exist.
pub fn build(config: BrokerConfig) -> Result<Broker, BrokerError> {
    build_with(config, Environment::of_process())
}

/// Like [`build`], with these environment variables. The SDK's providers for containers, instances and IAM Identity
/// Center still read those of the process.
///
/// # Errors
/// Same as [`build`].
pub fn build_with(config: BrokerConfig, env: Environment) -> Result<Broker, BrokerError> {
    let profiles = Profiles::load(&env)?;
    let aws = Aws::new(env, profiles, config.own_identity);
    match &config.scope {
        Scope::Profiles { named } => {
            aws.setup().all_files_there()?;
            aws.client_settings(None, "sts")?;
            aws.setup().plan(|planner| planner.all(named))?;
        }
        Scope::Current { profile, .. } => check_caller(&aws, profile.as_deref())?,
        Scope::Organization(organization) => check_caller(&aws, organization.profile.as_deref())?,
    }
    let office =
        Office { aws: Arc::new(aws), scope: config.scope, directory: Directory::default(), leases: Leases::default() };
    Ok(Broker { office: Arc::new(office), is_private: config.is_private })
}

fn check_caller(aws: &Aws, profile: Option<&str>) -> Result<(), BrokerError> {
    if let (None, Some((followed, other))) = (profile, aws.setup().environment().two_profiles()) {
        tracing::warn!(
            followed,
            other,
            "AWS_DEFAULT_PROFILE and AWS_PROFILE name different profiles: using AWS_DEFAULT_PROFILE, as boto3 does; version 2 of \
             the AWS CLI uses AWS_PROFILE"
        );
    }
    let caller = aws.setup().plan(|planner| planner.caller(profile))?;
    aws.client_settings(caller.profile.as_deref(), "sts")?;
    Ok(())
}

impl Broker {
    /// Answers requests until shutdown, then finishes those in progress. Notifies `ready` when requests can be made.
    ///
    /// # Errors
    /// Fails if the connection to the bus is closed, or another broker on the bus has a different configuration.
    pub async fn run(
        self,
        bus: Bus,
        shutdown: CancellationToken,
        ready: Option<oneshot::Sender<()>>,
    ) -> anyhow::Result<()> {
        let part = health().part("broker");
        let peers = if self.is_private {
            None
        } else {
            let joining = Peers::join(&bus, self.office.aws.clone(), &self.office.scope);
            let joined = shutdown.run_until_cancelled(joining).await;
            let Some(peers) = joined else { return Ok(()) };
            Some(peers?)
        };
        let mut watching = Box::pin(async move {
            match peers {
                Some(peers) => peers.watch().await,
                None => std::future::pending().await,
            }
        });
        let mut accounts = bus.serve(subjects::ACCOUNTS_REQUEST, QUEUE).await.context("cannot serve accounts")?;
        let mut leases = bus.serve(subjects::LEASE_REQUESTS, QUEUE).await.context("cannot serve leases")?;
        if let Some(ready) = ready {
            ready.send(()).ok();
        }
        part.is_ready_while(process::connected(&bus));
        tracing::info!("the broker is ready");
        let (mark, mut tick) = (health().watch("broker", TURN), interval(TICK));
        let mut answering = JoinSet::new();
        let mut end = Ok(());
        loop {
            let room = answering.len() < AT_ONCE;
            let office = self.office.clone();
            tokio::select! {
                () = shutdown.cancelled() => break,
                differs = &mut watching => {
                    end = differs;
                    break;
                }
                _ = tick.tick() => {
                    if room {
                        mark.now();
                    }
                }
                Some(answered) = answering.join_next() => {
                    mark.now();
                    say_panic(answered);
                }
                request = accounts.next(), if room => {
                    let request = request.context("the connection to the bus is closed")?;
                    answering.spawn(async move { office.answer_accounts(request).await });
                }
                request = leases.next(), if room => {
                    let request = request.context("the connection to the bus is closed")?;
                    answering.spawn(async move { office.answer_lease(request).await });
                }
            }
        }
        drop(mark);
        // NATS does not redeliver requests that this replica already received.
        while let Some(Some(request)) = leases.next().now_or_never() {
            let office = self.office.clone();
            answering.spawn(async move { office.answer_lease(request).await });
        }
        drop((accounts, leases));
        let drained = async { while answering.join_next().await.map(say_panic).is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("unfinished requests did not end in time and are dropped");
        }
        end
    }
}

/// Label of requests for a service that the catalog does not have.
const UNKNOWN: &str = "unknown";

/// Name of a service in the catalog: labels must not come from requests.
fn known(service: &str) -> &'static str {
    let named = catalog::services().iter().find(|known| known.name == service);
    named.map_or(UNKNOWN, |known| known.name.as_str())
}

/// The requester gets no reply and retries.
fn say_panic(answered: Result<(), JoinError>) {
    if let Err(error) = answered {
        tracing::error!(%error, "a request panicked");
    }
}

impl Office {
    async fn answer_accounts(&self, request: Served) {
        let answer = match self.directory.discover(&self.aws, &self.scope).await {
            Ok(discovery) => {
                tracing::info!(
                    accounts = discovery.accounts.len(),
                    unreachable = discovery.unreachable.len(),
                    "accounts found"
                );
                let mut answer = discovery.answer();
                size::fit(&mut answer, request.most_bytes());
                answer
            }
            Err(refusal) => AccountsAnswer { failure: Some(refusal.failure()), ..AccountsAnswer::default() },
        };
        if let Some(failure) = &answer.failure {
            tracing::info!(%failure, "no accounts");
        }
        request.answer(answer.encode_to_vec()).await;
    }

    async fn answer_lease(&self, request: Served) {
        let asked = LeaseRequest::decode(request.payload.clone());
        let service = asked.as_ref().map_or(UNKNOWN, |asked| known(&asked.service));
        let answer = match asked {
            Ok(asked) if subjects::lease(&asked) == request.subject => self.lease(&asked).await,
            Ok(_) => Err(Refusal::new(Kind::BadRequest, "the request does not match its subject")),
            Err(_) => Err(Refusal::new(Kind::BadRequest, "the request cannot be decoded")),
        };
        let (mut answer, mut age) = match answer {
            Ok((sealed, settings, age)) => {
                let sealed = Some(lease_answer::Outcome::Sealed(sealed));
                (LeaseAnswer { outcome: sealed, settings: Some(settings) }, Ok(age))
            }
            Err(refusal) => {
                tracing::warn!(subject = request.subject, %refusal, "no lease");
                let refused = Some(lease_answer::Outcome::Refused(refusal.failure()));
                (LeaseAnswer { outcome: refused, settings: None }, Err(refusal.kind))
            }
        };
        if let Some(failure) = size::fit_lease(&mut answer, request.most_bytes()) {
            tracing::warn!(subject = request.subject, %failure, "no lease");
            age = Err(Kind::Other);
        }
        match age {
            Ok(age) => metrics().leases.granted(service, age),
            Err(kind) => metrics().leases.refused(service, kind.words()),
        }
        request.answer(answer.encode_to_vec()).await;
    }

    /// Returns the sealed session, the settings of its clients, and its age.
    async fn lease(&self, asked: &LeaseRequest) -> Result<(SealedSession, ClientSettings, Duration), Refusal> {
        leases::check(asked)?;
        let route = self.directory.route(&self.aws, &self.scope, &asked.account_id).await?;
        let settings = self.aws.client_settings(route.profile.as_deref(), &asked.service);
        let settings = settings.map_err(|error| Refusal::configuration(&error))?;
        let (sealed, age) = self.leases.lease(&self.aws, &route, asked).await?;
        tracing::debug!(account = asked.account_id, service = asked.service, sync = asked.sync_id, %route, "leased");
        Ok((sealed, settings, age))
    }
}
