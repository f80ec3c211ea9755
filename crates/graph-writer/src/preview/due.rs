//! Computes the kinds that cleanup would find due, from the graph's scopes and the future state of this sync's scopes.

use super::Preview;
use crate::{
    areas::{self, Area, Known, Standing},
    due::Due,
    feeds::Catalog,
    scope_store::StoredScope,
    scopes::Progress,
};
use graph::GraphError;
use std::collections::BTreeMap;

/// Number of areas read together.
const TOGETHER: usize = 100;

impl Preview {
    pub(super) async fn due(&self) -> Result<Due, GraphError> {
        let mut catalog = Catalog::load(&self.store).await?;
        catalog.extend(&self.feeds);
        let mut own = BTreeMap::<String, Vec<&StoredScope>>::new();
        for stored in self.states.values().filter(|stored| stored.state.run.sync == self.sync.id) {
            own.entry(format!("{}/{}", stored.scope.account_id, stored.scope.region)).or_default().push(stored);
        }
        let mut due = Due::default();
        let names: Vec<String> = own.keys().cloned().collect();
        for names in names.chunks(TOGETHER) {
            let there = areas::read(&self.store, &self.sync, names).await?;
            let mut there: BTreeMap<String, Area> = there.into_iter().map(|area| (area.name.clone(), area)).collect();
            for name in names {
                let mut area = there.remove(name).unwrap_or_else(|| Area { name: name.clone(), scopes: Vec::new() });
                let known: Vec<Known> = own[name].iter().map(|stored| foreseen(stored)).collect();
                area.scopes.retain(|scope| known.iter().all(|own| own.name != scope.name));
                area.scopes.extend(known);
                due.add(&area, &catalog);
            }
        }
        Ok(due)
    }
}

/// Returns the future state of a scope.
fn foreseen(StoredScope { scope, state }: &StoredScope) -> Known {
    let standing = match state.progress() {
        Progress::Complete if state.since < state.run.tag => Standing::Complete,
        Progress::Complete => Standing::First,
        _ => Standing::Unseen,
    };
    let feeds = state.feeds.as_ref().map(|fed| fed.id.clone());
    Known { name: format!("{}/{}", scope.service, scope.listing), standing, feeds, brought: state.brought.clone() }
}
