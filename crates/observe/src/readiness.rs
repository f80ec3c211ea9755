//! Readiness of the process, as `/readyz` tells it.

use crate::{
    labels::NoLabels,
    registrar::{Gauges, Registrar},
};

/// Metrics of readiness.
#[derive(Debug)]
pub struct ReadinessMetrics {
    ready: Gauges<NoLabels>,
}

impl ReadinessMetrics {
    pub(crate) fn new(registrar: &mut Registrar) -> Self {
        Self { ready: registrar.gauge("ready", "1 if `/readyz` answers 200, else 0.") }
    }

    /// Records whether all parts are ready.
    pub fn is(&self, ready: bool) {
        self.ready.get_or_create(&NoLabels).set(i64::from(ready));
    }
}
