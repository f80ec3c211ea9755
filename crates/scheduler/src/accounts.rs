//! The accounts of a survey, as the broker lists them.

use crate::{SurveyError, Unseen};
use bus::{Bus, RequestError};
use events::{AccountsAnswer, AccountsRequest, Message, UnreachableAccount, subjects};
use std::time::{Duration, Instant};

/// Time limit for the broker's answer. Long, because it first tries every role once.
const ANSWER: Duration = Duration::from_mins(3);
/// Time limit for a broker to start.
const START: Duration = Duration::from_secs(30);

/// Asks the broker for the accounts.
///
/// # Errors
/// The broker does not answer, or cannot list the accounts.
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

/// Why no account can be surveyed, as one sentence.
pub fn reasons(unreachable: &[UnreachableAccount]) -> String {
    if unreachable.is_empty() {
        return "the broker found none".to_owned();
    }
    let lines = unreachable.iter().cloned().map(|account| unseen(account).to_string());
    lines.collect::<Vec<_>>().join("; ")
}

/// Part of a sync's outcome for an account that the broker cannot enter.
pub fn unseen(UnreachableAccount { id, name, failure }: UnreachableAccount) -> Unseen {
    Unseen { account_id: id, account_name: name, ..Unseen::everything(failure.unwrap_or_default()) }
}
