//! Statements that read page by page.

use crate::answer;
use graph::{GraphError, GraphStore, Portion, parameters};
use neo4rs::Query;

/// A text after all others.
pub(crate) const LAST: &str = "\u{10FFFF}";

/// Creates a statement that reads at most `page` elements after `after`.
pub(crate) fn one_page(text: &str, after: &str, page: usize, tag: i64) -> Query {
    let page = i64::try_from(page).unwrap_or(i64::MAX);
    parameters::planned_once(text, [("after", after.into()), ("page", page.into()), ("tag", tag.into())])
}

/// Runs a statement page by page. Each page starts after `$after` and returns the `last` element read, or null at the
/// end. Returns the sum of the numbers in the column `written`.
///
/// # Errors
/// Fails if the graph is unavailable or rejects a statement.
pub(crate) async fn all_pages(store: &GraphStore, portion: &Portion, text: &str, tag: i64) -> Result<u64, GraphError> {
    let mut written = 0;
    let mut after = String::new();
    loop {
        let (_, rows) = store.in_portion(portion, usize::MAX, |size| one_page(text, &after, size, tag)).await?;
        written += answer::count(&rows, "written")?;
        let last = rows.first().map(|row| row.get::<Option<String>>("last")).transpose();
        match last.map_err(answer::unreadable)?.flatten() {
            Some(last) => after = last,
            None => return Ok(written),
        }
    }
}
