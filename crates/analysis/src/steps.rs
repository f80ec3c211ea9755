//! What is computed, in the order in which one step needs another's result.
//!
//! A file of Cypher has one purpose and begins with a comment that says it. The tag that it writes on edges is the
//! greater of the sync's and the edge's, so that an older sync that ends late takes nothing from a newer one.

use crate::stale::{CHUNK, Shapes};
use Work::{Changes, Drain, Pages, Permissions};
use graph::Portion;

/// One thing that is computed.
#[derive(Debug)]
pub struct Step {
    /// What errors and logs call it.
    pub name: &'static str,
    /// How.
    pub work: Work,
    /// Says something about the whole sync, so it is left out when another step failed.
    pub only_after_success: bool,
    /// Elements of one transaction.
    pub(crate) portion: Portion,
}

/// How a step is computed.
#[derive(Debug, Clone, Copy)]
pub enum Work {
    /// A statement that corrects properties of nodes, of at most `$chunk` nodes. Answers `written`, the number of changed
    /// nodes: `$chunk` if there may be more.
    Changes(&'static str),
    /// A statement that draws edges for one page of nodes: those after `$after`, at most `$page`. Answers `written` and
    /// the `last` node of the page; then the edges that no page has drawn are removed.
    Pages {
        /// The statement.
        text: &'static str,
        /// Nodes in a page.
        page: usize,
        /// What only this step draws.
        draws: Shapes<'static>,
    },
    /// A statement that removes at most `$chunk` nodes that are older than `$tag` and answers how many it `removed`.
    Drain(&'static str),
    /// Policies, which Cypher cannot evaluate: [`crate::permissions`].
    Permissions,
}

macro_rules! cypher {
    ($name:literal) => {
        include_str!(concat!("cypher/", $name, ".cypher"))
    };
}

/// All steps. Classic and newer load balancers come before the instances behind them, and those before their groups.
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
