//! Free ports that stay free while a server is down.

use anyhow::bail;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::net::{Ipv4Addr, TcpListener};

/// Below what Linux (32768) and macOS (49152) give to outgoing connections, so that none of those takes the port of a
/// server that a test has stopped and will start again.
const FIRST: u16 = 20_000;
const COUNT: u16 = 12_000;

/// A port of 127.0.0.1 on which nothing listens.
pub(crate) fn free() -> anyhow::Result<u16> {
    // Test processes run side by side, so each looks in another place.
    let start = RandomState::new().build_hasher().finish();
    for step in 0..200_u64 {
        let offset = u16::try_from((start.wrapping_add(step * 7)) % u64::from(COUNT))?;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, FIRST + offset)).is_ok() {
            return Ok(FIRST + offset);
        }
    }
    bail!("no free port of 127.0.0.1 between {FIRST} and {}", FIRST + COUNT)
}
