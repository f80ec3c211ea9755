//! Reads the columns and the order of a query from its last `RETURN`.
//!
//! A query is written for this: `RETURN` and `ORDER BY` begin lines, each column has a name (`AS name`), and the order is a
//! list of columns.

/// Columns and order of a query.
#[derive(Debug, PartialEq, Eq)]
pub struct Returns {
    /// Names of the columns, in order.
    pub columns: Vec<String>,
    /// Columns of the order.
    pub order: Vec<String>,
}

/// A query whose columns or order are unclear.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReturnsError {
    /// No line begins with `RETURN`.
    #[error("no line of the query begins with RETURN")]
    NoReturn,
    /// A column without a name.
    #[error("{0:?} is no column: write `expression AS name`, with a name in lower case")]
    Unnamed(String),
    /// Two columns have the same name.
    #[error("two columns are named {0}")]
    Twice(String),
    /// The query does not end with a line that begins with `ORDER BY`.
    #[error("the query does not end with a line that begins with ORDER BY")]
    NoOrder,
    /// The order is not a list of columns.
    #[error("{0:?} in ORDER BY is no column")]
    Order(String),
}

/// Reads a query. Takes time and memory in proportion to its length.
///
/// # Errors
/// Fails if the query is not written in this way.
pub fn read(cypher: &str) -> Result<Returns, ReturnsError> {
    let begin = line_that_begins(cypher, "RETURN ").ok_or(ReturnsError::NoReturn)?;
    let (items, order) = begin.split_once("\nORDER BY ").ok_or(ReturnsError::NoOrder)?;
    let items = items.strip_prefix("DISTINCT ").unwrap_or(items);
    let mut columns = Vec::new();
    for item in split(items) {
        let name = item.rsplit_once(" AS ").map(|(_, name)| name.trim()).filter(|name| is_name(name));
        let name = name.ok_or_else(|| ReturnsError::Unnamed(item.to_owned()))?.to_owned();
        if columns.contains(&name) {
            return Err(ReturnsError::Twice(name));
        }
        columns.push(name);
    }
    let column = |item: &str| {
        let name = item.strip_suffix(" DESC").unwrap_or(item);
        let name = columns.iter().find(|column| *column == name);
        name.cloned().ok_or_else(|| ReturnsError::Order(item.to_owned()))
    };
    let order = split(order).into_iter().map(column).collect::<Result<_, _>>()?;
    Ok(Returns { columns, order })
}

/// Text after the prefix of the last line that begins with it.
fn line_that_begins<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let at = text.rfind(&format!("\n{prefix}")).map(|at| at + 1).or_else(|| text.starts_with(prefix).then_some(0))?;
    text.get(at + prefix.len()..)
}

/// Whether a text may name a column: lower case, digits and `_`.
pub fn is_name(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_lowercase())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

/// Splits at commas outside of brackets and of quotes.
fn split(text: &str) -> Vec<&str> {
    let (mut parts, mut from, mut depth, mut quote) = (Vec::new(), 0, 0_usize, None);
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (Some(open), _) if open == c => quote = None,
            (None, '\'' | '"' | '`') => quote = Some(c),
            (None, '(' | '[' | '{') => depth += 1,
            (None, ')' | ']' | '}') => depth = depth.saturating_sub(1),
            (None, ',') if depth == 0 => {
                parts.push(text[from..at].trim());
                from = at + 1;
            }
            _ => {}
        }
    }
    parts.push(text[from..].trim());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_in_brackets_and_quotes_divide_no_columns() {
        let text = "MATCH (a)\nRETURN DISTINCT a.id AS account, coalesce(a.b, 'x,y') AS region,\n       [c IN a.c | c] AS list\n\
                    ORDER BY region DESC, account";
        let expected = Returns {
            columns: ["account", "region", "list"].map(str::to_owned).into(),
            order: vec!["region".into(), "account".into()],
        };
        assert_eq!(read(text), Ok(expected));
    }

    #[test]
    fn unclear_queries_are_refused() {
        for (text, error) in [
            ("MATCH (a)", ReturnsError::NoReturn),
            ("RETURN a AS b", ReturnsError::NoOrder),
            ("RETURN a.b\nORDER BY b", ReturnsError::Unnamed("a.b".into())),
            ("RETURN a AS B\nORDER BY b", ReturnsError::Unnamed("a AS B".into())),
            ("RETURN a AS b, c AS b\nORDER BY b", ReturnsError::Twice("b".into())),
            ("RETURN a AS b\nORDER BY size(b)", ReturnsError::Order("size(b)".into())),
        ] {
            assert_eq!(read(text), Err(error), "{text}");
        }
    }
}
