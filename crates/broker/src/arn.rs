//! ARNs of roles.

use std::{fmt, str::FromStr};

/// ARN of a role: `arn:<partition>:iam::<account>:role/<path and name>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RoleArn {
    /// Partition: `aws`, `aws-cn`, `aws-us-gov` …
    pub partition: String,
    /// Account id: 12 digits.
    pub account_id: String,
    /// Name with its path, without a leading slash.
    pub name: String,
}

impl FromStr for RoleArn {
    type Err = NoRoleArn;

    fn from_str(text: &str) -> Result<Self, NoRoleArn> {
        let wrong = || NoRoleArn(text.to_owned());
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "iam", "", account, resource] = parts[..] else { return Err(wrong()) };
        let name = resource.strip_prefix("role/").filter(|name| !name.is_empty()).ok_or_else(wrong)?;
        if !is_account_id(account) || !partition.starts_with("aws") {
            return Err(wrong());
        }
        Ok(Self { partition: partition.to_owned(), account_id: account.to_owned(), name: name.to_owned() })
    }
}

impl fmt::Display for RoleArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "arn:{}:iam::{}:role/{}", self.partition, self.account_id, self.name)
    }
}

/// The text is not the ARN of a role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not the ARN of a role (arn:aws:iam::123456789012:role/name)")]
pub struct NoRoleArn(pub String);

/// Whether the text is an AWS account id.
pub fn is_account_id(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Returns partition and account of any ARN: its second and fifth part.
pub fn partition_and_account(arn: &str) -> Option<(&str, &str)> {
    let mut parts = arn.split(':').skip(1);
    let partition = parts.next()?;
    let account = parts.nth(2)?;
    Some((partition, account))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn role_arns_of_all_partitions() {
        for arn in [
            "arn:aws:iam::111111111111:role/cartography-read-only",
            "arn:aws-cn:iam::111111111111:role/path/to/name",
            "arn:aws-us-gov:iam::111111111111:role/a:b",
        ] {
            assert_eq!(arn.parse::<RoleArn>().map(|role| role.to_string()).as_deref(), Ok(arn));
        }
        for bad in [
            "",
            "cartography-read-only",
            "arn:aws:iam::1111:role/x",
            "arn:aws:iam::111111111111:user/x",
            "arn:aws:iam::111111111111:role/",
            "arn:aws:sts::111111111111:assumed-role/x/y",
        ] {
            assert!(bad.parse::<RoleArn>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_arn_has_a_partition_and_an_account() {
        let arn = "arn:aws-cn:sts::111111111111:assumed-role/x/y";
        assert_eq!(partition_and_account(arn), Some(("aws-cn", "111111111111")));
    }
}
