//! Exit statuses of all Groma commands.

/// Success: everything requested was seen or done.
pub const COMPLETE: u8 = 0;
/// Failure: nothing could be done.
pub const NOTHING_DONE: u8 = 1;
/// Wrong usage. clap uses the same status.
pub const USAGE: u8 = 2;
/// Finished, but some scopes could not be seen.
pub const INCOMPLETE: u8 = 3;
/// Findings of the severity given with `groma ask --fail-on`, or of a higher one.
pub const FINDINGS: u8 = 4;
/// Interrupted by a signal, as shells report it.
pub const INTERRUPTED: u8 = 130;
