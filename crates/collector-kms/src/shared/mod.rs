//! Helpers of several resource types.

pub(crate) mod keys;
pub(crate) mod seconds;
