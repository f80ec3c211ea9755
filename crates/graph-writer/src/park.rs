//! Parks the rows left out of a batch, each as a separate event.

use crate::flaws::Refused;
use bus::{Bus, Outgoing, PublishError};
use events::{Message, asset_event::Event, subjects};
use observe::metrics;

/// Limit of rows of one message that are parked one by one; further ones are only counted.
const MOST: usize = 100;

/// Parks the rows of the message at `sequence` in the assets stream. A repeat parks them under the same ids.
///
/// # Errors
/// The bus is unavailable.
pub(crate) async fn park(bus: &Bus, sequence: u64, rows: &[Refused]) -> Result<(), PublishError> {
    for Refused { reason, row } in rows.iter().take(MOST) {
        tracing::warn!(sequence, reason, "Neo4j cannot store a row; parked it");
        let part = match &row.event {
            Some(Event::Batch(batch)) => batch.index.to_string(),
            _ => String::new(),
        };
        let (subject, payload) = (subjects::asset(row), row.encode_to_vec());
        let parked = Outgoing::parked_part(bus::ASSETS, sequence, &part, &subject, reason, payload, bus.most_bytes());
        bus.publish(parked).await?;
    }
    if !rows.is_empty() {
        metrics().events.rows_parked(rows.len());
    }
    if rows.len() > MOST {
        tracing::warn!(sequence, more = rows.len() - MOST, "further rows of the message are not parked");
    }
    Ok(())
}
