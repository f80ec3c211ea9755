//! Selects a part of a recording. Excluded assets must never look deleted. Accounts, regions and services are excluded
//! as whole scopes, which the replay does not mention at all. Types are excluded row by row, and then cleanup is
//! disabled.

use events::{AssetBatch, AssetEvent, EdgeTable, NodeTable, Scope, ScopeFinished, asset_event};
use std::collections::BTreeSet;

/// Sets of values to keep. An empty set keeps all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Account ids.
    pub accounts: BTreeSet<String>,
    /// Regions; `global` for services without regions.
    pub regions: BTreeSet<String>,
    /// Names of services.
    pub services: BTreeSet<String>,
    /// Labels of nodes.
    pub types: BTreeSet<String>,
}

impl Filter {
    /// Whether to keep a scope.
    pub fn keeps(&self, scope: &Scope) -> bool {
        self.keeps_place(&scope.account_id, &scope.region, &scope.service)
    }

    /// Whether to keep a service in an account and region.
    pub fn keeps_place(&self, account: &str, region: &str, service: &str) -> bool {
        let passes = |set: &BTreeSet<String>, text: &str| set.is_empty() || set.contains(text);
        passes(&self.accounts, account) && passes(&self.regions, region) && passes(&self.services, service)
    }

    /// Whether rows of a kept scope may be excluded.
    pub fn drops_rows(&self) -> bool {
        !self.types.is_empty()
    }

    /// Removes excluded rows from an event. A batch stays a batch, so that the number of a scope's batches is still
    /// right. `assets` is the number of kept node rows of the scope.
    #[must_use]
    pub fn narrow(&self, event: AssetEvent, assets: u64) -> AssetEvent {
        use asset_event::Event;
        if !self.drops_rows() {
            return event;
        }
        let inner = event.event.map(|inner| match inner {
            Event::Batch(batch) => Event::Batch(self.narrow_batch(batch)),
            // Without feeds nothing is cleaned up, not even nodes with a kept label: excluded rows of another label may
            // have seen them.
            Event::Finished(it) => {
                Event::Finished(ScopeFinished { batches: it.batches, assets, nodes: Vec::new(), edges: Vec::new() })
            }
            other => other,
        });
        AssetEvent { event: inner, ..event }
    }

    fn narrow_batch(&self, batch: AssetBatch) -> AssetBatch {
        let nodes: Vec<NodeTable> = batch.nodes.into_iter().filter(|table| self.keeps_nodes(table)).collect();
        let kept: BTreeSet<&str> = nodes.iter().flat_map(labels).collect();
        let keeps_edges =
            |table: &EdgeTable| self.types.contains(&table.source_label) || kept.contains(table.source_label.as_str());
        let edges = batch.edges.into_iter().filter(keeps_edges).collect();
        AssetBatch { index: batch.index, nodes, edges }
    }

    fn keeps_nodes(&self, table: &NodeTable) -> bool {
        !self.drops_rows() || labels(table).any(|label| self.types.contains(label))
    }

    /// Numbers of kept node and edge rows of a batch.
    pub fn rows(&self, batch: &AssetBatch) -> (u64, u64) {
        let narrowed;
        let batch = if self.drops_rows() {
            narrowed = self.narrow_batch(batch.clone());
            &narrowed
        } else {
            batch
        };
        let nodes = batch.nodes.iter().map(|table| table.rows.len() as u64).sum();
        (nodes, batch.edges.iter().map(|table| table.rows.len() as u64).sum())
    }
}

fn labels(table: &NodeTable) -> impl Iterator<Item = &str> {
    std::iter::once(table.label.as_str()).chain(table.extra_labels.iter().map(String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn of(types: &[&str]) -> Filter {
        Filter { types: types.iter().map(|it| (*it).to_owned()).collect(), ..Filter::default() }
    }

    #[test]
    fn a_scope_is_kept_or_left_out_as_a_whole() {
        let scope = |account: &str, region: &str| sample::scope(account, region, "ec2", "DescribeVpcs");
        let filter = Filter { accounts: ["1".to_owned()].into(), ..Filter::default() };
        assert!(filter.keeps(&scope("1", "x")) && !filter.keeps(&scope("2", "x")));
        let filter = Filter { regions: ["x".to_owned()].into(), ..filter };
        assert!(filter.keeps(&scope("1", "x")) && !filter.keeps(&scope("1", "y")));
        assert!(!Filter { services: ["iam".to_owned()].into(), ..filter }.keeps(&scope("1", "x")));
    }

    #[test]
    fn rows_of_other_types_go_the_batch_stays_and_nothing_permits_cleanup() {
        let events = sample::events();
        let narrowed: Vec<_> = events.iter().map(|event| of(&["Vpc"]).narrow(event.clone(), 1)).collect();
        assert_eq!(narrowed.len(), events.len());
        for event in narrowed {
            match event.event {
                Some(asset_event::Event::Batch(batch)) => {
                    assert!(batch.nodes.iter().all(|table| table.label == "Vpc"), "{batch:?}");
                    assert!(batch.edges.iter().all(|table| table.source_label == "Vpc"), "{batch:?}");
                }
                Some(asset_event::Event::Finished(it)) => assert!(it.nodes.is_empty() && it.edges.is_empty()),
                _ => {}
            }
        }
    }

    #[test]
    fn without_types_an_event_passes_unchanged() {
        for event in sample::events() {
            assert_eq!(Filter::default().narrow(event.clone(), 7), event);
        }
    }
}
