//! Whose findings an account sees: its own, and as a delegated administrator those of its members.

use aws_sdk_inspector2::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::list_members::ListMembersError,
};
use collector::{CollectError, paged};
use events::FailureClass;

/// Accounts whose findings are to be listed: the members, then the account itself.
///
/// # Errors
/// When the members cannot be listed, or when Inspector is not enabled here.
pub(crate) async fn accounts(inspector: &Client, own: &str) -> Result<Vec<String>, CollectError> {
    let mut accounts = Vec::new();
    // 50 is the most that a page of members takes.
    let mut pages = paged!(inspector.list_members().max_results(50), next_token);
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => accounts.extend(page.members.into_iter().flatten().filter_map(|member| member.account_id)),
            Err(error) if administers_nobody(&error) => break,
            Err(error) => return Err(failure(error)),
        }
    }
    accounts.retain(|account| account != own);
    accounts.push(own.to_owned());
    Ok(accounts)
}

/// Inspector refuses the call of an account that is no delegated administrator. A role without the permission is
/// refused by IAM, in other words.
fn administers_nobody<R>(error: &SdkError<ListMembersError, R>) -> bool {
    error.as_service_error().is_some_and(|error| {
        let message = error.message().unwrap_or_default();
        error.is_access_denied_exception() && by_inspector(message) && !message.contains("not enabled")
    })
}

fn by_inspector(message: &str) -> bool {
    message.starts_with("Invoking account")
}

/// The failure of an Inspector call. Inspector is off by default, and then answers `AccessDeniedException: Invoking account is
/// not enabled`, or a `ValidationException` with these words: there are no findings.
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
    // Such as a delegation that has just been taken away: there may well be findings.
    if denied.is_some() { CollectError { class: FailureClass::NotEnabled, ..error } } else { error }
}

#[cfg(test)]
mod tests {
    use super::{ListMembersError, SdkError, administers_nobody, failure};
    use aws_sdk_inspector2::{
        error::ErrorMetadata,
        types::error::{AccessDeniedException, ValidationException},
    };
    use collector::CollectError;
    use events::FailureClass;

    fn denied(message: &str) -> SdkError<ListMembersError, ()> {
        let meta = ErrorMetadata::builder().code("AccessDeniedException").message(message).build();
        let error = AccessDeniedException::builder().message(message).meta(meta).build().expect("has a message");
        SdkError::service_error(ListMembersError::AccessDeniedException(error), ())
    }

    #[test]
    fn an_account_without_members_is_no_failure_but_a_missing_permission_is() {
        assert!(administers_nobody(&denied("Invoking account does not have access to ListMembers API.")));
        assert!(!administers_nobody(&denied("Invoking account is not enabled.")));
        assert!(!administers_nobody(&denied("User: arn is not authorized to perform: inspector2:ListMembers")));
        let validation = ValidationException::builder().message("bad").reason("OTHER".into()).build().expect("full");
        assert!(!administers_nobody(&SdkError::service_error(ListMembersError::ValidationException(validation), ())));
    }

    #[test]
    fn inspector_that_is_switched_off_is_a_class_of_its_own() {
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
