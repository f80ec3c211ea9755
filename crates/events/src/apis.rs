//! APIs that a collector calls besides that of its service, by their ids in AWS's settings ("Service-specific
//! endpoints", SDK reference). Broker and collector use the same constants for their endpoints. An API that is not
//! listed uses the service's endpoint.

/// Auto Scaling.
pub const AUTO_SCALING: &str = "auto_scaling";
/// Classic load balancers.
pub const ELASTIC_LOAD_BALANCING: &str = "elastic_load_balancing";
/// Application, network and gateway load balancers.
pub const ELASTIC_LOAD_BALANCING_V2: &str = "elastic_load_balancing_v2";
