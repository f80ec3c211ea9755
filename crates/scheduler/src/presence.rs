//! No two syncs of the same scope at once on one bus. Who surveys answers whoever is about to whether it would be of the
//! same scope. Request-reply, on no stream: an answer is proof that the other one lives, and a killed scheduler leaves
//! nothing behind that would have to expire.
//!
//! Two that begin within the same few milliseconds do not see each other. That is harmless, because update tags keep an older
//! sync from undoing a newer one's work; it is only of no use.

use crate::{Request, SurveyError};
use bus::{Bus, RequestError};
use events::{Message, RunningAnswer, RunningRequest, Sync, subjects};
use futures::StreamExt;
use std::time::Duration;
use tokio::task::JoinHandle;

/// How long the others may take to say that theirs is the same; who runs something else says nothing.
const ANSWER: Duration = Duration::from_secs(1);

/// Says that a sync is running, until it is dropped.
pub struct Presence(JoinHandle<()>);

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Presence {
    /// Asks whether a sync of the same scope is running, and if not, says from now on that this one is.
    ///
    /// # Errors
    /// [`SurveyError::Running`] when there is one; else when the bus cannot be used.
    pub async fn announce(bus: &Bus, request: &Request, sync: &Sync) -> Result<Self, SurveyError> {
        let mine = scope(request);
        match bus.ask(subjects::RUNNING_REQUEST, mine.encode_to_vec(), ANSWER).await {
            Ok(answer) => {
                let answer = RunningAnswer::decode(answer).map_err(SurveyError::Answer)?;
                return Err(SurveyError::Running(answer.sync.unwrap_or_default().id));
            }
            Err(RequestError::NobodyThere { .. } | RequestError::TimedOut { .. }) => {}
            Err(error) => return Err(SurveyError::Ask(error)),
        }
        let answer = RunningAnswer { sync: Some(sync.clone()) }.encode_to_vec();
        // A queue of its own, so that every sync hears every question.
        let questions = bus.serve(subjects::RUNNING_REQUEST, &sync.id).await.map_err(SurveyError::Listen)?;
        Ok(Self(tokio::spawn(questions.for_each(move |question| {
            let same = RunningRequest::decode(question.payload.clone()).is_ok_and(|other| overlap(&mine, &other));
            let answer = answer.clone();
            async move {
                if same {
                    question.answer(answer).await;
                }
            }
        }))))
    }
}

/// What the request is about; the services that every sync collects do not count.
fn scope(request: &Request) -> RunningRequest {
    let services = request.services.iter().filter(|service| !service.always);
    RunningRequest {
        accounts: request.accounts.clone().unwrap_or_default(),
        regions: request.regions.clone().unwrap_or_default(),
        services: services.map(|service| service.name.to_owned()).collect(),
    }
}

fn overlap(one: &RunningRequest, other: &RunningRequest) -> bool {
    let meet = |one: &[String], other: &[String]| one.iter().any(|name| other.contains(name));
    // Without a name, all are meant.
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
        RunningRequest { accounts: owned(accounts), regions: owned(regions), services: owned(services) }
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
}
