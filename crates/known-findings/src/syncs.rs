//! The newest sync of the graph, and the syncs after which a question's findings were remembered.

use graph::{GraphError, GraphStore, parameters};
use neo4rs::Query;

/// A finished sync.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sync {
    /// Id, as `groma sync` prints it.
    pub id: String,
    /// Update tag: Unix seconds, larger than those of earlier syncs.
    pub tag: i64,
    /// Whether a newer sync has begun to write. Findings of its assets may come and go until it ends.
    pub is_followed: bool,
}

/// Returns the newest finished sync. `None`: Groma has finished none in this graph.
///
/// # Errors
/// The graph cannot be read.
pub async fn newest(store: &GraphStore) -> Result<Option<Sync>, GraphError> {
    // The index on `tag` returns the newest first.
    let text = "MATCH (g:GromaSync) WHERE g.tag > 0 AND g.state = 'finished' WITH g ORDER BY g.tag DESC LIMIT 1 \
        RETURN g.id AS id, g.tag AS tag, EXISTS { MATCH (s:GromaScope) WHERE s.tag > g.tag } AS is_followed";
    let rows = store.rows(Query::new(text.to_owned())).await?;
    let sync = rows.first().map(|row| {
        Ok::<_, neo4rs::DeError>(Sync {
            id: row.get("id")?,
            tag: row.get("tag")?,
            is_followed: row.get("is_followed")?,
        })
    });
    Ok(sync.transpose()?)
}

/// A sync after which a question's findings were remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Update tag of the sync.
    pub tag: i64,
    /// First time that the findings were remembered after it, in milliseconds since 1970.
    pub time: i64,
    /// Id of the sync.
    pub sync: String,
}

impl Mark {
    /// Text in the list `marks` of `(:GromaQuestion)`: `TAG TIME SYNC`.
    pub(crate) fn text(&self) -> String {
        format!("{} {} {}", self.tag, self.time, self.sync)
    }

    /// Reads the text. `None`: another program wrote it.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.splitn(3, ' ');
        let mut number = || parts.next().and_then(|part| part.parse().ok());
        let (tag, time) = (number()?, number()?);
        Some(Self { tag, time, sync: parts.next()?.to_owned() })
    }
}

/// Returns the marks of a question, the oldest first. Empty: its findings were never remembered.
///
/// # Errors
/// The graph cannot be read.
pub async fn marks(store: &GraphStore, asked: &str) -> Result<Vec<Mark>, GraphError> {
    let text = "MATCH (q:GromaQuestion {id: $asked}) RETURN coalesce(q.marks, []) AS marks";
    let rows = store.rows(parameters::query(text, [("asked", asked.into())])).await?;
    let texts: Vec<String> = rows.first().map_or(Ok(Vec::new()), |row| row.get("marks"))?;
    let mut marks: Vec<Mark> = texts.iter().filter_map(|text| Mark::read(text)).collect();
    marks.sort_by_key(|mark| (mark.tag, mark.time));
    Ok(marks)
}

#[cfg(test)]
mod tests {
    use super::Mark;

    #[test]
    fn a_mark_is_read_as_it_was_written() {
        let mark = Mark { tag: 17, time: 1_700_000_000_000, sync: "01J A".into() };
        assert_eq!(Mark::read(&mark.text()), Some(mark));
        assert_eq!(Mark::read("17 x 01J"), None);
        assert_eq!(Mark::read("17"), None);
    }
}
