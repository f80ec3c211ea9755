//! Unseen scopes in groups. A denied region has a failure for each of its listings, but is one group and one line.

use super::Unseen;
use events::{FailureClass, UnseenScopes};
use std::{collections::HashMap, sync::Arc};

type Key<'a> = (&'a str, &'a str, &'a str, FailureClass);

fn key(it: &Unseen) -> Key<'_> {
    (&it.account_id, &it.region, &it.service, it.failure.class())
}

/// Groups failures of the same class in one service and region, in the order of the first of each. Leaves out those beyond
/// the first `most` groups.
pub fn groups(unseen: &[Unseen], most: usize) -> Vec<UnseenScopes> {
    let mut groups: Vec<(&Unseen, u64)> = Vec::new();
    let mut by_key = HashMap::new();
    for it in unseen {
        if let Some(index) = by_key.get(&key(it)) {
            let (first, listings): &mut (&Unseen, u64) = &mut groups[*index];
            *listings += 1;
            if it.listing < first.listing {
                *first = it;
            }
        } else if groups.len() < most {
            by_key.insert(key(it), groups.len());
            groups.push((it, 1));
        }
    }
    groups.into_iter().map(|(first, listings)| group(first, listings)).collect()
}

fn group(first: &Unseen, listings: u64) -> UnseenScopes {
    UnseenScopes {
        account_id: first.account_id.to_string(),
        account_name: first.account_name.to_string(),
        region: first.region.to_string(),
        service: first.service.to_string(),
        listing: first.listing.to_string(),
        listings,
        failure: Some((*first.failure).clone()),
    }
}

/// Formats a group: its first failure, and the number of the others.
pub fn line(group: &UnseenScopes) -> String {
    let UnseenScopes { account_id, account_name, region, service, listing, listings, failure } = group;
    let listing = match listings.saturating_sub(1) {
        0 => listing.clone(),
        1 => format!("{listing} and 1 more listing"),
        more => format!("{listing} and {more} more listings"),
    };
    let shared = |text: &str| Arc::<str>::from(text);
    let first = Unseen {
        account_id: shared(account_id),
        account_name: shared(account_name),
        region: shared(region),
        service: shared(service),
        listing: listing.into(),
        failure: failure.clone().unwrap_or_default().into(),
    };
    events::printable(&first.to_string())
}

/// Formats one line per group.
pub fn lines(unseen: &[Unseen]) -> Vec<String> {
    groups(unseen, usize::MAX).iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Failure;

    fn unseen(region: &str, listing: &str, class: FailureClass) -> Unseen {
        let (account_id, account_name) = ("222222222222".into(), "alpha".into());
        let failure = Failure::new(class, format!("{listing} failed"));
        Unseen {
            account_id,
            account_name,
            region: region.into(),
            service: "ec2".into(),
            listing: listing.into(),
            failure: failure.into(),
        }
    }

    #[test]
    fn listings_that_fail_in_one_way_are_one_line() {
        let denied = FailureClass::AccessDenied;
        let text = lines(&[
            unseen("eu-central-1", "DescribeVpcs", denied),
            unseen("eu-west-1", "DescribeVpcs", denied),
            unseen("eu-central-1", "DescribeSubnets", denied),
            unseen("eu-central-1", "DescribeVolumes", FailureClass::Timeout),
            unseen("eu-central-1", "DescribeImages", denied),
        ]);
        expect_test::expect![[r"
            222222222222 (alpha) eu-central-1 ec2 DescribeImages and 2 more listings: access denied: DescribeImages failed
            222222222222 (alpha) eu-west-1 ec2 DescribeVpcs: access denied: DescribeVpcs failed
            222222222222 (alpha) eu-central-1 ec2 DescribeVolumes: timed out: DescribeVolumes failed"]]
        .assert_eq(&text.join("\n"));
    }

    #[test]
    fn groups_beyond_the_limit_are_left_out() {
        let denied = FailureClass::AccessDenied;
        let all = [("b", "L"), ("a", "L"), ("c", "L"), ("a", "K")].map(|(region, name)| unseen(region, name, denied));
        let found = groups(&all, 2);
        let found: Vec<_> = found.iter().map(|it| (it.region.as_str(), it.listing.as_str(), it.listings)).collect();
        assert_eq!(found, [("b", "L", 1), ("a", "K", 2)]);
    }
}
