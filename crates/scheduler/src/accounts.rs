//! The accounts of a survey, as the broker lists them.

use crate::{SurveyError, Unseen};
use bus::{Bus, RequestError};
use events::{AccountsAnswer, AccountsRequest, Message, SkippedAccount, UnreachableAccount, listed, subjects};
use std::time::{Duration, Instant};

/// Time limit of the broker's reply. Long, because the broker first tries every role once.
const ANSWER: Duration = Duration::from_mins(3);
/// Time limit for a broker to start.
const START: Duration = Duration::from_secs(30);

/// Requests the accounts from the broker.
///
/// # Errors
/// Fails if the broker does not answer or cannot list the accounts.
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

/// Reasons why no account can be surveyed: the first ten, as one sentence.
pub fn reasons(unreachable: &[UnreachableAccount], skipped: &[SkippedAccount]) -> String {
    let unreachable = unreachable.iter().cloned().map(|account| unseen(account).to_string());
    let lines: Vec<_> = unreachable.chain(skipped.iter().map(skipped_text)).collect();
    if lines.is_empty() { "the broker found none".to_owned() } else { listed(&lines, "; ") }
}

/// Describes a skipped account: `333333333333 (sandbox) is suspended`.
pub fn skipped_text(SkippedAccount { id, name, reason }: &SkippedAccount) -> String {
    events::printable(&format!("{id} ({name}) is {reason}"))
}

/// Converts an account that the broker cannot enter to a part of the sync's outcome.
pub fn unseen(UnreachableAccount { id, name, failure }: UnreachableAccount) -> Unseen {
    Unseen { account_id: id.into(), account_name: name.into(), ..Unseen::everything(failure.unwrap_or_default()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Failure, FailureClass};

    #[test]
    fn thousands_of_reasons_are_one_readable_sentence() {
        let refused = |count: usize| {
            let account = |nth: usize| UnreachableAccount {
                id: format!("{nth:012}"),
                name: "n".into(),
                failure: Some(Failure::new(FailureClass::Credentials, "not allowed: x")),
            };
            reasons(&(1..=count).map(account).collect::<Vec<_>>(), &[])
        };
        let suspended = SkippedAccount { id: "1".into(), name: "n".into(), reason: "suspended".into() };
        assert_eq!(reasons(&[], &[suspended]), "1 (n) is suspended");
        assert_eq!(refused(0), "the broker found none");
        assert_eq!(refused(1), "000000000001 (n) * * *: no credentials: not allowed: x");
        let many = refused(3_000);
        assert_eq!(many.matches("not allowed").count(), 10, "{many}");
        assert!(many.ends_with("; and 2990 more"), "{many}");
    }
}
