//! A parser under test.

use crate::{
    Dice, corpus, cost,
    inputs::{Input, Inputs, Made},
    limits::{Limit, Worst},
};
use parking_lot::Mutex;
use proptest::test_runner::{Config, TestRunner};
use std::{
    panic::{AssertUnwindSafe, catch_unwind, resume_unwind},
    path::PathBuf,
    sync::Arc,
    time::Instant,
};

/// Environment variable with the number of inputs for each target.
const INPUTS: &str = "GROMA_FUZZ_INPUTS";
/// Number of inputs in `cargo test`: a fraction of a second for each target.
const FEW: u32 = 2_000;
/// Time limit for shrinking a failing input, in milliseconds.
const MOST_SHRINK_MILLISECONDS: u32 = 20_000;

/// A parser under test, and the ingredients of its inputs.
pub struct Target {
    name: &'static str,
    directory: PathBuf,
    words: &'static [&'static [u8]],
    well_formed: Option<fn(&mut Dice) -> Vec<u8>>,
    memory: Limit,
    allocations: Limit,
}

/// State of a run.
struct Run {
    check: fn(&[u8]),
    memory: Limit,
    allocations: Limit,
    worst: Mutex<Worst>,
    smallest_failing: Mutex<Option<Vec<u8>>>,
}

impl Target {
    /// A target with this name. Its test and its corpus directory have the same name.
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            directory: corpus::directory(name),
            words: &[],
            well_formed: None,
            memory: Limit { base: 256 << 10, each: 128 },
            allocations: Limit { base: 2_000, each: 32 },
        }
    }

    /// Adds tokens that the parser knows; inputs are composed of them.
    #[must_use]
    pub fn words(self, words: &'static [&'static [u8]]) -> Self {
        Self { words, ..self }
    }

    /// Sets the generator of well-formed inputs. Half of them are altered.
    #[must_use]
    pub fn well_formed(self, make: fn(&mut Dice) -> Vec<u8>) -> Self {
        Self { well_formed: Some(make), ..self }
    }

    /// Limits the peak memory of an input: `base` bytes, plus `each` for each of its bytes. Default: 256 KiB and 128.
    #[must_use]
    pub fn memory(self, base: u64, each: u64) -> Self {
        Self { memory: Limit { base, each }, ..self }
    }

    /// Limits the allocations of an input, as a measure of its work: `base`, plus `each` for each byte. Default: 2,000
    /// and 32.
    #[must_use]
    pub fn allocations(self, base: u64, each: u64) -> Self {
        Self { allocations: Limit { base, each }, ..self }
    }

    /// Checks the corpus, then new inputs: 2,000, or the number in `GROMA_FUZZ_INPUTS`. Prints their cost.
    ///
    /// # Panics
    /// The check panics, or an input exceeds a limit. The smallest such input found is added to the corpus.
    pub fn check(self, check: fn(&[u8])) {
        let start = Instant::now();
        let run = Run {
            check,
            memory: self.memory,
            allocations: self.allocations,
            worst: Mutex::default(),
            smallest_failing: Mutex::default(),
        };
        let saved = corpus::read(&self.directory).expect("the corpus can be read");
        for (name, bytes) in &saved {
            eprintln!("{} {name}", self.name);
            run.one(bytes);
        }
        let seeds = saved.into_iter().map(|(_, bytes)| bytes).collect();
        let inputs = Made(Arc::new(Inputs { seeds, words: self.words, well_formed: self.well_formed }));
        let config = Config {
            cases: count(),
            failure_persistence: None,
            max_shrink_time: MOST_SHRINK_MILLISECONDS,
            max_shrink_iters: u32::MAX,
            ..Config::default()
        };
        let outcome = TestRunner::new(config).run(&inputs, |Input(bytes)| {
            run.noting(&bytes);
            Ok(())
        });
        if let Err(error) = outcome {
            let input = run.smallest_failing.lock().take().unwrap_or_default();
            let path = corpus::save(&self.directory, &input).expect("the corpus can be written");
            panic!("{}: {error}\nThe input is now {}", self.name, path.display());
        }
        println!("{}: {}; {:.1} s in all", self.name, run.worst.lock(), start.elapsed().as_secs_f64());
    }
}

fn count() -> u32 {
    match std::env::var(INPUTS) {
        Ok(text) => text.replace(['_', ','], "").parse().expect("GROMA_FUZZ_INPUTS is a number"),
        Err(_) => FEW,
    }
}

impl Run {
    fn one(&self, bytes: &[u8]) {
        let cost = cost(|| (self.check)(bytes));
        let (memory, allocations) = (self.memory.of(bytes.len()), self.allocations.of(bytes.len()));
        assert!(cost.bytes <= memory, "{} bytes of memory, and {memory} are allowed", cost.bytes);
        assert!(cost.allocations <= allocations, "{} allocations, and {allocations} are allowed", cost.allocations);
        self.worst.lock().add(cost, bytes.len());
    }

    fn noting(&self, bytes: &[u8]) {
        if let Err(panic) = catch_unwind(AssertUnwindSafe(|| self.one(bytes))) {
            let mut smallest = self.smallest_failing.lock();
            if smallest.as_ref().is_none_or(|known| bytes.len() < known.len()) {
                *smallest = Some(bytes.to_vec());
            }
            drop(smallest);
            resume_unwind(panic);
        }
    }
}
