//! Keeps replies below the message limit of the bus.

use events::{AccountsAnswer, Failure, FailureClass, LeaseAnswer, Message, SkippedAccount, cut, lease_answer};

/// Bytes reserved for headers.
const RESERVE: usize = 4 * 1024;
/// Lengths to which the reasons of unreachable accounts are cut, tried in this order until the reply fits.
const REASONS: [usize; 4] = [1_024, 256, 64, 0];

/// Limit of an account's name in bytes. Each of its work items and reports repeats it.
const NAME: usize = 1_024;

/// Replaces a lease that does not fit into a message of `most` bytes by a refusal, and returns the reason. Only
/// certificates can make it that large.
pub fn fit_lease(answer: &mut LeaseAnswer, most: usize) -> Option<Failure> {
    let bytes = answer.encoded_len();
    (bytes > most.saturating_sub(RESERVE)).then(|| {
        let error = format!(
            "a lease of {bytes} bytes does not fit into one message: raise `max_payload` of NATS, or remove certificates from \
             the file of AWS_CA_BUNDLE or `ca_bundle`"
        );
        let failure = Failure::new(FailureClass::Credentials, error);
        let refused = lease_answer::Outcome::Refused(failure.clone());
        *answer = LeaseAnswer { outcome: Some(refused), settings: None };
        failure
    })
}

/// Cuts names longer than 1 KiB and the list of skipped accounts. Then cuts the reasons of unreachable accounts until
/// the reply fits into `most` bytes. If that is not enough, replaces it by a failure, because a shortened list of
/// accounts would look complete.
pub fn fit(answer: &mut AccountsAnswer, most: usize) {
    let most = most.saturating_sub(RESERVE);
    let names = answer.accounts.iter_mut().map(|account| &mut account.name);
    let names = names.chain(answer.unreachable.iter_mut().map(|account| &mut account.name));
    let skipped = answer.skipped.iter_mut().flat_map(|account| [&mut account.name, &mut account.reason]);
    for name in names.chain(skipped) {
        *name = cut(name, NAME);
    }
    // Skipped accounts may take an eighth of a message; the rest is only counted.
    let bytes = |account: &SkippedAccount| account.encoded_len() + 8;
    let mut room = most / 8;
    let fits = |account: &&SkippedAccount| room.checked_sub(bytes(account)).map(|left| room = left).is_some();
    let fitting = answer.skipped.iter().take_while(fits).count();
    answer.skipped.truncate(fitting);
    for longest in REASONS {
        if answer.encoded_len() <= most {
            return;
        }
        let failures = answer.unreachable.iter_mut().filter_map(|account| account.failure.as_mut());
        failures.for_each(|failure| failure.error = cut(&failure.error, longest));
    }
    if answer.encoded_len() > most {
        let accounts = answer.accounts.len() + answer.unreachable.len();
        let error = format!(
            "{accounts} accounts do not fit into one message: raise `max_payload` of NATS, or run brokers for parts of the \
             accounts on separate buses"
        );
        *answer =
            AccountsAnswer { failure: Some(Failure::new(FailureClass::Internal, error)), ..AccountsAnswer::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::{Account, UnreachableAccount};

    const MEBIBYTE: usize = 1_048_576;

    fn answer(accounts: usize, unreachable: usize) -> AccountsAnswer {
        let id = |number: usize| format!("{number:012}");
        let account = |number| Account {
            id: id(number),
            name: "a name of usual length".into(),
            partition: "aws".into(),
            home_region: "ap-southeast-2".into(),
        };
        let failure = || Some(Failure::new(FailureClass::AccessDenied, "x".repeat(475)));
        let refused = |number| UnreachableAccount { id: id(number), name: "payments".into(), failure: failure() };
        AccountsAnswer {
            accounts: (0..accounts).map(account).collect(),
            unreachable: (0..unreachable).map(refused).collect(),
            ..AccountsAnswer::default()
        }
    }

    #[test]
    fn skipped_accounts_take_no_room_from_the_others() {
        let skipped = |number: usize| SkippedAccount {
            id: format!("{number:012}"),
            name: "sandbox".repeat(1_000),
            reason: "suspended".into(),
        };
        let mut fitted =
            AccountsAnswer { skipped: (0..3_000).map(skipped).collect(), skipped_total: 3_000, ..answer(5_000, 0) };
        fit(&mut fitted, MEBIBYTE);
        assert!(fitted.encoded_len() < MEBIBYTE);
        assert_eq!((fitted.accounts.len(), fitted.skipped_total, fitted.failure), (5_000, 3_000, None));
        assert!((100..200).contains(&fitted.skipped.len()), "{}", fitted.skipped.len());
    }

    #[test]
    fn thousands_of_unreachable_accounts_are_all_named() {
        for (accounts, unreachable) in [(1, 10), (5, 3_000), (5_000, 5_000)] {
            let mut fitted = answer(accounts, unreachable);
            fit(&mut fitted, MEBIBYTE);
            assert!(fitted.encoded_len() < MEBIBYTE);
            assert_eq!((fitted.accounts.len(), fitted.unreachable.len()), (accounts, unreachable));
            assert_eq!(fitted.failure, None);
        }
        let mut whole = answer(1, 10);
        fit(&mut whole, MEBIBYTE);
        assert_eq!(whole, answer(1, 10), "nothing is cut without need");
    }

    #[test]
    fn a_lease_with_too_many_certificates_is_refused_and_says_why() {
        let settings = events::ClientSettings { authorities: vec![vec![7; 1_000]; 70], ..Default::default() };
        let lease = || LeaseAnswer { outcome: None, settings: Some(settings.clone()) };
        let (mut fitting, mut large) = (lease(), lease());
        assert_eq!(fit_lease(&mut fitting, MEBIBYTE), None);
        assert_eq!(fitting, lease());
        let said = fit_lease(&mut large, 64 << 10);
        let Some(lease_answer::Outcome::Refused(failure)) = large.outcome else { panic!("a lease") };
        assert_eq!(said.as_ref(), Some(&failure), "it is logged");
        assert!(large.settings.is_none() && failure.error.contains("AWS_CA_BUNDLE"), "{failure}");
    }

    #[test]
    fn what_cannot_fit_is_a_failure_and_not_a_part() {
        let mut answer = answer(30_000, 0);
        fit(&mut answer, MEBIBYTE);
        assert!(answer.accounts.is_empty());
        assert!(answer.failure.expect("a reason").error.starts_with("30000 accounts"));
    }
}
