//! `--account`: selects requested accounts among those that the broker lists.

use events::{Account, AccountsAnswer, SkippedAccount, UnreachableAccount, listed};

/// Requested accounts that the broker does not list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("--account: {} is not among the accounts that --accounts finds; {}", listed(.unknown, ", "), found(.known))]
pub struct UnknownAccounts {
    /// Ids of these accounts.
    pub unknown: Vec<String>,
    /// Ids that the broker lists.
    pub known: Vec<String>,
}

/// Restricts the reply to these accounts; `None` selects all.
///
/// # Errors
/// Fails if a requested account is not in the reply.
pub fn select(answer: AccountsAnswer, asked: Option<&[String]>) -> Result<AccountsAnswer, UnknownAccounts> {
    let Some(asked) = asked else { return Ok(answer) };
    let AccountsAnswer { mut accounts, mut unreachable, failure, mut skipped, .. } = answer;
    let known = known(&accounts, &unreachable, &skipped);
    let unknown: Vec<_> = asked.iter().filter(|id| !known.contains(id)).cloned().collect();
    if !unknown.is_empty() {
        return Err(UnknownAccounts { unknown, known });
    }
    accounts.retain(|account| asked.contains(&account.id));
    unreachable.retain(|account| asked.contains(&account.id));
    skipped.retain(|account| asked.contains(&account.id));
    let skipped_total = u32::try_from(skipped.len()).unwrap_or(u32::MAX);
    Ok(AccountsAnswer { accounts, unreachable, failure, skipped, skipped_total })
}

fn found(known: &[String]) -> String {
    if known.is_empty() { "no account id is known".to_owned() } else { format!("these are {}", listed(known, ", ")) }
}

fn known(accounts: &[Account], unreachable: &[UnreachableAccount], skipped: &[SkippedAccount]) -> Vec<String> {
    let others = unreachable.iter().map(|account| &account.id).filter(|id| !id.is_empty());
    let others = others.chain(skipped.iter().map(|account| &account.id));
    let mut known: Vec<_> = accounts.iter().map(|account| &account.id).chain(others).cloned().collect();
    known.sort();
    known.dedup();
    known
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer() -> AccountsAnswer {
        let account = |id: &str| Account { id: id.into(), ..Account::default() };
        let unreachable = |id: &str| UnreachableAccount { id: id.into(), ..UnreachableAccount::default() };
        AccountsAnswer {
            accounts: vec![account("1"), account("2")],
            unreachable: vec![unreachable("3"), unreachable("4"), unreachable("")],
            failure: None,
            skipped: vec![SkippedAccount { id: "5".into(), ..SkippedAccount::default() }],
            skipped_total: 1,
        }
    }

    fn selected(asked: &[&str]) -> Result<(usize, usize, u32), UnknownAccounts> {
        let asked: Vec<_> = asked.iter().map(|id| (*id).to_owned()).collect();
        let chosen = select(answer(), Some(&asked))?;
        Ok((chosen.accounts.len(), chosen.unreachable.len(), chosen.skipped_total))
    }

    #[test]
    fn only_what_is_asked_for_stays() {
        assert_eq!(selected(&["2"]), Ok((1, 0, 0)));
        assert_eq!(selected(&["2", "5"]), Ok((1, 0, 1)), "one that is not active is known");
        assert_eq!(selected(&["2", "3"]), Ok((1, 1, 0)), "what is asked for and out of reach is still said");
        assert_eq!(select(answer(), None), Ok(answer()));
    }

    #[test]
    fn an_unknown_account_is_named_with_all_that_there_are() {
        let error = selected(&["2", "9"]).expect_err("9 is not there").to_string();
        assert_eq!(error, "--account: 9 is not among the accounts that --accounts finds; these are 1, 2, 3, 4, 5");
    }

    #[test]
    fn a_list_of_accounts_has_an_end_and_may_be_empty() {
        let of = |known: usize| UnknownAccounts {
            unknown: vec!["9".to_owned()],
            known: (0..known).map(|id| format!("{id:012}")).collect(),
        };
        let none = of(0).to_string();
        assert_eq!(none, "--account: 9 is not among the accounts that --accounts finds; no account id is known");
        let many = of(3_000).to_string();
        assert!(many.ends_with("000000000008, 000000000009, and 2990 more"), "{many}");
    }
}
