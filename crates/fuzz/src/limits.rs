//! Resource limits of an input. Memory and the number of allocations are limited, because they are the same on every
//! machine. Time is printed only.

use allocation_counter::measure;
use std::{
    fmt,
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    time::{Duration, Instant},
};

/// Cost of one input on this thread.
#[derive(Debug, Clone, Copy, Default)]
pub struct Cost {
    /// Peak of allocated bytes.
    pub bytes: u64,
    /// Number of allocations.
    pub allocations: u64,
    /// Wall-clock time.
    pub time: Duration,
}

/// Measures the cost of `work`, and passes its panic on.
pub fn cost(work: impl FnOnce()) -> Cost {
    let mut outcome = Ok(());
    let start = Instant::now();
    // The counter does not survive unwinding.
    let info = measure(|| outcome = catch_unwind(AssertUnwindSafe(work)));
    let cost = Cost { bytes: info.bytes_max, allocations: info.count_total, time: start.elapsed() };
    outcome.map_or_else(|panic| resume_unwind(panic), |()| cost)
}

/// A limit that grows with the input.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limit {
    /// Part for any input.
    pub(crate) base: u64,
    /// Part for each byte of the input.
    pub(crate) each: u64,
}

impl Limit {
    pub(crate) fn of(self, bytes: usize) -> u64 {
        self.base + self.each * bytes as u64
    }
}

/// Highest cost among a target's inputs.
#[derive(Debug, Default)]
pub(crate) struct Worst {
    pub(crate) inputs: u64,
    spent: Duration,
    bytes: (u64, usize),
    slowest: (Duration, usize),
}

impl Worst {
    pub(crate) fn add(&mut self, cost: Cost, length: usize) {
        self.inputs += 1;
        self.spent += cost.time;
        self.bytes = self.bytes.max((cost.bytes, length));
        self.slowest = self.slowest.max((cost.time, length));
    }
}

impl fmt::Display for Worst {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inputs, spent, bytes: (bytes, large), slowest: (slowest, slow) } = self;
        write!(f, "{inputs} inputs in {:.1} s of checks; ", spent.as_secs_f64())?;
        write!(f, "most memory {} KiB, for {large} bytes; slowest {slowest:.1?}, for {slow} bytes", bytes / 1024)
    }
}
