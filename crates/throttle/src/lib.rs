//! Keeps calls within AWS's quotas. AWS throttles with a token bucket for each account, region and API; this crate models
//! those buckets and holds back every attempt, the SDK's retries included, before AWS has to refuse it. When AWS refuses
//! one all the same, that bucket slows down and recovers.
//!
//! Reading order: [`quota`] defines AWS's quotas (each collector has its own), [`pace`] how fast a bucket may be used at a moment, [`limiter`] waits
//! for it, [`request`] and [`answer`] read what goes over the wire, [`connector`] stands between the SDK and its HTTP
//! client.

pub mod answer;
pub mod connector;
pub mod limiter;
pub mod pace;
pub mod quota;
pub mod request;

pub use answer::is_throttle_code;
pub use connector::http_client;
pub use limiter::{Limiter, Limiters};
pub use quota::{Bucket, Quota, Sharing};
pub use request::Api;
