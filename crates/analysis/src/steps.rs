//! The steps of the analysis, in an order in which each one has the results that it needs.
//!
//! A Cypher file has one purpose and begins with a comment about it. The tag on its edges is the larger one of the
//! sync's and the edge's, so that an older sync that ends late takes nothing from a newer one.

use crate::stale::{CHUNK, Shapes};
use Work::{Changes, Drain, Pages, Permissions};
use graph::Portion;

/// A step of the analysis.
#[derive(Debug)]
pub struct Step {
    /// Name in errors and logs.
    pub name: &'static str,
    /// Kind of computation.
    pub work: Work,
    /// Makes a statement about the whole sync, so it is skipped if another step failed.
    pub only_after_success: bool,
    /// Number of elements per transaction.
    pub(crate) portion: Portion,
}

/// Kind of computation of a step.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    /// A statement that corrects properties of at most `$chunk` nodes. Returns `written`, the number of changed nodes:
    /// `$chunk` if there may be more.
    Changes(&'static str),
    /// A statement that writes edges for one page of nodes: at most `$page`, after `$after`. Returns `written` and the
    /// `last` node of the page. Afterwards, edges that no page has written are removed.
    Pages {
        /// Cypher text.
        text: &'static str,
        /// Nodes per page.
        page: usize,
        /// Edges that only this step writes.
        draws: Shapes<'static>,
    },
    /// A statement that removes at most `$chunk` nodes that are older than `$tag`. Returns their number as `removed`.
    Drain(&'static str),
    /// Policies, which Cypher cannot evaluate: [`crate::permissions`].
    Permissions,
}

macro_rules! cypher {
    ($name:literal) => {
        include_str!(concat!("cypher/", $name, ".cypher"))
    };
}

/// All steps. Load balancers of both generations come before the instances behind them, and these before their groups.
pub static STEPS: &[Step] = &ALL;

static ALL: [Step; 16] = [
    Step::new("foreign_accounts", Changes(cypher!("foreign_accounts"))),
    Step::new("organization_members", Changes(cypher!("organization_members"))),
    Step::new("organization_leavers", Changes(cypher!("organization_leavers"))),
    Step::new(
        "instance_roles",
        Pages {
            text: cypher!("instance_roles"),
            page: 2_000,
            draws: Shapes {
                from: "AWSEC2Instance",
                ends: &[("ASSUMES", "AWSRole"), ("STS_ASSUMEROLE_ALLOW", "AWSRole")],
            },
        },
    ),
    Step::new(
        "load_balancer_network_acls",
        Pages {
            text: cypher!("load_balancer_network_acls"),
            page: 1_000,
            draws: Shapes { from: "AWSEC2NetworkAcl", ends: &[("PROTECTS", "AWSLoadBalancerV2")] },
        },
    ),
    Step::new(
        "load_balancer_addresses",
        Pages {
            text: cypher!("load_balancer_addresses"),
            page: 200,
            draws: Shapes { from: "AWSLoadBalancerV2", ends: &[("EXPOSE", "AWSEC2PrivateIp")] },
        },
    ),
    Step::new("exposed_load_balancers_v2", Changes(cypher!("exposed_load_balancers_v2"))),
    Step::new("exposed_load_balancers", Changes(cypher!("exposed_load_balancers"))),
    Step::new("exposed_instances", Changes(cypher!("exposed_instances"))),
    Step::new("exposed_auto_scaling_groups", Changes(cypher!("exposed_auto_scaling_groups"))),
    Step::new(
        "load_balancer_containers",
        Pages {
            text: cypher!("load_balancer_containers"),
            page: 200,
            draws: Shapes { from: "AWSLoadBalancerV2", ends: &[("EXPOSE", "AWSECSContainer")] },
        },
    ),
    Step::new("key_pairs", Changes(cypher!("key_pairs"))),
    Step::new(
        "matching_key_pairs",
        Pages {
            text: cypher!("matching_key_pairs"),
            page: 100,
            draws: Shapes { from: "AWSEC2KeyPair", ends: &[("MATCHING_FINGERPRINT", "AWSEC2KeyPair")] },
        },
    ),
    Step::new("permissions", Permissions),
    Step::new("forgotten_principals", Drain(cypher!("forgotten_principals"))),
    Step { only_after_success: true, ..Step::new("sync_metadata", Changes(cypher!("sync_metadata"))) },
];

impl Step {
    const fn new(name: &'static str, work: Work) -> Self {
        let most = match work {
            Pages { page, .. } => page,
            _ => CHUNK,
        };
        Self { name, work, only_after_success: false, portion: Portion::new(most) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn every_step_has_a_name_of_its_own() {
        let names: HashSet<&str> = STEPS.iter().map(|step| step.name).collect();
        assert_eq!(names.len(), STEPS.len());
    }

    #[test]
    fn every_file_says_first_what_it_computes() {
        for step in STEPS {
            let (Changes(text) | Drain(text) | Pages { text, .. }) = step.work else { continue };
            assert!(text.starts_with("// ") && text.contains('.'), "{}", step.name);
        }
    }
}
