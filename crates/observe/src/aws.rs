//! Calls of AWS.

use crate::{
    labels::{Api, ApiOutcome},
    registrar::{Counters, Registrar, Seconds},
};
use std::time::Duration;

/// Metrics of calls.
#[derive(Debug)]
pub struct AwsMetrics {
    calls: Counters<ApiOutcome>,
    waits: Seconds<Api>,
}

/// Answer to one attempt of a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    /// A result.
    Answered,
    /// An error, such as a denial.
    Refused,
    /// A throttle answer.
    Throttled,
    /// An error of AWS itself.
    ServerError,
    /// None: no connection, or no answer in time.
    Failed,
}

impl AwsMetrics {
    pub(crate) fn new(registrar: &mut Registrar) -> Self {
        Self {
            calls: registrar.counter(
                "aws_calls",
                "Attempts of calls of AWS, retries included: answered, refused (an error, such as a denial), throttled, \
                 server_error (an error of AWS itself), failed (no connection, or no answer).",
            ),
            waits: registrar.seconds("aws_wait", "Time that attempts were held back to stay within AWS's quotas."),
        }
    }

    /// Records an attempt that was sent.
    pub fn called(&self, service: &str, api: &str, answer: Answer) {
        let outcome = match answer {
            Answer::Answered => "answered",
            Answer::Refused => "refused",
            Answer::Throttled => "throttled",
            Answer::ServerError => "server_error",
            Answer::Failed => "failed",
        };
        self.calls.get_or_create(&ApiOutcome::of(service, api, outcome)).inc();
    }

    /// Records how long an attempt was held back.
    pub fn waited(&self, service: &str, api: &str, wait: Duration) {
        self.waits.get_or_create(&Api::of(service, api)).inc_by(wait.as_secs_f64());
    }
}
