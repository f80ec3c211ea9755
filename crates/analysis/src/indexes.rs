//! Indexes that the steps need.

/// Label and property of the indexes for lookups of the steps. Without one, a step scans the label for each lookup.
/// Create them before the first event: a new index discards the plans of all statements.
pub const INDEXES: [(&str, &str); 6] = [
    ("AWSPrincipal", "arn"),
    ("AWSRole", "arn"),
    ("AWSPolicy", "id"),
    ("AWSEC2KeyPair", "keyfingerprint"),
    ("AWSEC2PrivateIp", "private_ip_address"),
    ("ModuleSyncMetadata", "id"),
];
