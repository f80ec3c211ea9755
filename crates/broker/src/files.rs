//! Size limits of the AWS files.

pub use ::files::{read, read_text};

/// Limit of a config or credentials file in bytes: about 20,000 profiles, each with a role and a region.
pub const CONFIG: usize = 4 << 20;
/// Limit of a certificate bundle in bytes. A lease carries at most a fifth of it; the rest may be comments.
pub const BUNDLE: usize = 4 << 20;
/// Limit of a token in bytes: STS accepts 20,000 (API reference, `AssumeRoleWithWebIdentity`).
pub const TOKEN: usize = 64 << 10;
