//! What a page says of resources that another listing describes: their ids and no more.

use std::collections::BTreeSet;

/// The ids, each once, so that a thousand instances in three subnets make three rows.
pub(crate) fn mentioned<'a>(ids: impl IntoIterator<Item = Option<&'a str>>) -> BTreeSet<String> {
    ids.into_iter().flatten().filter(|id| !id.is_empty()).map(str::to_owned).collect()
}
