//! An end of a path.

use crate::node::Node;

/// Begin of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    /// Every address.
    Internet,
    /// An asset.
    Asset(Box<Asset>),
}

/// End of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum To {
    /// Permission to do everything.
    Administrator,
    /// An asset.
    Asset(Box<Asset>),
}

/// An asset of the graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    /// Label that steps name.
    pub label: &'static str,
    /// Node.
    pub node: Node,
    /// Id of its account. `None`: it belongs to no account.
    pub account: Option<String>,
}
