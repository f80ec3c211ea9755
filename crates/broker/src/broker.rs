//! The broker at work: it answers who asks for accounts and for leases.

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
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinSet},
};
use tokio_util::sync::CancellationToken;

/// Replicas share requests under this name.
const QUEUE: &str = "broker";
/// How long requests that are being answered may take once the broker is told to end.
const DRAIN: Duration = Duration::from_secs(10);
/// Most requests answered at the same time; the rest wait in the subscription.
const AT_ONCE: usize = 256;

/// A broker that has its configuration.
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
    /// A file.
    #[error(transparent)]
    Profiles(#[from] ProfilesError),
    /// A value.
    #[error(transparent)]
    Setting(#[from] SettingError),
    /// The way to the caller.
    #[error(transparent)]
    Plan(#[from] PlanError),
}

/// Reads the AWS configuration and checks what can be checked without asking AWS.
///
/// # Errors
/// When a file cannot be read or understood, a setting has no meaning, or a profile that is named does not exist.
pub fn build(config: BrokerConfig) -> Result<Broker, BrokerError> {
    build_with(config, Environment::of_process())
}

/// The same with an environment of one's own. The SDK's providers for containers, instances and IAM Identity Center still
/// read the process's.
///
/// # Errors
/// As [`build`].
pub fn build_with(config: BrokerConfig, env: Environment) -> Result<Broker, BrokerError> {
    let profiles = Profiles::load(&env)?;
    let aws = Aws::new(env, profiles, config.own_identity);
    match &config.scope {
        Scope::Profiles { named } => {
            aws.all_files_there()?;
            aws.client_settings(None, "sts")?;
            aws.plan(|planner| planner.all(named))?;
        }
        Scope::Current { profile, .. } => check_caller(&aws, profile.as_deref())?,
        Scope::Organization(organization) => check_caller(&aws, organization.profile.as_deref())?,
    }
    let office =
        Office { aws: Arc::new(aws), scope: config.scope, directory: Directory::default(), leases: Leases::default() };
    Ok(Broker { office: Arc::new(office), is_private: config.is_private })
}

fn check_caller(aws: &Aws, profile: Option<&str>) -> Result<(), BrokerError> {
    if let (None, Some((followed, other))) = (profile, aws.environment().two_profiles()) {
        tracing::warn!(
            followed,
            other,
            "AWS_DEFAULT_PROFILE and AWS_PROFILE name two profiles: followed is AWS_DEFAULT_PROFILE, as in boto3; version 2 of \
             the AWS CLI follows AWS_PROFILE"
        );
    }
    let caller = aws.plan(|planner| planner.caller(profile))?;
    aws.client_settings(caller.profile.as_deref(), "sts")?;
    Ok(())
}

impl Broker {
    /// Answers until it is told to end, then finishes what it has begun. `ready` hears when requests can be made.
    ///
    /// # Errors
    /// The connection to the bus is gone for good, or another broker on it has a different configuration.
    pub async fn run(
        self,
        bus: Bus,
        shutdown: CancellationToken,
        ready: Option<oneshot::Sender<()>>,
    ) -> anyhow::Result<()> {
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
        tracing::info!("the broker answers");
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
                Some(answered) = answering.join_next() => say_panic(answered),
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
        // What was delivered to this replica already is not delivered to another.
        while let Some(Some(request)) = leases.next().now_or_never() {
            let office = self.office.clone();
            answering.spawn(async move { office.answer_lease(request).await });
        }
        drop((accounts, leases));
        let drained = async { while answering.join_next().await.map(say_panic).is_some() {} };
        if tokio::time::timeout(DRAIN, drained).await.is_err() {
            tracing::warn!("requests that were being answered are given up");
        }
        end
    }
}

/// Who asked hears nothing and asks again.
fn say_panic(answered: Result<(), JoinError>) {
    if let Err(error) = answered {
        tracing::error!(%error, "answering a request failed");
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
        let answer = match LeaseRequest::decode(request.payload.clone()) {
            Ok(asked) if subjects::lease(&asked) == request.subject => self.lease(&asked).await,
            Ok(_) => Err(Refusal::new(Kind::BadRequest, "the request does not belong to the subject that it came on")),
            Err(_) => Err(Refusal::new(Kind::BadRequest, "the request cannot be read")),
        };
        let mut answer = match answer {
            Ok((sealed, settings)) => {
                LeaseAnswer { outcome: Some(lease_answer::Outcome::Sealed(sealed)), settings: Some(settings) }
            }
            Err(refusal) => {
                tracing::warn!(subject = request.subject, %refusal, "no lease");
                LeaseAnswer { outcome: Some(lease_answer::Outcome::Refused(refusal.failure())), settings: None }
            }
        };
        if let Some(failure) = size::fit_lease(&mut answer, request.most_bytes()) {
            tracing::warn!(subject = request.subject, %failure, "no lease");
        }
        request.answer(answer.encode_to_vec()).await;
    }

    async fn lease(&self, asked: &LeaseRequest) -> Result<(SealedSession, ClientSettings), Refusal> {
        leases::check(asked)?;
        let route = self.directory.route(&self.aws, &self.scope, &asked.account_id).await?;
        let settings = self.aws.client_settings(route.profile.as_deref(), &asked.service);
        let settings = settings.map_err(|error| Refusal::configuration(&error))?;
        let sealed = self.leases.lease(&self.aws, &route, asked).await?;
        tracing::debug!(account = asked.account_id, service = asked.service, sync = asked.sync_id, %route, "leased");
        Ok((sealed, settings))
    }
}
