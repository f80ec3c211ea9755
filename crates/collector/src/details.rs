//! Calls about single items of a listing. An item may be deleted between the listing and the call, and a call may fail
//! for only one item.

use crate::CollectError;
use aws_smithy_runtime_api::client::{orchestrator::HttpResponse, result::SdkError};
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use events::FailureClass;
use std::{cell::RefCell, error::Error};

tokio::task_local! {
    /// First failed item of a dry run.
    static FIRST_FAILED: RefCell<Option<CollectError>>;
}

/// Runs a listing and also returns the error of its first failed item. A dry run may end before the listing does, and the
/// listing reports failed items at its end.
pub(crate) async fn with_first_failed<T>(listing: impl Future<Output = T>) -> (T, Option<CollectError>) {
    let listing = async { (listing.await, FIRST_FAILED.with(RefCell::take)) };
    FIRST_FAILED.scope(RefCell::default(), listing).await
}

/// Number of failed items after which a listing stops if none was read before: the rest would mostly fail too.
const MOST_AT_FIRST: u32 = 100;
/// Number of throttled or unanswered items after which a listing stops, because each takes minutes.
const MOST_SLOW: u32 = 20;
/// Number of failed items named in the error.
const NAMED: usize = 10;

/// Turns "not found" into `None`: the item was deleted after it was listed.
///
/// # Errors
/// Returns every other error of the call.
pub fn unless_gone<T, E>(answer: Result<T, SdkError<E, HttpResponse>>) -> Result<Option<T>, CollectError>
where
    E: ProvideErrorMetadata + Error + Send + Sync + 'static,
{
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(error) if error.as_service_error().and_then(|error| error.code()).is_some_and(is_gone) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Matches codes of IAM (`NoSuchEntity`), EC2 (`InvalidRouteTableID.NotFound`), Elastic Load Balancing
/// (`LoadBalancerNotFound`), the JSON services (`ResourceNotFoundException`), S3 (`NoSuchBucket`) and SQS
/// (`QueueDoesNotExist`, or the code of its older protocol).
fn is_gone(code: &str) -> bool {
    code.starts_with("NoSuchEntity")
        || code == "NoSuchBucket"
        || ["NotFound", "NotFoundException", "QueueDoesNotExist", "NonExistentQueue"]
            .iter()
            .any(|end| code.ends_with(end))
}

/// Items of a listing that could not be read. The listing continues without them and fails at its end, so that nothing
/// of it is cleaned up.
#[derive(Debug, Default)]
pub struct Details {
    failed: u32,
    slow: u32,
    is_any_read: bool,
    /// The gravest error; the first one of several.
    gravest: Option<CollectError>,
    /// Names of the failed items that were recorded first.
    names: Vec<String>,
}

/// Result of a call about an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Detail<T> {
    /// The call succeeded.
    Read(T),
    /// The item was deleted: no row for it may be written.
    Gone,
    /// The call failed. The error is returned at the end of the listing.
    Failed,
}

impl<T> Detail<T> {
    /// Returns the answer of a successful call.
    pub fn read(self) -> Option<T> {
        match self {
            Self::Read(answer) => Some(answer),
            Self::Gone | Self::Failed => None,
        }
    }

    /// Returns the answer, or the default if the call failed; `None` if the item is gone. For items that are written
    /// even if the call fails.
    pub fn unless_gone(self) -> Option<T>
    where
        T: Default,
    {
        match self {
            Self::Read(answer) => Some(answer),
            Self::Failed => Some(T::default()),
            Self::Gone => None,
        }
    }
}

impl Details {
    /// Records the result of the call about `item`; `Ok(None)` means that it is gone.
    ///
    /// # Errors
    /// Fails if the error affects all items, or too many items have failed.
    pub fn take<T>(&mut self, item: &str, answer: Result<Option<T>, CollectError>) -> Result<Detail<T>, CollectError> {
        let error = match answer {
            Ok(Some(answer)) => {
                self.note_read();
                return Ok(Detail::Read(answer));
            }
            Ok(None) => return Ok(Detail::Gone),
            Err(error) if is_of_all(error.class) => return Err(error),
            Err(error) => error,
        };
        self.fail(item, &error).map(|()| Detail::Failed)
    }

    /// Records that a call about items succeeded whose response does not go through [`Details::take`].
    pub fn note_read(&mut self) {
        self.is_any_read = true;
    }

    /// Records that the call about `item` failed, whatever the class of its error.
    ///
    /// # Errors
    /// Fails if too many items have failed.
    pub fn fail(&mut self, item: &str, error: &CollectError) -> Result<(), CollectError> {
        self.failed += 1;
        self.slow += u32::from(is_slow(error.class));
        if self.names.len() < NAMED {
            self.names.push(item.to_owned());
        }
        let error = CollectError { message: format!("{item}: {}", error.message), ..error.clone() };
        // Outside a dry run, there is no such place.
        let _ = FIRST_FAILED.try_with(|noted| noted.replace_with(|noted| noted.take().or_else(|| Some(error.clone()))));
        self.gravest = Some(match self.gravest.take() {
            Some(gravest) => gravest.graver(error),
            None => error,
        });
        let is_hopeless = self.slow >= MOST_SLOW || (!self.is_any_read && self.failed >= MOST_AT_FIRST);
        if is_hopeless { std::mem::take(self).end() } else { Ok(()) }
    }

    /// Ends the listing.
    ///
    /// # Errors
    /// Fails with the gravest error if items could not be read. Names at most ten of them, and their number.
    pub fn end(self) -> Result<(), CollectError> {
        let Self { failed, gravest: Some(gravest), names, .. } = self else { return Ok(()) };
        if failed == 1 {
            return Err(gravest);
        }
        let more = usize::try_from(failed).unwrap_or(usize::MAX) - names.len();
        let rest = if more == 0 { String::new() } else { format!(" and {more} more") };
        let names = names.join(", ");
        let message = format!("{failed} items could not be read: {names}{rest}; error of {}", gravest.message);
        Err(CollectError { message, ..gravest })
    }
}

fn is_slow(class: FailureClass) -> bool {
    matches!(class, FailureClass::Throttled | FailureClass::Timeout | FailureClass::Unreachable)
}

/// An invalid session, or a region or service that is not enabled or switched off, fails every call. A timeout, a
/// broken connection or throttling may concern only one slow or large item. If an endpoint does not answer at all, the
/// next calls fail immediately.
fn is_of_all(class: FailureClass) -> bool {
    matches!(class, FailureClass::Credentials | FailureClass::NotEnabled | FailureClass::ServiceOff)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn denied() -> CollectError {
        CollectError::new(FailureClass::AccessDenied, "AccessDenied: no")
    }

    #[test]
    fn a_failed_item_is_named_at_the_end_and_the_others_are_read() -> Result<(), CollectError> {
        let mut details = Details::default();
        assert_eq!(details.take("a", Ok(Some(1)))?, Detail::Read(1));
        assert_eq!(details.take::<i32>("gone", Ok(None))?, Detail::Gone);
        assert_eq!(details.take::<i32>("b", Err(denied()))?, Detail::Failed);
        assert_eq!(details.take("c", Ok(Some(3)))?, Detail::Read(3));
        assert_eq!(details.end().expect_err("one failed").message, "b: AccessDenied: no");
        Ok(())
    }

    #[test]
    fn a_missing_permission_does_not_hide_an_outage() -> Result<(), CollectError> {
        let mut details = Details::default();
        for (item, class) in
            [("a", FailureClass::AccessDenied), ("b", FailureClass::Timeout), ("c", FailureClass::Service)]
        {
            details.take::<i32>(item, Err(CollectError::new(class, "no")))?;
        }
        let error = details.end().expect_err("three failed");
        let message = "3 items could not be read: a, b, c; error of b: no";
        assert_eq!((error.class, error.message.as_str()), (FailureClass::Timeout, message));
        Ok(())
    }

    #[tokio::test]
    async fn a_dry_run_knows_its_first_failed_item_even_if_the_listing_does_not_end() {
        let listing = async {
            let mut details = Details::default();
            for item in ["a", "b"] {
                assert_eq!(details.take::<i32>(item, Err(denied())), Ok(Detail::Failed));
            }
        };
        let ((), first) = with_first_failed(listing).await;
        assert_eq!(first.expect("two failed").message, "a: AccessDenied: no");
    }

    #[test]
    fn one_slow_item_does_not_end_the_listing() -> Result<(), CollectError> {
        let mut details = Details::default();
        for class in [FailureClass::Throttled, FailureClass::Timeout, FailureClass::Unreachable] {
            let error = CollectError::new(class, "late");
            assert_eq!(details.take::<i32>("slow", Err(error))?, Detail::Failed, "{class:?}");
        }
        let error = details.end().expect_err("three failed");
        assert_eq!(
            (error.class, error.message.as_str()),
            (FailureClass::Throttled, "3 items could not be read: slow, slow, slow; error of slow: late")
        );
        Ok(())
    }

    #[test]
    fn only_what_is_gone_is_left_out() {
        assert_eq!(Detail::Read(1).unless_gone(), Some(1));
        assert_eq!(Detail::<i32>::Failed.unless_gone(), Some(0));
        assert_eq!(Detail::<i32>::Gone.unless_gone(), None);
        assert_eq!([Detail::Read(1), Detail::Gone, Detail::Failed].map(Detail::read), [Some(1), None, None]);
    }

    #[test]
    fn a_listing_stops_where_the_rest_would_fail_too() {
        let mut details = Details::default();
        let expired = CollectError::new(FailureClass::Credentials, "ExpiredToken");
        assert_eq!(details.take::<i32>("a", Err(expired.clone())), Err(expired));
        let off = CollectError::new(FailureClass::ServiceOff, "not enabled");
        assert_eq!(details.take::<i32>("a", Err(off.clone())), Err(off));
        for n in 1..MOST_AT_FIRST {
            assert_eq!(details.take::<i32>(&n.to_string(), Err(denied())), Ok(Detail::Failed));
        }
        let error = details.take::<i32>("z", Err(denied())).expect_err("too many");
        let message =
            "100 items could not be read: 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 and 90 more; error of 1: AccessDenied: no";
        assert_eq!(error.message, message);
        for _ in 1..MOST_SLOW {
            let late = CollectError::new(FailureClass::Timeout, "late");
            assert_eq!(details.take::<i32>("a", Err(late)), Ok(Detail::Failed));
        }
        let late = CollectError::new(FailureClass::Timeout, "late");
        assert!(details.take::<i32>("a", Err(late)).is_err());
    }

    #[test]
    fn a_policy_that_denies_some_items_hides_no_others() -> Result<(), CollectError> {
        let mut details = Details::default();
        assert_eq!(details.take("a", Ok(Some(1)))?, Detail::Read(1));
        for _ in 0..1_000 {
            assert_eq!(details.take::<i32>("secret", Err(denied()))?, Detail::Failed);
        }
        assert_eq!(details.take("z", Ok(Some(2)))?, Detail::Read(2));
        Ok(())
    }

    #[test]
    fn codes_of_what_is_gone() {
        for code in [
            "NoSuchEntity",
            "InvalidRouteTableID.NotFound",
            "LoadBalancerNotFound",
            "ResourceNotFoundException",
            "NoSuchBucket",
            "QueueDoesNotExist",
            "AWS.SimpleQueueService.NonExistentQueue",
        ] {
            assert!(is_gone(code), "{code}");
        }
        for code in ["AccessDenied", "NoSuchBucketPolicy", "ServiceNotFoundInRegion", "Throttling"] {
            assert!(!is_gone(code), "{code}");
        }
    }
}
