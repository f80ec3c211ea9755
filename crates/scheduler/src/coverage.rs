//! Coverage of a sync, published with `collected`. After a whole sync, the graph-writer marks every place as stale that
//! the sync neither reported nor names here.

use crate::plan::Plan;
use events::{SyncCollected, UnreachableAccount};

/// Coverage of a sync.
#[derive(Debug, Default)]
pub struct Coverage {
    whole: bool,
    unreachable: Vec<String>,
}

impl Coverage {
    /// Coverage of a sync of everything or of a part, without the accounts that the broker cannot reach. If the id of
    /// such an account is unknown, the sync is not whole: the account's places would look stale.
    pub fn new(is_whole: bool, unreachable: &[UnreachableAccount]) -> Self {
        let unknown = unreachable.iter().filter(|account| account.id.is_empty()).count();
        if is_whole && unknown > 0 {
            tracing::warn!(
                profiles = unknown,
                "the account ids of some profiles are unknown, so this sync cannot detect stale places"
            );
        }
        let unreachable: Vec<String> = unreachable.iter().map(|account| account.id.clone()).collect();
        Self { whole: is_whole && unknown == 0, unreachable }
    }

    /// The `collected` event, without its counts and its long work.
    pub fn collected(&self, plan: &Plan) -> SyncCollected {
        let mut names: Vec<String> = self.unreachable.iter().cloned().chain(plan.given_up()).collect();
        if !self.whole {
            names.clear();
        }
        SyncCollected { whole: self.whole, out_of_reach: names, ..SyncCollected::default() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RequestArgs;
    use events::{Account, SyncId};

    fn unreachable(id: &str) -> UnreachableAccount {
        UnreachableAccount { id: id.into(), ..UnreachableAccount::default() }
    }

    fn given_up() -> Plan {
        let (account, types, regions) = (Vec::new(), Vec::new(), Vec::new());
        let args = RequestArgs {
            account,
            services: vec!["ec2".into()],
            types,
            regions,
            patience: 1,
            ..RequestArgs::default()
        };
        let accounts = vec![Account { id: "1".into(), ..Account::default() }];
        let (mut plan, _) = Plan::new(SyncId::default(), accounts, args.validate().expect("a good request"));
        plan.give_up("nothing was heard");
        plan
    }

    #[test]
    fn what_could_not_be_reached_is_named_and_not_called_stale() {
        let collected = Coverage::new(true, &[unreachable("2")]).collected(&given_up());
        assert_eq!(
            (collected.whole, collected.out_of_reach),
            (true, ["2", "1", "1/global/sts"].map(str::to_owned).to_vec())
        );
    }

    #[test]
    fn a_sync_with_an_unknown_account_is_not_whole() {
        let collected = Coverage::new(true, &[unreachable("")]).collected(&given_up());
        assert_eq!((collected.whole, collected.out_of_reach.len()), (false, 0));
    }
}
