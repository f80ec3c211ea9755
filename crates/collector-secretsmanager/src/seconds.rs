//! Times as properties.

use aws_sdk_secretsmanager::primitives::DateTime;
use collector::Value;

/// Whole seconds since the Unix epoch, as Cartography stores the times of Secrets Manager.
pub(crate) fn seconds(time: Option<&DateTime>) -> Value {
    time.map(DateTime::secs).into()
}
