//! Account and region of a listing: constants of all its rows.

/// Account and region of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Account id: 12 digits.
    pub account_id: String,
    /// Profile or organization name of the account.
    pub account_name: String,
    /// Partition: `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// Region, or `global` for a service without regions.
    pub region: String,
    /// Region for which clients of global services sign.
    pub home_region: String,
}

impl Place {
    /// Formats `arn:<partition>:<service>:<region>:<account>:<resource>`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account_id)
    }

    /// Formats `arn:<partition>:iam::<account>:<resource>`.
    pub fn iam_arn(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition, self.account_id)
    }

    /// Region of the SDK clients.
    pub fn client_region(&self) -> &str {
        if self.region == events::GLOBAL { &self.home_region } else { &self.region }
    }
}
