//! Regions in which a service is offered. Elsewhere its host name does not resolve, and the error looks like a network
//! failure.

use crate::generated::{OFFERED, REGIONS};

/// Whether to call the service in the region. `true` for regions that are newer than the list.
pub fn is_offered(service: &str, region: &str) -> bool {
    let known = OFFERED.iter().find(|(name, _)| *name == service);
    known.is_none_or(|(_, offered)| offered.contains(&region) || !REGIONS.iter().any(|(name, _)| *name == region))
}

/// Regions where AWS offers the service. `None`: wherever there is EC2.
pub fn offered(service: &str) -> Option<&'static [&'static str]> {
    OFFERED.iter().find(|(name, _)| *name == service).map(|(_, regions)| *regions)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_is_called_where_it_is_offered_and_in_regions_that_are_not_known() {
        assert!(is_offered("inspector2", "eu-west-1"));
        assert!(!is_offered("inspector2", "ap-southeast-6"));
        assert!(!is_offered("inspector2", "us-iso-east-1"));
        assert!(is_offered("inspector2", "mars-north-1"));
        assert!(is_offered("ec2", "ap-southeast-6"));
    }
}
