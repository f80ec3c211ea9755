//! Helpers of several resource types.

pub(crate) mod keys;
