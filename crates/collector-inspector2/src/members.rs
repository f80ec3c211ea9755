//! Accounts whose findings an account can see: its own, and those of its members if it is a delegated administrator.

use crate::status::{by_inspector, failure, judged};
use aws_sdk_inspector2::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::list_members::ListMembersError,
};
use collector::{CollectError, paged};

/// Lists the accounts whose findings are visible: the members, then the account itself.
///
/// # Errors
/// Fails if the members cannot be listed, or Inspector is switched off.
pub(crate) async fn accounts(inspector: &Client, own: &str) -> Result<Vec<String>, CollectError> {
    let mut accounts = Vec::new();
    // Largest page of members.
    let mut pages = paged!(inspector.list_members().max_results(50), next_token);
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => accounts.extend(page.members.into_iter().flatten().filter_map(|member| member.account_id)),
            Err(error) if administers_nobody(&error) => break,
            Err(error) => return Err(judged(inspector, own, failure(error)).await),
        }
    }
    accounts.retain(|account| account != own);
    accounts.push(own.to_owned());
    Ok(accounts)
}

/// Whether Inspector denied the call because the account is not a delegated administrator. IAM denies a role without
/// the permission in other words.
fn administers_nobody<R>(error: &SdkError<ListMembersError, R>) -> bool {
    error.as_service_error().is_some_and(|error| {
        let message = error.message().unwrap_or_default();
        error.is_access_denied_exception() && by_inspector(message) && !message.contains("not enabled")
    })
}

#[cfg(test)]
mod tests {
    use super::{ListMembersError, SdkError, administers_nobody};
    use aws_sdk_inspector2::{
        error::ErrorMetadata,
        types::error::{AccessDeniedException, ValidationException},
    };

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
}
