//! Every parser of external input. The checks of each module must hold for all bytes.
//!
//! The tests are here and not in the parsers' crates, so that those build without a fuzzer.

mod admit;
mod announcements;
mod aws_files;
mod credentials;
mod leases;
mod messages;
mod origins;
mod parked;
mod policy_documents;
mod recordings;
mod redrive_policies;
mod resource_policies;
mod schedules;
mod sizes;
mod statements;
mod texts;
mod throttling;
