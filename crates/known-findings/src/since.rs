//! The new findings of an answer: those that were not there when findings were remembered after an earlier sync.

use crate::{
    key,
    syncs::{Mark, Sync, marks},
};
use graph::{GraphError, GraphStore, parameters};
use questions::Answer;
use std::{collections::HashSet, fmt, str::FromStr};

/// Number of findings looked up in one statement.
const PAGE: usize = 5_000;
/// Number of syncs that an error names.
const NAMED: usize = 3;
/// Name of the sync before the newest one.
const LAST: &str = "last";

/// A sync to compare with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Since {
    /// The last sync before the newest one after which the findings were remembered.
    Last,
    /// The sync with this id.
    Sync(String),
}

impl FromStr for Since {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            LAST => Ok(Self::Last),
            "" => Err("the id of a sync, or last"),
            id if id.chars().all(|c| c.is_ascii_alphanumeric()) => Ok(Self::Sync(id.to_owned())),
            _ => Err("the id of a sync, or last"),
        }
    }
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Last => f.write_str(LAST),
            Self::Sync(id) => f.write_str(id),
        }
    }
}

/// An answer whose new findings are unknown.
#[derive(Debug, thiserror::Error)]
pub enum SinceError {
    /// The findings were not remembered after the sync.
    #[error("{question}: {}", cause(.since, .newest, .remembered))]
    NotRemembered {
        /// Question.
        question: String,
        /// Sync.
        since: Since,
        /// Id of the newest sync.
        newest: String,
        /// Ids of the newest syncs after which they were remembered.
        remembered: Vec<String>,
    },
    /// The graph cannot be read.
    #[error(transparent)]
    Graph(#[from] GraphError),
}

fn cause(since: &Since, newest: &str, remembered: &[String]) -> String {
    let newest = events::printable(newest);
    match since {
        _ if remembered.is_empty() => {
            "no findings with these parameters were remembered; ask with --remember after each sync".to_owned()
        }
        Since::Last => {
            format!("no findings were remembered after a sync before {newest}; run again after the next sync")
        }
        Since::Sync(id) => {
            let remembered = events::printable(&remembered.join(", "));
            format!("no findings were remembered after sync {id}; they were after {remembered}")
        }
    }
}

/// Keeps the findings of an answer that are new since a sync: unknown ones, those that were gone, and those that were
/// first remembered later. `newest` is the newest sync of the graph.
///
/// # Errors
/// [`SinceError`].
pub async fn new_since<'a>(
    store: &GraphStore,
    answer: Answer<'a>,
    since: &Since,
    newest: &Sync,
) -> Result<Answer<'a>, SinceError> {
    let asked = key::asked(answer.question, &answer.arguments);
    let marks = marks(store, &asked).await?;
    let Some(mark) = chosen(&marks, since, newest) else {
        let remembered = marks.iter().rev().take(NAMED).map(|mark| mark.sync.clone()).collect();
        return Err(SinceError::NotRemembered {
            question: answer.question.name.clone(),
            since: since.clone(),
            newest: newest.id.clone(),
            remembered,
        });
    };
    let mut rows = Vec::new();
    for page in answer.rows.chunks(PAGE) {
        let ids: Vec<String> = page.iter().map(|row| format!("{asked}/{}", answer.finding(row))).collect();
        let known = known(store, &ids, mark.time).await?;
        rows.extend(page.iter().zip(&ids).filter(|(_, id)| !known.contains(*id)).map(|(row, _)| row.clone()));
    }
    Ok(Answer { rows, new_since: Some(mark.sync.clone()), ..answer })
}

fn chosen<'a>(marks: &'a [Mark], since: &Since, newest: &Sync) -> Option<&'a Mark> {
    match since {
        Since::Last => marks.iter().rev().find(|mark| mark.tag < newest.tag),
        Since::Sync(id) => marks.iter().find(|mark| mark.sync == *id),
    }
}

/// Ids of findings that have been there without a break since a time.
async fn known(store: &GraphStore, ids: &[String], time: i64) -> Result<HashSet<String>, GraphError> {
    let text = "UNWIND $ids AS id MATCH (f:GromaFinding {id: id}) \
        WHERE f.gone_seen IS NULL AND f.first_seen <= $time RETURN f.id AS id";
    let rows = store.rows(parameters::query(text, [("ids", parameters::texts(ids)), ("time", time.into())])).await?;
    Ok(rows.iter().map(|row| row.get("id")).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(tag: i64, sync: &str) -> Mark {
        Mark { tag, time: tag * 1_000, sync: sync.into() }
    }

    fn choice(since: &Since, newest: i64) -> Option<i64> {
        let marks = [mark(5, "A"), mark(7, "B"), mark(9, "C")];
        let newest = Sync { id: "X".into(), tag: newest, is_followed: false };
        chosen(&marks, since, &newest).map(|mark| mark.tag)
    }

    #[test]
    fn the_last_sync_is_the_one_before_the_newest() {
        assert_eq!(
            (choice(&Since::Last, 9), choice(&Since::Last, 12), choice(&Since::Last, 5)),
            (Some(7), Some(9), None)
        );
        assert_eq!(choice(&Since::Sync("A".into()), 9), Some(5));
        assert_eq!(choice(&Since::Sync("Z".into()), 9), None);
    }

    #[test]
    fn a_sync_has_an_id_or_is_the_last() {
        assert_eq!("last".parse(), Ok(Since::Last));
        assert_eq!("01JABC".parse(), Ok(Since::Sync("01JABC".into())));
        for wrong in ["", "a b", "x'", "\u{1b}"] {
            assert!(wrong.parse::<Since>().is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn an_error_says_what_to_do() {
        let error = |since, remembered: &[&str]| {
            let remembered = remembered.iter().map(|id| (*id).to_owned()).collect();
            SinceError::NotRemembered { question: "q".into(), since, newest: "C".into(), remembered }.to_string()
        };
        let never = "q: no findings with these parameters were remembered; ask with --remember after each sync";
        assert_eq!(error(Since::Last, &[]), never);
        let once = "q: no findings were remembered after a sync before C; run again after the next sync";
        assert_eq!(error(Since::Last, &["C"]), once);
        let other = "q: no findings were remembered after sync A; they were after C, B";
        assert_eq!(error(Since::Sync("A".into()), &["C", "B"]), other);
    }
}
