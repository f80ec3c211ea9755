//! One service.

use crate::Table;
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// A service as its collector declares it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Service {
    /// As in `--services`, in subjects and in work items, e.g. `ec2`.
    pub name: String,
    /// As in text, e.g. `EC2`.
    pub title: String,
    /// Assets that the collector writes, in words for the README.
    pub assets: String,
    /// Whether it has one endpoint for the account instead of one in each region.
    #[serde(default, skip_serializing_if = "is_false")]
    pub global: bool,
    /// Whether every sync collects it, even if `--services` does not name it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub always: bool,
    /// Whether its collector lists the regions that an account has enabled.
    #[serde(default, skip_serializing_if = "is_false")]
    pub lists_regions: bool,
    /// Regions where AWS offers it. `None`: wherever there is EC2.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub regions: Option<Vec<String>>,
    /// Further APIs that the collector calls, by their ids in AWS's settings ("Service-specific endpoints", SDK reference).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apis: Vec<String>,
    /// Cartography's modules that write the same types.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cartography: Vec<String>,
    /// IAM actions of all its calls, sorted: the most that its sessions may do.
    pub actions: Vec<String>,
    /// AWS's quotas; for a call that none of them names, see the crate `throttle`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub quotas: Vec<Quota>,
    /// Classes of error codes that only this service returns. They override the shared ones.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub errors: Vec<ErrorCode>,
    /// Its listings, in the order in which they begin.
    pub listings: Vec<Listing>,
}

/// One AWS operation with all its pages.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listing {
    /// The API operation, e.g. `DescribeSubnets`.
    pub name: String,
    /// IAM actions that it takes.
    pub actions: Vec<String>,
    /// Tables that it fills.
    pub tables: Vec<Table>,
}

/// A token bucket of AWS.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Quota {
    /// Service that requests are signed for.
    pub signed_for: String,
    /// API operations; all that no earlier quota names if empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apis: Vec<String>,
    /// Holds only for calls without filter and page size.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unpaged: bool,
    /// Whether all calls of an API version take from one bucket.
    #[serde(default, skip_serializing_if = "is_false")]
    pub shared: bool,
    /// Burst: calls that a full bucket allows.
    pub size: u32,
    /// Calls per second.
    pub rate: u32,
    /// Calls per second at the start of a process.
    pub start: u32,
    /// Source of the numbers.
    pub source: String,
}

/// The meaning of an error code.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ErrorCode {
    /// AWS's code.
    pub code: String,
    /// Text that the message contains, in lower case; empty for any message.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub saying: String,
    /// Class of the failure, in words.
    pub class: String,
}

impl Service {
    /// The names of its listings.
    pub fn listing_names(&self) -> impl Iterator<Item = &str> {
        self.listings.iter().map(|listing| listing.name.as_str())
    }

    /// All tables of all listings.
    pub fn tables(&self) -> impl Iterator<Item = &Table> {
        self.listings.iter().flat_map(|listing| &listing.tables)
    }
}

impl Listing {
    /// Labels of the nodes that it writes, further labels included, sorted.
    pub fn labels(&self) -> BTreeSet<&str> {
        self.tables.iter().flat_map(Table::labels).collect()
    }

    /// Whether it lists the nodes of a label to which another listing only adds.
    pub fn has_nodes_of(&self, other: &Self) -> bool {
        let added_to = other.tables.iter().filter(|table| table.supplements).map(|table| &table.label);
        let own = |label: &String| self.tables.iter().any(|table| !table.supplements && table.label == *label);
        added_to.into_iter().any(own)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_false(value: &bool) -> bool {
    !*value
}
