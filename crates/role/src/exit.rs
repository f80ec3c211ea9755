//! Exit status of every Groma command.

/// All was done, and all that was asked for was seen.
pub const COMPLETE: u8 = 0;
/// Nothing could be done.
pub const NOTHING_DONE: u8 = 1;
/// The command line is wrong; clap answers with the same.
pub const USAGE: u8 = 2;
/// Done, but some scopes could not be seen.
pub const INCOMPLETE: u8 = 3;
/// Interrupted by a signal, as shells report it.
pub const INTERRUPTED: u8 = 130;
