//! Prevents two concurrent syncs of the same scope on one bus. A running survey answers the request of a new one if
//! their scopes overlap. The request uses no stream: a reply proves that the other survey is alive, and a killed
//! scheduler leaves no state that must expire. A sync without progress for longer than its patience no longer answers:
//! it is about to end, or hangs.
//!
//! Two syncs that begin within the same few milliseconds miss each other's request. Therefore each publishes `started`
//! before it looks for another `started` event: the first one in the stream continues.

use crate::{Patience, Request, SurveyError, size, tag::Identity};
use bus::{Bus, Found, RequestError, SYNCS};
use events::{
    GLOBAL, Message, RunningAnswer, RunningRequest, SyncEvent, SyncId, SyncProgress, subjects, sync_event::Event,
};
use futures::StreamExt;
use parking_lot::Mutex;
use std::{sync::Arc, time::Duration};
use tokio::task::JoinHandle;

/// Time limit for a reply. Schedulers with other scopes do not reply.
pub const ANSWER: Duration = Duration::from_secs(1);

/// Answers requests for running syncs until dropped.
pub struct Presence {
    answering: JoinHandle<()>,
    /// The current sync: the first, or one that collects lost scopes again.
    current: Arc<Mutex<Identity>>,
    scope: RunningRequest,
    /// Id of the sync that began immediately before this one, if it collects one of this one's services.
    previous: Option<String>,
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.answering.abort();
    }
}

impl Presence {
    /// Checks whether a sync of the same scope is running. If not, answers such requests for this one from now on, with
    /// its progress.
    ///
    /// # Errors
    /// Returns [`SurveyError::Running`] if one is running. Also fails if the bus cannot be used.
    pub async fn announce(
        bus: &Bus,
        request: &Request,
        identity: &Identity,
        patience: &Patience,
        progress: &Arc<Mutex<SyncProgress>>,
    ) -> Result<Self, SurveyError> {
        let scope = scope(request);
        let previous = bus.last_on(SYNCS, &subjects::syncs_of_kind("started")).await.map_err(SurveyError::Look)?;
        let previous = previous.filter(|found| has_service_of(&scope, found));
        let previous = previous.map(|found| subjects::sync_id(&found.subject).to_owned());
        refuse_beside(running(bus, &scope).await?)?;
        // Each sync has its own queue group, so that every sync receives every request.
        let questions = bus.serve(subjects::RUNNING_REQUEST, &identity.sync.id).await.map_err(SurveyError::Listen)?;
        let current = Arc::new(Mutex::new(identity.clone()));
        let (mine, sync, patience, progress) = (scope.clone(), current.clone(), patience.clone(), progress.clone());
        let answering = tokio::spawn(questions.for_each(move |question| {
            let asked = RunningRequest::decode(question.payload.clone()).ok().filter(|_| !patience.is_over());
            let answer = asked.and_then(|asked| answer(&mine, &sync.lock().sync, &asked, patience.spent()));
            let progress = Some(*progress.lock());
            let answer = answer.map(|answer| RunningAnswer { progress, ..answer });
            async move {
                if let Some(answer) = answer {
                    question.answer(answer.encode_to_vec()).await;
                }
            }
        }));
        Ok(Self { answering, current, scope, previous })
    }

    /// Answers with another sync of the same survey from now on.
    pub fn continue_as(&self, identity: &Identity) {
        *self.current.lock() = identity.clone();
    }

    /// Checks, after this sync's `started` is in the stream, whether another sync of the scope published `started`
    /// earlier, or has the same tag.
    ///
    /// # Errors
    /// Returns [`SurveyError::Running`] or [`SurveyError::TagTaken`] if there is one. Also fails if the bus cannot be
    /// used.
    pub async fn contend(&self, bus: &Bus) -> Result<(), SurveyError> {
        let Identity { sync, before: mut place } = self.current.lock().clone();
        let started = subjects::syncs_of_kind("started");
        while let Some(found) = bus.next_on(SYNCS, &started, place).await.map_err(SurveyError::Look)? {
            place = found.sequence;
            let other = subjects::sync_id(&found.subject);
            if other == sync.id {
                break;
            }
            if !other.is_empty() {
                refuse_beside(self.ask(bus, other).await?)?;
            }
            let theirs = events::read::<SyncEvent>(&found.payload).ok().and_then(|event| event.sync);
            if theirs.is_some_and(|theirs| theirs.update_tag == sync.update_tag) {
                return Err(SurveyError::TagTaken { by: other.to_owned() });
            }
        }
        Ok(())
    }

    /// Asks for one sync, whatever its scope. Returns `None` if no scheduler answers for it.
    ///
    /// # Errors
    /// Fails if the bus cannot be used.
    pub async fn ask(&self, bus: &Bus, sync_id: &str) -> Result<Option<RunningAnswer>, SurveyError> {
        running(bus, &RunningRequest { sync_id: sync_id.to_owned(), ..self.scope.clone() }).await
    }

    /// Id of the sync that began immediately before this one, if it collects one of this one's services.
    pub fn previous(&self) -> Option<&str> {
        self.previous.as_deref()
    }

    /// Whether this sync's scope includes the work.
    pub fn covers(&self, account_id: &str, region: &str, service: &str) -> bool {
        let RunningRequest { accounts, regions, services, .. } = &self.scope;
        let always = catalog::service(service).is_some_and(|known| known.always);
        let asks_regions = service == catalog::region_discovery().name && region == GLOBAL && regions.is_empty();
        (accounts.is_empty() || accounts.iter().any(|id| id == account_id))
            && (regions.is_empty() || region == GLOBAL || regions.iter().any(|name| name == region))
            && (always || asks_regions || services.iter().any(|name| name == service))
    }
}

/// Whether the sync with this `started` event collects one of the services.
fn has_service_of(scope: &RunningRequest, started: &Found) -> bool {
    match events::read::<SyncEvent>(&started.payload).ok().and_then(|event| event.event) {
        Some(Event::Started(started)) => started.services.iter().any(|name| scope.services.contains(name)),
        _ => false,
    }
}

/// Returns the reply of a running sync that the request matches; `None` if there is none.
pub(crate) async fn running(bus: &Bus, question: &RunningRequest) -> Result<Option<RunningAnswer>, SurveyError> {
    let mut question = question.clone();
    size::widen(&mut question, bus.most_bytes());
    match bus.ask(subjects::RUNNING_REQUEST, question.encode_to_vec(), ANSWER).await {
        Ok(answer) => RunningAnswer::decode(answer).map(Some).map_err(SurveyError::Answer),
        Err(RequestError::NobodyThere { .. } | RequestError::TimedOut { .. }) => Ok(None),
        Err(error) => Err(SurveyError::Ask(error)),
    }
}

/// Returns [`SurveyError::Running`] if a sync of the same scope replied.
pub(crate) fn refuse_beside(answer: Option<RunningAnswer>) -> Result<(), SurveyError> {
    match answer {
        Some(RunningAnswer { sync, silent_seconds, other_scope: false, .. }) => {
            let silent = Duration::from_secs(silent_seconds);
            Err(SurveyError::Running { sync: sync.unwrap_or_default().id, silent })
        }
        _ => Ok(()),
    }
}

/// Reply of a sync with scope `mine`. `None` if the request does not match it.
fn answer(mine: &RunningRequest, sync: &SyncId, asked: &RunningRequest, silent: Duration) -> Option<RunningAnswer> {
    let same_scope = overlap(mine, asked);
    let is_meant = if asked.sync_id.is_empty() { same_scope } else { asked.sync_id == sync.id };
    let (sync, silent_seconds) = (Some(sync.clone()), silent.as_secs());
    is_meant.then_some(RunningAnswer { sync, silent_seconds, other_scope: !same_scope, progress: None })
}

/// Scope of a request, without the services that every sync collects.
pub(crate) fn scope(request: &Request) -> RunningRequest {
    let services = request.services.iter().filter(|service| !service.always);
    RunningRequest {
        accounts: request.accounts.clone().unwrap_or_default(),
        regions: request.regions.clone().unwrap_or_default(),
        services: services.map(|service| service.name.clone()).collect(),
        sync_id: String::new(),
    }
}

fn overlap(one: &RunningRequest, other: &RunningRequest) -> bool {
    let meet = |one: &[String], other: &[String]| one.iter().any(|name| other.contains(name));
    // An empty list means all.
    let may_meet = |one: &[String], other: &[String]| one.is_empty() || other.is_empty() || meet(one, other);
    may_meet(&one.accounts, &other.accounts)
        && may_meet(&one.regions, &other.regions)
        && meet(&one.services, &other.services)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(accounts: &[&str], regions: &[&str], services: &[&str]) -> RunningRequest {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        RunningRequest {
            accounts: owned(accounts),
            regions: owned(regions),
            services: owned(services),
            ..RunningRequest::default()
        }
    }

    #[test]
    fn only_what_could_meet_is_the_same_scope() {
        let all = of(&[], &[], &["ec2", "iam"]);
        for (other, same) in [
            (of(&[], &[], &["iam"]), true),
            (of(&[], &[], &["inspector2"]), false),
            (of(&["1"], &["eu-west-1"], &["ec2"]), true),
            (of(&["1"], &[], &[]), false),
        ] {
            assert_eq!(overlap(&all, &other), same, "{other:?}");
        }
        let part = of(&["1"], &["eu-west-1"], &["ec2"]);
        assert!(!overlap(&part, &of(&["2"], &[], &["ec2"])));
        assert!(!overlap(&part, &of(&["1"], &["us-east-1"], &["ec2"])));
        assert!(overlap(&part, &of(&["2", "1"], &[], &["ec2"])));
    }

    #[test]
    fn a_sync_that_is_asked_for_answers_whatever_the_scope() {
        let sync = SyncId { id: "a".into(), update_tag: 1 };
        let mine = of(&["1"], &[], &["ec2"]);
        let ask = |scope: RunningRequest, sync_id: &str| {
            let asked = RunningRequest { sync_id: sync_id.into(), ..scope };
            answer(&mine, &sync, &asked, Duration::ZERO).map(|answer| answer.other_scope)
        };
        assert_eq!(ask(of(&["2"], &[], &["ec2"]), ""), None);
        assert_eq!(ask(of(&["2"], &[], &["ec2"]), "a"), Some(true));
        assert_eq!(ask(of(&[], &[], &["ec2"]), "a"), Some(false));
        assert_eq!(ask(of(&[], &[], &["ec2"]), "b"), None);
        assert_eq!(ask(of(&[], &[], &["ec2"]), ""), Some(false));
    }
}
