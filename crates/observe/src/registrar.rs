//! Registers metrics and remembers their descriptions, so that a test can compare them with the documentation.

use crate::labels::Labels;
use prometheus_client::{
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Metric, Registry, Unit},
};
use std::sync::atomic::AtomicU64;

/// Beginning of every name.
const PREFIX: &str = "groma";

/// A counter by labels.
pub type Counters<L> = Family<L, Counter>;
/// Seconds in total by labels.
pub type Seconds<L> = Family<L, Counter<f64, AtomicU64>>;
/// A gauge by labels.
pub type Gauges<L> = Family<L, Gauge>;
/// A histogram of seconds by labels.
pub type Histograms<L> = Family<L, Histogram, Buckets>;

/// Description of a metric.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// Name with its suffixes, as queries use it. A histogram's series have further suffixes.
    pub name: String,
    /// `counter`, `gauge` or `histogram`.
    pub kind: &'static str,
    /// Names of its labels.
    pub labels: &'static [&'static str],
    /// Meaning, as a sentence.
    pub meaning: &'static str,
}

/// Buckets of a histogram of seconds.
#[derive(Debug, Clone, Copy)]
pub struct Buckets {
    first: f64,
    factor: f64,
    count: u16,
}

impl Buckets {
    /// From 10 ms to 3 minutes: answers.
    pub const SHORT: Self = Self { first: 0.01, factor: 4.0, count: 8 };
    /// From 1 second to 4.5 hours: work and waits.
    pub const LONG: Self = Self { first: 1.0, factor: 4.0, count: 8 };
}

impl MetricConstructor<Histogram> for Buckets {
    fn new_metric(&self) -> Histogram {
        Histogram::new(exponential_buckets(self.first, self.factor, self.count))
    }
}

/// Value of a gauge: a count, or the largest value if it is larger.
pub(crate) fn saturated(count: impl TryInto<i64>) -> i64 {
    count.try_into().unwrap_or(i64::MAX)
}

/// Sets a series of a gauge. `None` ends it: an unknown value is absent, not old.
pub(crate) fn show<L: Labels>(gauges: &Gauges<L>, labels: &L, value: Option<i64>) {
    match value {
        Some(value) => {
            gauges.get_or_create(labels).set(value);
        }
        None => {
            gauges.remove(labels);
        }
    }
}

/// Registers metrics. Only series that were recorded are shown.
#[derive(Debug)]
pub struct Registrar {
    registry: Registry,
    described: Vec<Described>,
}

impl Default for Registrar {
    fn default() -> Self {
        Self { registry: Registry::with_prefix(PREFIX), described: Vec::new() }
    }
}

impl Registrar {
    /// Registers `groma_<name>_total`.
    pub fn counter<L: Labels>(&mut self, name: &str, meaning: &'static str) -> Counters<L> {
        self.register::<L, Counters<L>>((name, "_total", "counter"), None, meaning, Family::default())
    }

    /// Registers `groma_<name>_seconds_total`.
    pub fn seconds<L: Labels>(&mut self, name: &str, meaning: &'static str) -> Seconds<L> {
        let named = (name, "_seconds_total", "counter");
        self.register::<L, Seconds<L>>(named, Some(Unit::Seconds), meaning, Family::default())
    }

    /// Registers the gauge `groma_<name>`.
    pub fn gauge<L: Labels>(&mut self, name: &str, meaning: &'static str) -> Gauges<L> {
        self.register::<L, Gauges<L>>((name, "", "gauge"), None, meaning, Family::default())
    }

    /// Registers the gauge `groma_<name>_seconds`: a Unix time.
    pub fn time<L: Labels>(&mut self, name: &str, meaning: &'static str) -> Gauges<L> {
        self.register::<L, Gauges<L>>((name, "_seconds", "gauge"), Some(Unit::Seconds), meaning, Family::default())
    }

    /// Registers the histogram `groma_<name>_seconds`.
    pub fn histogram<L: Labels>(&mut self, name: &str, buckets: Buckets, meaning: &'static str) -> Histograms<L> {
        let named = (name, "_seconds", "histogram");
        let family = Family::new_with_constructor(buckets);
        self.register::<L, Histograms<L>>(named, Some(Unit::Seconds), meaning, family)
    }

    fn register<L: Labels, M: Metric + Clone>(
        &mut self,
        (name, suffix, kind): (&str, &str, &'static str),
        unit: Option<Unit>,
        meaning: &'static str,
        metric: M,
    ) -> M {
        self.described.push(Described { name: format!("{PREFIX}_{name}{suffix}"), kind, labels: L::NAMES, meaning });
        // The registry ends each help text with a full stop.
        let help = meaning.trim_end_matches('.');
        match unit {
            Some(unit) => self.registry.register_with_unit(name, help, unit, metric.clone()),
            None => self.registry.register(name, help, metric.clone()),
        }
        metric
    }

    /// The registry with the registered metrics, and their descriptions.
    pub fn into_parts(self) -> (Registry, Vec<Described>) {
        (self.registry, self.described)
    }
}
