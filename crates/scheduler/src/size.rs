//! Keeps a scheduler's messages below the message limit of the bus.

use events::{Message, RunningRequest, SyncCollected, SyncConcluded};

/// Bytes reserved for the fields around the event and for the headers of a parked message.
const RESERVE: usize = 8 * 1024;
/// Bytes of tag and length before an element; an element is far smaller than 2^21 bytes.
const FRAME: usize = 4;

/// Cuts `collected` until it fits into a message of `most` bytes. Drops the shortest of the long work first, because it
/// only makes the next sync faster. If the names of places out of reach do not fit, the sync does not report itself as
/// whole: without a name, its place would look stale.
pub fn fit(collected: &mut SyncCollected, most: usize) {
    let most = most.saturating_sub(RESERVE);
    let long = std::mem::take(&mut collected.long);
    if collected.encoded_len() > most {
        let names = collected.out_of_reach.len();
        tracing::warn!(names, "too many places are out of reach to name them; no place is reported as stale");
        collected.out_of_reach.clear();
        collected.whole = false;
    }
    collected.long = first_of(long, most.saturating_sub(collected.encoded_len()));
}

/// Widens a request until it fits into a message of `most` bytes, first to all regions, then to all accounts. It may
/// then match a sync that does not overlap, but misses none.
pub fn widen(question: &mut RunningRequest, most: usize) {
    let most = most.saturating_sub(RESERVE);
    if question.encoded_len() > most {
        question.regions.clear();
    }
    if question.encoded_len() > most {
        question.accounts.clear();
    }
}

/// Cuts `concluded` until it fits into a message of `most` bytes: the scope to half of it, then the last groups of unseen
/// scopes.
pub fn fit_concluded(concluded: &mut SyncConcluded, most: usize) {
    let most = most.saturating_sub(RESERVE);
    if let Some(scope) = &mut concluded.scope {
        widen(scope, most / 2);
    }
    let unseen = std::mem::take(&mut concluded.unseen);
    concluded.unseen = first_of(unseen, most.saturating_sub(concluded.encoded_len()));
}

/// The first elements of a list, as many as fit into `room` bytes.
fn first_of<M: Message>(list: Vec<M>, mut room: usize) -> Vec<M> {
    let mut fits = |bytes: usize| room.checked_sub(bytes + FRAME).map(|left| room = left).is_some();
    list.into_iter().take_while(|element| fits(element.encoded_len())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use events::LongWork;

    const MEBIBYTE: usize = 1_048_576;

    /// A message with this many names and places of the longest region and service.
    fn collected(names: usize, long: usize) -> SyncCollected {
        let (region, service) = ("us-isob-northeast-1".to_owned(), "organizations".to_owned());
        let work = |number: usize| LongWork {
            account_id: format!("{number:012}"),
            region: region.clone(),
            service: service.clone(),
            took_milliseconds: u64::MAX - number as u64,
        };
        SyncCollected {
            scopes: u64::MAX,
            long: (0..long).map(work).collect(),
            whole: true,
            out_of_reach: (0..names).map(|number| format!("{number:012}/{region}/{service}")).collect(),
        }
    }

    #[test]
    fn long_work_is_dropped_first_and_then_the_names() {
        for (names, long, most, kept) in [
            (8_000, 5_000, MEBIBYTE, Some(8_000)),
            (8_000, 50_000, MEBIBYTE, Some(8_000)),
            (100_000, 5_000, MEBIBYTE, None),
            (1_000, 5_000, 64 << 10, Some(1_000)),
            (8_000, 5_000, 64 << 10, None),
            (8_000, 5_000, 0, None),
        ] {
            let mut fitted = collected(names, long);
            fit(&mut fitted, most);
            assert!(fitted.encoded_len() <= most.saturating_sub(RESERVE).max(16), "{names}, {long}, {most}");
            assert_eq!((fitted.whole, fitted.out_of_reach.len()), (kept.is_some(), kept.unwrap_or(0)));
            assert!(fitted.long == collected(names, long).long[..fitted.long.len()], "the longest stay");
            assert!(fitted.long.len() > 900 || most < MEBIBYTE, "{}", fitted.long.len());
        }
    }

    #[test]
    fn what_fits_is_kept() {
        let mut kept = collected(1_000, 5_000);
        fit(&mut kept, MEBIBYTE);
        assert_eq!(kept, collected(1_000, 5_000));
    }

    #[test]
    fn a_question_with_too_many_names_asks_for_all() {
        let names = |count: usize| (0..count).map(|number| format!("{number:012}")).collect::<Vec<_>>();
        for (accounts, regions, widened) in
            [(1_000, 30, (1_000, 30)), (3_000, 2_000, (3_000, 0)), (5_000, 30, (0, 0)), (5_000, 0, (0, 0))]
        {
            let (accounts, regions) = (names(accounts), names(regions));
            let mut question = RunningRequest { accounts, regions, ..RunningRequest::default() };
            widen(&mut question, 64 << 10);
            assert_eq!((question.accounts.len(), question.regions.len()), widened);
        }
    }
}
