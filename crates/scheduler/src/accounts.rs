//! Which accounts there are, by the broker's word.

use crate::{SurveyError, Unseen};
use bus::{Bus, RequestError};
use events::{AccountsAnswer, AccountsRequest, Message, UnreachableAccount, subjects};
use std::time::{Duration, Instant};

/// The broker tries every role once before it answers, so it may take long.
const ANSWER: Duration = Duration::from_mins(3);
/// How long a broker may take to come up.
const START: Duration = Duration::from_secs(30);

/// Asks the broker.
///
/// # Errors
/// When it does not answer, or says that it cannot know.
pub async fn ask(bus: &Bus) -> Result<AccountsAnswer, SurveyError> {
    let deadline = Instant::now() + START;
    let answer = loop {
        let asked = AccountsRequest {}.encode_to_vec();
        match bus.ask(subjects::ACCOUNTS_REQUEST, asked, ANSWER).await {
            Ok(answer) => break answer,
            Err(RequestError::NobodyThere { .. }) if Instant::now() < deadline => {
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
            Err(error) => return Err(SurveyError::Broker(error)),
        }
    };
    let answer = AccountsAnswer::decode(answer).map_err(SurveyError::Answer)?;
    match &answer.failure {
        Some(failure) => Err(SurveyError::NoAccounts(failure.to_string())),
        None => Ok(answer),
    }
}

/// Why no account can be surveyed, in one sentence.
pub fn reasons(unreachable: &[UnreachableAccount]) -> String {
    if unreachable.is_empty() {
        return "the broker found none".to_owned();
    }
    let lines = unreachable.iter().cloned().map(|account| unseen(account).to_string());
    lines.collect::<Vec<_>>().join("; ")
}

/// An account that the broker cannot enter, as part of a sync's outcome.
pub fn unseen(UnreachableAccount { id, name, failure }: UnreachableAccount) -> Unseen {
    Unseen { account_id: id, account_name: name, ..Unseen::everything(failure.unwrap_or_default()) }
}
