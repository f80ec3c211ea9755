//! Nodes of one transaction by Neo4j's internal ids. Each is looked up once, by a label and a key. Statements that
//! write name neither label nor key, so one of them serves all types and Neo4j plans it once.
//!
//! An internal id is valid only within the transaction that looked it up. Neo4j reuses the id of a removed node, but
//! not before every transaction has ended that was open at the removal. The same holds for `elementId`, which contains
//! the internal id: as a text it made unchanged rows 15% slower.

use crate::rows::{self, Cell};
use graph::Transaction;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Internal id of a node (`id()`).
pub(crate) type Element = i64;

/// A label and a property that is indexed on it.
pub(crate) type Key<'a> = (&'a str, &'a str);

/// Results of lookups. A value without nodes has an empty list.
#[derive(Default)]
pub(crate) struct Elements<'a> {
    by_key: HashMap<Key<'a>, HashMap<&'a str, Vec<Element>>>,
    new: HashSet<Element>,
    /// Key values that later nodes may have too: the key does not identify its nodes.
    open: HashSet<(Key<'a>, &'a str)>,
}

impl<'a> Elements<'a> {
    /// Returns the nodes whose key has this value.
    pub(crate) fn get(&self, key: Key<'a>, value: &str) -> &[Element] {
        self.by_key.get(&key).and_then(|values| values.get(value)).map_or(&[], Vec::as_slice)
    }

    /// Adds a node with this value.
    pub(crate) fn add(&mut self, key: Key<'a>, value: &'a str, element: Element) {
        let elements = self.by_key.entry(key).or_default().entry(value).or_default();
        if !elements.contains(&element) {
            elements.push(element);
        }
    }

    /// Adds a node that this transaction created, the only one with this value.
    pub(crate) fn create(&mut self, key: Key<'a>, value: &'a str, element: Element) {
        self.new.insert(element);
        self.add(key, value, element);
    }

    /// Whether this transaction created it. Then only this transaction can have written edges at it.
    pub(crate) fn is_new(&self, element: Element) -> bool {
        self.new.contains(&element)
    }

    /// Whether a later node may have this value too.
    pub(crate) fn is_open(&self, key: Key<'a>, value: &'a str) -> bool {
        self.open.contains(&(key, value))
    }

    /// Forgets a value, so that its nodes are looked up again.
    pub(crate) fn forget(&mut self, key: Key<'a>, value: &str) {
        if let Some(values) = self.by_key.get_mut(&key) {
            values.remove(value);
        }
    }

    fn is_known(&self, key: Key<'a>, value: &str) -> bool {
        self.by_key.get(&key).is_some_and(|values| values.contains_key(value))
    }

    /// Looks up unknown values.
    pub(crate) async fn look_up(
        &mut self,
        transaction: &mut Transaction,
        wanted: BTreeMap<Key<'a>, BTreeSet<&'a str>>,
    ) -> Result<(), neo4rs::Error> {
        for (key, values) in wanted {
            let values: Vec<&str> = values.into_iter().filter(|value| !self.is_known(key, value)).collect();
            let cells =
                values.iter().enumerate().map(|(n, value)| vec![Cell::position(n), Cell::own(*value)]).collect();
            for answer in rows::run(transaction, &text(key), cells).await? {
                let (found, elements): (Vec<usize>, Vec<Element>) = (answer.get("found")?, answer.get("elements")?);
                let identified: Vec<bool> = answer.get("identified")?;
                for ((position, element), identified) in found.into_iter().zip(elements).zip(identified) {
                    self.add(key, values[position], element);
                    if !identified {
                        self.open.insert((key, values[position]));
                    }
                }
            }
            let known = self.by_key.entry(key).or_default();
            for value in values {
                known.entry(value).or_default();
            }
        }
        Ok(())
    }
}

/// Returns the statement that looks nodes up. Without the hint, Neo4j would scan a label that had no nodes at planning
/// time.
pub(crate) fn text((label, property): Key<'_>) -> String {
    format!(
        "UNWIND $rows AS row MATCH (n:`{label}` {{`{property}`: row[1]}}) USING INDEX n:`{label}`(`{property}`) \
         RETURN collect(row[0]) AS found, collect(id(n)) AS elements, \
         collect(coalesce(n.id = row[1], false)) AS identified"
    )
}
