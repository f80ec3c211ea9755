//! The state of a scope as a message, which the graph holds as bytes.

use crate::{
    feeds::Feeds,
    missing::{HeldBatch, Missing},
    run::Run,
    scopes::{Fed, Finish, Rejected, ScopeState},
    short::Shortened,
};
use events::{DecodeError, HeldEdges, Message, ReportedFeeds, RunTotals, ScopeRecord, ShortenedIds, SyncId};

/// Encodes a state without its brought feeds, which have properties of their own.
pub(super) fn encode(state: &ScopeState) -> Vec<u8> {
    let shortened = |(label, ids): (&String, &Shortened)| ShortenedIds {
        label: label.clone(),
        count: ids.count,
        example: ids.example.clone(),
    };
    let record = ScopeRecord {
        sync: Some(sync(&state.run)),
        attempt: state.run.attempt,
        since: state.since,
        applied: state.applied.iter().copied().collect(),
        edge_rows: state.edge_rows,
        held: state.held.iter().map(held).collect(),
        finish: state.finish.map(|Finish { batches, assets }| RunTotals { batches, assets }),
        feeds: state.feeds.as_ref().map(|Fed { run, id }| ReportedFeeds {
            sync: Some(sync(run)),
            attempt: run.attempt,
            id: id.clone(),
        }),
        failure: state.failure.clone(),
        lost: state.lost,
        rejected: state.rejected.rows,
        rejected_example: state.rejected.example.clone(),
        shortened: state.shortened.iter().map(shortened).collect(),
    };
    record.encode_to_vec()
}

/// Decodes a state.
///
/// # Errors
/// The bytes are not a [`ScopeRecord`]: another program has changed the graph.
pub(super) fn decode(bytes: &[u8], brought: Feeds) -> Result<ScopeState, DecodeError> {
    let record = ScopeRecord::decode(bytes)?;
    Ok(ScopeState {
        run: run(record.sync, record.attempt),
        since: record.since,
        applied: record.applied.into_iter().collect(),
        edge_rows: record.edge_rows,
        held: record.held.into_iter().map(missing).collect(),
        finish: record.finish.map(|RunTotals { batches, assets }| Finish { batches, assets }),
        feeds: record.feeds.map(|feeds| Fed { run: run(feeds.sync, feeds.attempt), id: feeds.id }),
        brought,
        failure: record.failure,
        lost: record.lost,
        rejected: Rejected { rows: record.rejected, example: record.rejected_example },
        shortened: record
            .shortened
            .into_iter()
            .map(|ShortenedIds { label, count, example }| (label, Shortened { count, example }))
            .collect(),
    })
}

fn sync(run: &Run) -> SyncId {
    SyncId { id: run.sync.clone(), update_tag: run.tag }
}

fn run(sync: Option<SyncId>, attempt: u32) -> Run {
    let SyncId { id, update_tag } = sync.unwrap_or_default();
    Run { tag: update_tag, sync: id, attempt }
}

fn held((name, missing): (&HeldBatch, &Missing)) -> HeldEdges {
    HeldEdges {
        batch: match name {
            HeldBatch::Index(batch) => Some(*batch),
            HeldBatch::Sequence(_) => None,
        },
        sequence: missing.sequence,
        rows: missing.rows,
        labels: missing.labels.iter().cloned().collect(),
        refused: missing.refused.iter().copied().collect(),
    }
}

fn missing(held: HeldEdges) -> (HeldBatch, Missing) {
    let HeldEdges { batch, sequence, rows, labels, refused } = held;
    let missing =
        Missing { sequence, rows, labels: labels.into_iter().collect(), refused: refused.into_iter().collect() };
    (batch.map_or(HeldBatch::Sequence(sequence), HeldBatch::Index), missing)
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::Failure;
    use proptest::{collection, prelude::*};

    fn runs() -> impl Strategy<Value = Run> {
        (any::<i64>(), "[0-9A-Z]{1,26}", any::<u32>()).prop_map(|(tag, sync, attempt)| Run { tag, sync, attempt })
    }

    fn held_batches() -> impl Strategy<Value = (HeldBatch, Missing)> {
        let numbers = (any::<bool>(), any::<u32>(), any::<u64>(), any::<u64>());
        let sets = (collection::btree_set("[A-Z]{1,3}", 0..3), collection::btree_set(any::<u64>(), 0..3));
        (numbers, sets).prop_map(|((by_index, batch, sequence, rows), (labels, refused))| {
            let name = if by_index { HeldBatch::Index(batch) } else { HeldBatch::Sequence(sequence) };
            (name, Missing { sequence, rows, labels, refused })
        })
    }

    fn shortened() -> impl Strategy<Value = (String, Shortened)> {
        ("[A-Z]{1,3}", any::<u64>(), ".{0,9}").prop_map(|(label, count, example)| (label, Shortened { count, example }))
    }

    prop_compose! {
        fn ends()(
            finish in proptest::option::of((any::<u32>(), any::<u64>())),
            feeds in proptest::option::of((runs(), "[0-9a-f]{32}")),
            failure in proptest::option::of((any::<i32>(), ".{0,9}")),
            lost in any::<bool>(),
        ) -> ScopeState {
            ScopeState {
                finish: finish.map(|(batches, assets)| Finish { batches, assets }),
                feeds: feeds.map(|(run, id)| Fed { run, id }),
                failure: failure.map(|(class, error)| Failure { class, error }),
                lost,
                ..ScopeState::default()
            }
        }
    }

    prop_compose! {
        fn states()(
            ends in ends(),
            run in runs(),
            since in any::<i64>(),
            applied in collection::btree_set(any::<u32>(), 0..5),
            edge_rows in any::<u64>(),
            held in collection::btree_map(any::<u8>(), held_batches(), 0..4),
            rejected in (any::<u64>(), proptest::option::of(".{0,9}")),
            shortened in collection::vec(shortened(), 0..3),
        ) -> ScopeState {
            ScopeState {
                run,
                since,
                applied,
                edge_rows,
                held: held.into_values().collect(),
                rejected: Rejected { rows: rejected.0, example: rejected.1 },
                shortened: shortened.into_iter().collect(),
                ..ends
            }
        }
    }

    proptest! {
        #[test]
        fn a_state_is_read_as_it_was_written(state in states()) {
            prop_assert_eq!(decode(&encode(&state), Feeds::default()), Ok(state));
        }
    }

    #[test]
    fn a_damaged_record_is_an_error() {
        let state = ScopeState { run: Run { tag: 5, sync: "s".into(), attempt: 1 }, ..ScopeState::default() };
        let whole = encode(&state);
        assert!(decode(&whole[..whole.len() - 1], Feeds::default()).is_err());
    }
}
