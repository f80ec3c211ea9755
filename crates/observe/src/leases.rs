//! Leases of the broker.

use crate::{
    labels::{Service, ServiceOutcome},
    registrar::{Buckets, Counters, Histograms, Registrar},
};
use std::time::Duration;

/// Metrics of leases.
#[derive(Debug)]
pub struct LeaseMetrics {
    leases: Counters<ServiceOutcome>,
    ages: Histograms<Service>,
}

impl LeaseMetrics {
    pub(crate) fn new(registrar: &mut Registrar) -> Self {
        Self {
            leases: registrar
                .counter("leases", "Requests of leases: granted, or the class of the refusal, such as not_allowed."),
            ages: registrar.histogram(
                "lease_age",
                Buckets::LONG,
                "Age of the session when it was leased; new ones are near 0.",
            ),
        }
    }

    /// Records a granted lease, with the time since AWS issued its session. `service` must come from the catalog.
    pub fn granted(&self, service: &str, age: Duration) {
        self.leases.get_or_create(&ServiceOutcome::of(service, "granted")).inc();
        self.ages.get_or_create(&Service::of(service)).observe(age.as_secs_f64());
    }

    /// Records a refusal, with the words for its class. `service` must come from the catalog.
    pub fn refused(&self, service: &str, class: &str) {
        self.leases.get_or_create(&ServiceOutcome::of(service, &class.replace(' ', "_").to_lowercase())).inc();
    }
}
