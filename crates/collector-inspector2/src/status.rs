//! Decides whether Inspector is switched off in an account. `BatchGetAccountStatus` returns the status of the account and of
//! each type of resource that Inspector scans; the wording of a refused call does not count.
//!
//! The status is asked for only after a refusal, so that a survey of accounts with Inspector makes no call more. A role that
//! may not ask for it leaves the wording ([`failure`]).

use aws_sdk_inspector2::{
    Client,
    types::{AccountState, ResourceState, Status},
};
use collector::CollectError;
use events::FailureClass;

/// The failure of a call about `account`, after a question about the account's status where that matters: where Inspector
/// is switched off, there is nothing to list.
pub(crate) async fn judged(inspector: &Client, account: &str, error: CollectError) -> CollectError {
    if !is_refusal(error.class) {
        return error;
    }
    match is_off(inspector, account).await {
        Ok(true) => CollectError { class: FailureClass::ServiceOff, ..error },
        Ok(false) if error.class == FailureClass::ServiceOff => {
            CollectError { class: FailureClass::NotEnabled, ..error }
        }
        Ok(false) => error,
        Err(denied) if matches!(denied.class, FailureClass::AccessDenied | FailureClass::NotEnabled) => error,
        Err(other) => other,
    }
}

/// Whether an account without Inspector may be answered so.
fn is_refusal(class: FailureClass) -> bool {
    use FailureClass::{AccessDenied, NotEnabled, Service, ServiceOff};
    matches!(class, AccessDenied | NotEnabled | Service | ServiceOff)
}

/// Whether the status of the account and of each type of resource is `DISABLED`. Every other status may have findings: a
/// suspended account keeps its own.
async fn is_off(inspector: &Client, account: &str) -> Result<bool, CollectError> {
    let answer = inspector.batch_get_account_status().account_ids(account).send().await?;
    let state = answer.accounts().iter().find(|state| state.account_id() == account);
    Ok(state.is_some_and(is_disabled))
}

fn is_disabled(state: &AccountState) -> bool {
    let resources = state.resource_state().into_iter().flat_map(each_type);
    let own = state.state().map(|state| state.status());
    own == Some(&Status::Disabled) && resources.into_iter().all(|status| *status == Status::Disabled)
}

fn each_type(state: &ResourceState) -> impl Iterator<Item = &Status> {
    let types = [state.ec2(), state.ecr(), state.lambda(), state.lambda_code(), state.code_repository(), state.ami()];
    types.into_iter().flatten().map(|state| state.status())
}

/// The failure of an Inspector call by its wording. Without Inspector, calls are answered with `AccessDeniedException:
/// Invoking account is not enabled`, or with a `ValidationException` of these words.
pub(crate) fn failure<E>(error: E) -> CollectError
where
    CollectError: From<E>,
{
    let error = CollectError::from(error);
    let denied = error.message.strip_prefix("AccessDeniedException: ").filter(|message| by_inspector(message));
    // An expired page token is a `ValidationException` too.
    let invalid = error.message.strip_prefix("ValidationException: ");
    if denied.or(invalid).is_some_and(|message| message.to_lowercase().contains("not enabled")) {
        return CollectError { class: FailureClass::ServiceOff, ..error };
    }
    // For example after the removal of a delegation. There may be findings.
    if denied.is_some() { CollectError { class: FailureClass::NotEnabled, ..error } } else { error }
}

/// Whether Inspector refuses a call, and not IAM.
pub(crate) fn by_inspector(message: &str) -> bool {
    message.starts_with("Invoking account")
}

#[cfg(test)]
mod tests {
    use super::{failure, judged};
    use collector::{CollectError, testing::Canned};
    use events::FailureClass;

    const ACCOUNT: &str = "111111111111";

    /// Answer about this account: its own status, and those of two types of resources.
    fn status(account: &str, own: &str, ec2: &str, ami: &str) -> String {
        let state =
            |status: &str| format!(r#"{{"status":"{status}","errorCode":"ALREADY_ENABLED","errorMessage":"m"}}"#);
        format!(
            r#"{{"accounts":[{{"accountId":"{account}","state":{},"resourceState":{{"ec2":{},"ecr":{},"ami":{}}}}}]}}"#,
            state(own),
            state(ec2),
            state("DISABLED"),
            state(ami)
        )
    }

    async fn class(before: FailureClass, answer: &str) -> (FailureClass, usize) {
        let server = Canned::answering(&[answer]);
        let inspector = (crate::SERVICE.connect)(&server.connection());
        let error = CollectError::new(before, "AccessDeniedException: some words");
        let after = judged(&inspector, ACCOUNT, error).await.class;
        (after, server.requests().len())
    }

    #[tokio::test]
    async fn the_status_decides_whatever_the_words_of_the_refusal() {
        use FailureClass::{AccessDenied, NotEnabled, Service, ServiceOff};
        let off = status(ACCOUNT, "DISABLED", "DISABLED", "DISABLED");
        for before in [AccessDenied, NotEnabled, Service, ServiceOff] {
            assert_eq!(class(before, &off).await, (ServiceOff, 1), "{before:?}");
        }
        for (own, ec2, ami) in [
            ("ENABLED", "ENABLED", "DISABLED"),
            ("ENABLED", "DISABLED", "ENABLED"),
            ("DISABLED", "DISABLED", "ENABLED"),
            ("DISABLED", "DISABLING", "DISABLED"),
            ("ENABLING", "DISABLED", "DISABLED"),
            ("DISABLING", "DISABLED", "DISABLED"),
            ("SUSPENDED", "DISABLED", "DISABLED"),
        ] {
            let on = status(ACCOUNT, own, ec2, ami);
            for (before, after) in [(AccessDenied, AccessDenied), (ServiceOff, NotEnabled), (Service, Service)] {
                assert_eq!(class(before, &on).await, (after, 1), "{own} {ec2} {ami}");
            }
        }
        let other = status("222222222222", "DISABLED", "DISABLED", "DISABLED");
        for unknown in [&*other, r#"{"accounts":[],"failedAccounts":[]}"#] {
            assert_eq!(class(ServiceOff, unknown).await, (NotEnabled, 1), "nothing is said of the account");
        }
    }

    #[tokio::test]
    async fn without_the_permission_to_ask_the_words_decide_and_a_failure_to_answer_is_one() {
        use FailureClass::{AccessDenied, Service, ServiceOff, Throttled};
        let denied = "!AccessDeniedException User: u is not authorized to perform: inspector2:BatchGetAccountStatus";
        for before in [ServiceOff, AccessDenied] {
            assert_eq!(class(before, denied).await, (before, 1));
            assert_eq!(class(before, "!AccessDeniedException Invoking account is not enabled.").await, (before, 1));
            assert_eq!(class(before, "!InternalServerException no").await, (Service, 1));
            assert_eq!(class(before, "!ThrottlingException slow").await, (Throttled, 1));
        }
    }

    #[tokio::test]
    async fn only_a_refusal_raises_the_question() {
        use FailureClass::{Credentials, Internal, Throttled, Timeout, Unreachable};
        for before in [Credentials, Internal, Throttled, Timeout, Unreachable] {
            assert_eq!(class(before, "{}").await, (before, 0));
        }
    }

    #[test]
    fn words_of_inspector_that_is_switched_off() {
        let class = |class, message: &str| failure(CollectError::new(class, message)).class;
        let denied = FailureClass::AccessDenied;
        assert_eq!(class(denied, "AccessDeniedException: Invoking account is not enabled."), FailureClass::ServiceOff);
        assert_eq!(class(denied, "AccessDeniedException: User: x is not authorized"), denied);
        let access = "AccessDeniedException: Invoking account does not have access to this account";
        assert_eq!(class(denied, access), FailureClass::NotEnabled);
        let invalid = |message: &str| class(FailureClass::Service, &format!("ValidationException: {message}"));
        assert_eq!(invalid("Inspector is not enabled"), FailureClass::ServiceOff);
        assert_eq!(invalid("The nextToken has expired."), FailureClass::Service);
        assert_eq!(class(FailureClass::Service, "InternalServerException: no"), FailureClass::Service);
    }
}
