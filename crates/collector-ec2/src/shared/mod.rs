//! Code for several types.

pub(crate) mod arn;
pub(crate) mod by_name;
pub(crate) mod existing;
pub(crate) mod in_use;
pub(crate) mod instance_facts;
pub(crate) mod mention;
pub(crate) mod noted;
pub(crate) mod route_table_part;
