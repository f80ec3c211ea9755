//! A collector's events for one listing, described in a few words.

use events::{
    AssetBatch, AssetEvent, Direction, EdgeFeed, EdgeRow, EdgeTable, Failure, FailureClass, NodeFeed, NodeRow,
    NodeTable, Ownership, Property, Scope, ScopeFinished, ScopeReport, ScopeStarted, SyncId, Value, asset_event::Event,
    value::Kind,
};

/// Returns the sync with this update tag.
pub(crate) fn sync(tag: i64) -> SyncId {
    SyncId { id: format!("sync{tag:05}"), update_tag: tag }
}

/// One listing of one sync.
#[derive(Clone)]
pub(crate) struct Story {
    pub(crate) sync: SyncId,
    pub(crate) scope: Scope,
    pub(crate) attempt: u32,
    batches: Vec<AssetBatch>,
    also_fed_by: Vec<(String, String)>,
    failure: Option<Failure>,
}

/// Returns the listing `ec2/<listing>` of account 1 in region r.
pub(crate) fn story(tag: i64, listing: &str) -> Story {
    let scope =
        Scope { account_id: "1".into(), region: "r".into(), service: "ec2".into(), listing: listing.to_owned() };
    Story { sync: sync(tag), scope, attempt: 1, batches: Vec::new(), also_fed_by: Vec::new(), failure: None }
}

impl Story {
    pub(crate) fn account(mut self, account: &str) -> Self {
        self.scope.account_id = account.into();
        self
    }

    pub(crate) fn region(mut self, region: &str) -> Self {
        self.scope.region = region.into();
        self
    }

    /// Returns the same story in another sync.
    pub(crate) fn again(mut self, tag: i64) -> Self {
        self.sync = sync(tag);
        self
    }

    pub(crate) fn attempt(mut self, attempt: u32) -> Self {
        self.attempt = attempt;
        self
    }

    /// Adds a batch with one table of nodes, `{name: <id>, size: <tag>}`.
    pub(crate) fn nodes(self, label: &str, ids: &[&str]) -> Self {
        let tag = self.sync.update_tag;
        let table = NodeTable {
            label: label.to_owned(),
            ownership: Ownership::Scope.into(),
            properties: vec![
                Property { name: "name".into(), indexed: true },
                Property { name: "size".into(), indexed: false },
            ],
            rows: ids.iter().map(|id| NodeRow { id: (*id).to_owned(), values: vec![text(id), integer(tag)] }).collect(),
            ..NodeTable::default()
        };
        self.table(table)
    }

    /// Adds a batch with this table.
    pub(crate) fn table(mut self, table: NodeTable) -> Self {
        let index = u32::try_from(self.batches.len()).unwrap();
        self.batches.push(AssetBatch { index, nodes: vec![table], edges: Vec::new() });
        self
    }

    /// Adds edges to the last batch, `(source:from)-[:kind]->(target:to)` by `id`.
    pub(crate) fn edges(self, kind: &str, from: &str, to: &str, pairs: &[(&str, &str)]) -> Self {
        self.edges_by(kind, from, to, "id", pairs)
    }

    /// Like [`Self::edges`], with the target matched by another property.
    pub(crate) fn edges_by(mut self, kind: &str, from: &str, to: &str, key: &str, pairs: &[(&str, &str)]) -> Self {
        let row = |(source, target): &(&str, &str)| EdgeRow {
            source_id: (*source).to_owned(),
            target_value: (*target).to_owned(),
            values: Vec::new(),
        };
        self.batches.last_mut().expect("a batch").edges.push(EdgeTable {
            r#type: kind.to_owned(),
            source_label: from.to_owned(),
            direction: Direction::Out.into(),
            target_label: to.to_owned(),
            target_key: key.to_owned(),
            properties: Vec::new(),
            rows: pairs.iter().map(row).collect(),
        });
        self
    }

    /// Returns the batch added last.
    pub(crate) fn last_batch(&mut self) -> &mut AssetBatch {
        self.batches.last_mut().expect("a batch")
    }

    /// Marks the tables of all batches as ones that only add to nodes.
    pub(crate) fn supplements(mut self) -> Self {
        self.batches.iter_mut().flat_map(|batch| &mut batch.nodes).for_each(|table| table.supplements = true);
        self
    }

    /// Declares that `listing` feeds the label too.
    pub(crate) fn also_fed_by(mut self, label: &str, listing: &str) -> Self {
        self.also_fed_by.push((label.to_owned(), format!("ec2/{listing}")));
        self
    }

    /// Ends the listing in a failure.
    pub(crate) fn fails(mut self) -> Self {
        self.failure = Some(Failure::new(FailureClass::AccessDenied, "not allowed to list"));
        self
    }

    /// Returns all published events, in order.
    pub(crate) fn events(&self) -> Vec<AssetEvent> {
        let started = Event::Started(ScopeStarted {});
        let end = match &self.failure {
            Some(failure) => Event::Failed(failure.clone()),
            None => Event::Finished(self.finished()),
        };
        let batches = self.batches.iter().cloned().map(Event::Batch);
        std::iter::once(started).chain(batches).chain([end]).map(|event| self.event(event)).collect()
    }

    pub(crate) fn event(&self, event: Event) -> AssetEvent {
        AssetEvent {
            sync: Some(self.sync.clone()),
            scope: Some(self.scope.clone()),
            attempt: self.attempt,
            event: Some(event),
        }
    }

    /// Returns the collector's report of the listing.
    pub(crate) fn report(&self) -> ScopeReport {
        let ScopeFinished { batches, assets, .. } = self.finished();
        let (scope, failure) = (Some(self.scope.clone()), self.failure.clone());
        ScopeReport { scope, batches, assets, failure, ..ScopeReport::default() }
    }

    fn finished(&self) -> ScopeFinished {
        let own = format!("ec2/{}", self.scope.listing);
        let tables = || self.batches.iter().flat_map(|batch| &batch.nodes);
        let mut labels: Vec<&str> =
            tables().filter(|table| !table.supplements).map(|table| table.label.as_str()).collect();
        labels.extend(self.also_fed_by.iter().map(|(label, _)| label.as_str()));
        labels.extend(LABELS_OF.iter().filter(|(listing, _)| *listing == self.scope.listing).map(|(_, label)| *label));
        labels.sort_unstable();
        labels.dedup();
        let listings = |label: &str| {
            let others = self.also_fed_by.iter().filter(|(fed, _)| fed == label).map(|(_, listing)| listing.clone());
            std::iter::once(own.clone()).chain(others).collect()
        };
        let mut edges: Vec<EdgeFeed> = EDGES_OF
            .iter()
            .filter(|(listing, ..)| *listing == self.scope.listing)
            .map(|(_, kind, from, to)| edge_feed(kind, from, to, &own))
            .collect();
        for table in self.batches.iter().flat_map(|batch| &batch.edges) {
            edges.push(edge_feed(&table.r#type, &table.source_label, &table.target_label, &own));
        }
        ScopeFinished {
            batches: u32::try_from(self.batches.len()).unwrap(),
            assets: tables().map(|table| table.rows.len() as u64).sum(),
            nodes: labels
                .into_iter()
                .map(|label| NodeFeed { label: label.to_owned(), listings: listings(label) })
                .collect(),
            edges,
        }
    }
}

/// Labels that listings feed even if they list nothing, as in a collector's tables.
const LABELS_OF: [(&str, &str); 3] = [("ListA", "A"), ("ListB", "B"), ("ListAToo", "A")];
const EDGES_OF: [(&str, &str, &str, &str); 1] = [("ListA", "TO", "A", "B")];

fn edge_feed(kind: &str, from: &str, to: &str, listing: &str) -> EdgeFeed {
    EdgeFeed {
        r#type: kind.to_owned(),
        from_label: from.to_owned(),
        to_label: to.to_owned(),
        listings: vec![listing.to_owned()],
    }
}

/// A table with one row, which declares the node shared.
pub(crate) fn shared(label: &str, id: &str) -> NodeTable {
    NodeTable {
        label: label.into(),
        ownership: Ownership::Shared.into(),
        rows: vec![NodeRow { id: id.into(), values: Vec::new() }],
        ..NodeTable::default()
    }
}

pub(crate) fn text(text: &str) -> Value {
    Value { kind: Some(Kind::String(text.to_owned())) }
}

pub(crate) fn integer(number: i64) -> Value {
    Value { kind: Some(Kind::Integer(number)) }
}
