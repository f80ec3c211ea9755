//! Unseen scopes as text. A denied region has a failure for each of its listings, but only one line.

use events::FailureClass;
use scheduler::Unseen;
use std::collections::HashMap;

/// Formats one line per failure. Failures of the same class in one service and region share a line.
pub fn lines(unseen: &[Unseen]) -> Vec<String> {
    let mut groups: Vec<Vec<&Unseen>> = Vec::new();
    let mut by_key = HashMap::new();
    for it in unseen {
        let index = *by_key.entry(key(it)).or_insert(groups.len());
        if index == groups.len() {
            groups.push(Vec::new());
        }
        groups[index].push(it);
    }
    let lines = groups.into_iter().map(|mut group| {
        group.sort_by(|a, b| a.listing.cmp(&b.listing));
        line(&group)
    });
    lines.collect()
}

type Key<'a> = (&'a str, &'a str, &'a str, FailureClass);

fn key(it: &Unseen) -> Key<'_> {
    (&it.account_id, &it.region, &it.service, it.failure.class())
}

/// Formats the first failure of a group, and the number of the others.
fn line(group: &[&Unseen]) -> String {
    let [first, others @ ..] = group else { return String::new() };
    if others.is_empty() {
        return events::printable(&first.to_string());
    }
    let listings = if others.len() == 1 { "listing" } else { "listings" };
    let listing = format!("{} and {} more {listings}", first.listing, others.len());
    let more = Unseen { listing: listing.into(), ..(*first).clone() };
    events::printable(&more.to_string())
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
}
