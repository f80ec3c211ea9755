//! Mentions of resources that another listing describes: only their ids.

use std::collections::BTreeSet;

/// Returns the distinct ids, so that a thousand instances in three subnets make three rows.
pub(crate) fn mentioned<'a>(ids: impl IntoIterator<Item = Option<&'a str>>) -> BTreeSet<String> {
    ids.into_iter().flatten().filter(|id| !id.is_empty()).map(str::to_owned).collect()
}
