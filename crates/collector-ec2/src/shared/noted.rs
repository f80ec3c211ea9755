//! Ids that listings of a work item note for others.

use collector::Noted;
use std::collections::{BTreeMap, BTreeSet};

/// Ids by name.
pub(crate) type Ids = BTreeMap<String, String>;

/// Ids in use, by the listing that notes them.
#[derive(Debug, Default)]
pub(crate) struct InUse {
    /// Images of instances.
    pub(crate) instances: Noted<BTreeSet<String>>,
    /// Images of launch template versions.
    pub(crate) launch_templates: Noted<BTreeSet<String>>,
    /// Images of launch configurations.
    pub(crate) launch_configurations: Noted<BTreeSet<String>>,
    /// Snapshots that volumes were made from.
    pub(crate) volumes: Noted<BTreeSet<String>>,
    /// Security groups by VPC and name.
    pub(crate) groups: Noted<Ids>,
    /// Launch configurations by name.
    pub(crate) configurations: Noted<Ids>,
}
