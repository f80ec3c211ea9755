//! Keeps calls within AWS's quotas. AWS throttles with a token bucket for each account, region and API. This crate models
//! those buckets and delays every attempt, including the SDK's retries, before AWS must refuse it. If AWS still refuses
//! one, that bucket slows down and recovers.
//!
//! Reading order: [`quota`] defines AWS's quotas (each collector has its own), [`pace`] computes a bucket's current rate,
//! [`limiter`] waits for a token, [`request`] and [`answer`] read HTTP messages, [`counted`] counts attempts, [`connector`]
//! wraps the SDK's HTTP client.

pub mod answer;
pub mod connector;
pub mod counted;
pub mod limiter;
pub mod pace;
pub mod quota;
pub mod request;

pub use answer::is_throttle_code;
pub use connector::http_client;
pub use counted::counted;
pub use limiter::{Limiter, Limiters};
pub use quota::{Bucket, Quota, Sharing};
pub use request::{Api, Scope};
