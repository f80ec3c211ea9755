//! Runs a listing on given answers.

use super::{Canned, place};
use crate::{Listing, Service, Sink};
use events::AssetBatch;

/// Runs a listing on these answers. Returns its end, with the text of its error, and the batches that it wrote.
///
/// # Panics
/// Panics if the listing makes fewer or more calls than there are answers.
pub async fn run_listing<C>(
    service: &Service<C>,
    listing: &Listing<C>,
    answers: &[&str],
) -> (Result<(), String>, Vec<AssetBatch>) {
    let server = Canned::answering(answers);
    let mut sink = Sink::to_memory(place());
    let ended = (listing.collect)(&(service.connect)(&server.connection()), &mut sink).await;
    assert_eq!(server.requests().len(), answers.len(), "{:?}", server.requests());
    (ended.map_err(|error| error.message), sink.into_batches().await.expect("in memory"))
}
