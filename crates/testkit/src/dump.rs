//! A graph as text for comparisons: one sorted line per node and edge. Leaves out data that differs whenever the same
//! graph is written: `firstseen`, and names that begin with `_module_` or `Groma`.

use crate::Neo4j;
use serde_json::Value;

/// Cypher for all properties as `name=value`; items of a list in turn.
const PROPERTIES: &str = "[k IN keys(it) WHERE k <> 'firstseen' AND NOT k STARTS WITH '_module_' | k + '=' + \
    CASE WHEN valueType(it[k]) STARTS WITH 'LIST' THEN reduce(text = '[', item IN it[k] | text + toString(item) + ';') + ']' \
    ELSE toString(it[k]) END]";

impl Neo4j {
    /// Dumps all nodes and edges except Groma's bookkeeping.
    ///
    /// # Errors
    /// Fails if Neo4j does not answer.
    pub async fn dump(&self) -> anyhow::Result<String> {
        let own = |variable: &str| format!("NONE(label IN labels({variable}) WHERE label STARTS WITH 'Groma')");
        let nodes = format!("MATCH (it) WHERE {} RETURN labels(it) AS words, {PROPERTIES} AS properties", own("it"));
        let edges = format!(
            "MATCH (a)-[it]->(b) WHERE {} AND {} AND NOT type(it) STARTS WITH '_module_' \
             RETURN [type(it), a.id, b.id] AS words, labels(a) AS from, labels(b) AS to, {PROPERTIES} AS properties",
            own("a"),
            own("b")
        );
        let mut lines: Vec<String> = self.rows(&nodes).await?.iter().map(node).collect();
        lines.extend(self.rows(&edges).await?.iter().map(edge));
        lines.sort();
        Ok(lines.into_iter().map(|line| line + "\n").collect())
    }
}

fn node(row: &Value) -> String {
    format!("(:{}) {}", sorted(&row["words"]).join(":"), sorted(&row["properties"]).join(", "))
}

fn edge(row: &Value) -> String {
    let word = |position: usize| row["words"][position].as_str().unwrap_or("?");
    let end = |name: &str, id: &str| format!("(:{} {id})", sorted(&row[name]).join(":"));
    let (from, to) = (end("from", word(1)), end("to", word(2)));
    format!("{from}-[:{}]->{to} {}", word(0), sorted(&row["properties"]).join(", "))
}

fn sorted(texts: &Value) -> Vec<&str> {
    let mut texts: Vec<&str> = texts.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    texts.sort_unstable();
    texts
}
