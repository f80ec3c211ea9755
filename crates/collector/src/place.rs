//! Where a listing looks: the constants of all its rows.

/// Account and region that a listing runs in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// 12 digits.
    pub account_id: String,
    /// Profile or organization name of the account.
    pub account_name: String,
    /// `aws`, `aws-cn` or `aws-us-gov`.
    pub partition: String,
    /// Region, or `global` for a service without regions.
    pub region: String,
    /// Region that clients of global services sign for.
    pub home_region: String,
}

impl Place {
    /// `arn:<partition>:<service>:<region>:<account>:<resource>`.
    pub fn arn(&self, service: &str, resource: &str) -> String {
        format!("arn:{}:{service}:{}:{}:{resource}", self.partition, self.region, self.account_id)
    }

    /// `arn:<partition>:iam::<account>:<resource>`.
    pub fn iam_arn(&self, resource: &str) -> String {
        format!("arn:{}:iam::{}:{resource}", self.partition, self.account_id)
    }

    /// Region to connect to.
    pub fn client_region(&self) -> &str {
        if self.region == events::GLOBAL { &self.home_region } else { &self.region }
    }
}
