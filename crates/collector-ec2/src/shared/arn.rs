//! ARNs of resources that another account may own.

use collector::Place;

/// `arn:<partition>:<service>:<region>:<owner>:<resource>`. The owner is this account if the answer names none.
pub(crate) fn owned(owner: Option<&str>, place: &Place, service: &str, resource: &str) -> String {
    match owner.filter(|owner| !owner.is_empty()) {
        Some(owner) => Place { account_id: owner.to_owned(), ..place.clone() }.arn(service, resource),
        None => place.arn(service, resource),
    }
}
