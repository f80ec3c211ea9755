//! Changes between two recordings: nodes by label and id, edges by type and ends.
//!
//! Reads each recording twice, so that only differences are in memory. The first pass keeps a digest of each node and
//! edge. The second collects those whose digests differ. Scopes that a sync could not see are not compared. A node
//! counts as removed only if every listing that returned it has finished in the later sync. It counts as added only if
//! no listing that returns it failed in the earlier one.

use crate::{
    Event, FormatError, Inventory, Reader,
    rows::{Identity, Row, rows},
};
use events::{Message, Scope, ScopeName, Value};
use siphasher::sip::SipHasher13;
use std::{
    collections::{BTreeMap, BTreeSet, HashMap, HashSet},
    hash::Hasher,
    io::{Read, Seek},
};

/// One of the two recordings, with the result of a first pass.
pub struct Side<'a, R> {
    /// Input to read again.
    pub input: &'a mut R,
    /// Inventory, made without a filter.
    pub inventory: &'a Inventory,
}

/// A recording could not be read again.
#[derive(Debug, thiserror::Error)]
#[error("a recording changed while it was read")]
pub struct DiffError(#[from] FormatError);

/// Kind of a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The element is new.
    Added,
    /// The element no longer exists.
    Removed,
    /// Its properties differ.
    Changed,
}

/// A changed node or edge.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Change {
    /// Identity of the node or edge.
    pub identity: Identity,
    /// Kind of the change.
    pub kind: Kind,
    /// Names of the properties that differ.
    pub properties: Vec<String>,
}

/// Changes between two recordings.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Diff {
    /// Changed nodes and edges, sorted.
    pub changes: Vec<Change>,
    /// Scopes that only the later sync could see.
    pub unseen_before: Vec<String>,
    /// Scopes that only the earlier sync could see.
    pub unseen_after: Vec<String>,
    /// Number of nodes and edges of these scopes that cannot be compared.
    pub not_compared: u64,
}

/// Values of a node's or edge's properties. If several scopes see a node, they may report different values in any
/// order.
#[derive(Default)]
struct Gathered {
    before: Option<Values>,
    after: Option<Values>,
    /// Comes from a scope that the other sync did not see, as do these properties.
    unsure: bool,
    unsure_properties: BTreeSet<String>,
}

type Values = BTreeMap<String, BTreeSet<Vec<u8>>>;

/// Compares two recordings.
///
/// # Errors
/// Fails if a recording cannot be read.
pub fn diff<A: Read + Seek, B: Read + Seek>(mut before: Side<A>, mut after: Side<B>) -> Result<Diff, DiffError> {
    let differing = differing(&mut before, &mut after)?;
    let (earlier, later) = (before.inventory, after.inventory);
    let failed = earlier.failed();
    let is_unseen_after = |scope: &Scope| !later.is_complete(scope);
    let is_unseen_before = |scope: &Scope| later.is_complete(scope) && failed.contains(scope);

    let mut gathered: BTreeMap<Identity, Gathered> = BTreeMap::new();
    let mut add = |row: Row, unsure: bool, side: fn(&mut Gathered) -> &mut Option<Values>| {
        if differing.contains(&row.identity.hash()) {
            let entry = gathered.entry(row.identity.clone()).or_default();
            gather(side(entry).get_or_insert_default(), &row);
            entry.note(unsure, &row);
        }
    };
    each_row(&mut before, |scope, row| add(row, is_unseen_after(scope), |it| &mut it.before))?;
    each_row(&mut after, |scope, row| add(row, is_unseen_before(scope), |it| &mut it.after))?;

    let mut diff = Diff {
        unseen_before: names(later.complete().filter(is_unseen_before)),
        unseen_after: names(earlier.complete().filter(is_unseen_after)),
        ..Diff::default()
    };
    for (identity, gathered) in gathered {
        match gathered.judge() {
            Judgement::Same => {}
            Judgement::Unknown => diff.not_compared += 1,
            Judgement::Differs(kind, properties) => diff.changes.push(Change { identity, kind, properties }),
        }
    }
    Ok(diff)
}

fn names(scopes: impl Iterator<Item = Scope>) -> Vec<String> {
    let mut names: Vec<String> = scopes.map(|scope| ScopeName(&scope).to_string()).collect();
    names.sort_unstable();
    names
}

/// Hashes of the nodes and edges whose digests differ.
fn differing<A: Read + Seek, B: Read + Seek>(
    before: &mut Side<A>,
    after: &mut Side<B>,
) -> Result<HashSet<u128>, FormatError> {
    let mut digests: HashMap<u128, (Option<u64>, Option<u64>)> = HashMap::new();
    // A sum, so that the order of rows does not matter.
    let add = |sum: &mut Option<u64>, row: &Row| *sum = Some(sum.unwrap_or(0).wrapping_add(digest(row)));
    each_row(before, |_, row| add(&mut digests.entry(row.identity.hash()).or_default().0, &row))?;
    each_row(after, |_, row| add(&mut digests.entry(row.identity.hash()).or_default().1, &row))?;
    Ok(digests.into_iter().filter(|(_, (before, after))| before != after).map(|(key, _)| key).collect())
}

fn digest(row: &Row) -> u64 {
    let each = row.properties.iter().filter(|(_, value)| value.kind.is_some()).map(|(name, value)| {
        let mut hasher = SipHasher13::new();
        hasher.write(name.as_bytes());
        hasher.write_u8(0);
        hasher.write(&value.encode_to_vec());
        hasher.finish()
    });
    each.fold(1, u64::wrapping_add)
}

fn each_row<R: Read + Seek>(side: &mut Side<R>, mut give: impl FnMut(&Scope, Row)) -> Result<(), FormatError> {
    let mut reader = Reader::again(side.input)?;
    while let Some(event) = reader.next_event()? {
        let Event::Asset(event, _) = event else { continue };
        if let (true, Some(scope)) = (side.inventory.counts(&event), &event.scope) {
            rows(&event).for_each(|row| give(scope, row));
        }
    }
    Ok(())
}

fn gather(values: &mut Values, row: &Row) {
    for (name, value) in row.properties.iter().filter(|(_, value)| value.kind.is_some()) {
        values.entry((*name).to_owned()).or_default().insert(Value::encode_to_vec(value));
    }
}

enum Judgement {
    Same,
    Unknown,
    Differs(Kind, Vec<String>),
}

impl Gathered {
    fn note(&mut self, unsure: bool, row: &Row) {
        if unsure {
            self.unsure = true;
            self.unsure_properties.extend(row.properties.iter().map(|(name, _)| (*name).to_owned()));
        }
    }

    fn judge(self) -> Judgement {
        match (self.before, self.after) {
            (Some(before), Some(after)) => {
                let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
                let differs = |name: &&&String| {
                    let (was, is) = (before.get(**name), after.get(**name));
                    was != is && !(self.unsure_properties.contains(**name) && (was.is_none() || is.is_none()))
                };
                let changed: Vec<String> = names.iter().filter(differs).map(|name| (*name).clone()).collect();
                if changed.is_empty() { Judgement::Same } else { Judgement::Differs(Kind::Changed, changed) }
            }
            _ if self.unsure => Judgement::Unknown,
            (Some(_), None) => Judgement::Differs(Kind::Removed, Vec::new()),
            (None, _) => Judgement::Differs(Kind::Added, Vec::new()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Filter, sample};
    use events::{AssetEvent, Failure, FailureClass, ScopeStarted, asset_event};
    use expect_test::{Expect, expect};
    use std::{fmt::Write, io::Cursor};

    type Batch = (Vec<events::NodeTable>, Vec<events::EdgeTable>);

    fn vpcs(batch: Batch) -> Vec<AssetEvent> {
        sample::listing(&sample::vpcs(), &["Vpc"], vec![batch])
    }

    fn denied() -> Vec<AssetEvent> {
        let failed = asset_event::Event::Failed(Failure::new(FailureClass::AccessDenied, "no"));
        let started = asset_event::Event::Started(ScopeStarted {});
        [started, failed].map(|event| sample::event(&sample::vpcs(), 1, event)).to_vec()
    }

    fn check(before: &[AssetEvent], after: &[AssetEvent], expected: &Expect) {
        let mut files = [before, after].map(|events| Cursor::new(sample::recording(events, &[])));
        let inventories: Vec<_> = files
            .iter_mut()
            .map(|file| Inventory::read(Reader::again(file).expect("a recording"), &Filter::default()).expect("whole"))
            .collect();
        let [first, second] = &mut files;
        let diff =
            diff(Side { input: first, inventory: &inventories[0] }, Side { input: second, inventory: &inventories[1] });
        let diff = diff.expect("both can be read");
        let mut text = String::new();
        for Change { identity, kind, properties } in &diff.changes {
            writeln!(text, "{kind:?} {identity} {properties:?}").expect("text");
        }
        for (name, scopes) in [("before", &diff.unseen_before), ("after", &diff.unseen_after)] {
            for scope in scopes {
                writeln!(text, "unseen {name}: {scope}").expect("text");
            }
        }
        expected.assert_eq(&format!("{text}{} not compared\n", diff.not_compared));
    }

    #[test]
    fn what_is_new_gone_and_other() {
        let edge = |to: &str| vec![sample::edges("IN", "Vpc", "Vpc", &[("a", to)])];
        check(
            &vpcs((vec![sample::nodes("Vpc", &[("a", "one"), ("b", "two"), ("c", "x")])], edge("b"))),
            &vpcs((vec![sample::nodes("Vpc", &[("c", "x"), ("a", "uno"), ("d", "new")])], edge("d"))),
            &expect![[r#"
                Changed Vpc a ["name"]
                Removed Vpc b []
                Added Vpc d []
                Removed Vpc a -[IN]-> Vpc b []
                Added Vpc a -[IN]-> Vpc d []
                0 not compared
            "#]],
        );
    }

    #[test]
    fn what_a_sync_could_not_see_is_neither_gone_nor_new() {
        let seen = vpcs((vec![sample::nodes("Vpc", &[("a", "one")])], Vec::new()));
        check(
            &seen,
            &denied(),
            &expect![[r"
                unseen after: 1/x/ec2/DescribeVpcs
                1 not compared
            "]],
        );
        check(
            &denied(),
            &seen,
            &expect![[r"
                unseen before: 1/x/ec2/DescribeVpcs
                1 not compared
            "]],
        );
    }

    #[test]
    fn only_the_newest_attempt_counts_and_a_repeat_makes_no_difference() {
        let seen = vpcs((vec![sample::nodes("Vpc", &[("a", "one")])], Vec::new()));
        let old = vpcs((vec![sample::nodes("Vpc", &[("z", "old")])], Vec::new()));
        let second: Vec<_> = seen.iter().map(|event| AssetEvent { attempt: 2, ..event.clone() }).collect();
        let both = [old, second.clone(), second].concat();
        check(&both, &seen, &expect!["0 not compared\n"]);
    }
}
