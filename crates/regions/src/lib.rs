//! Facts about AWS regions that need no call: the partition of each, the regions that accounts opt into, and the
//! services that each offers.

mod generated;
mod offered;
mod opt_in;
mod partition;

pub use offered::{is_offered, offered};
pub use opt_in::{ALWAYS_ENABLED, is_always_enabled};
pub use partition::{default_region, partition_of_region, partitions};
