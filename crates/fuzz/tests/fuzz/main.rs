//! Every parser of bytes that somebody else writes. What each module checks must hold whatever the bytes are.
//!
//! Here and not in the crates of the parsers, so that a build of one of these needs no fuzzer.

mod admit;
mod aws_files;
mod credentials;
mod leases;
mod messages;
mod parked;
mod policy_documents;
mod recordings;
mod schedules;
mod statements;
mod texts;
