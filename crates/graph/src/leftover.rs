//! Recognizes an index that is left over from an interrupted constraint creation. See [`crate::indexes`].

use neo4rs::Error;

/// Name of the leftover index that made a listing fail.
pub(crate) fn leftover(error: &Error) -> Option<String> {
    let Error::Neo4j(error) = error else { return None };
    let (_, rest) = error.message().split_once("IndexProxy[")?;
    let (name, _) = rest.strip_suffix(" is ONLINE")?.split_once("name='")?.1.split_once('\'')?;
    Some(name.to_owned())
}
