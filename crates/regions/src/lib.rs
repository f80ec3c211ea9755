//! What is known of AWS regions without asking AWS: the partition of each, which ones accounts opt into, and which services
//! each offers.

mod generated;
mod offered;
mod opt_in;
mod partition;

pub use offered::{is_offered, offered};
pub use opt_in::{ALWAYS_ENABLED, is_always_enabled};
pub use partition::{default_region, partition_of_region, partitions};
