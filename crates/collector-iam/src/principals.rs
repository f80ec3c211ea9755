//! Principals of the account, for listings that make a call for each.
//!
//! IAM's quotas (5,000 users, 500 groups, 5,000 roles per account) limit the list to about a megabyte. It is the only
//! data that this collector keeps for longer than a page.

use aws_sdk_iam::{
    Client,
    operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput,
    types::EntityType::{Group, Role, User},
};
use collector::{CollectError, paged};
use std::collections::HashMap;

/// ARNs of an account's principals.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Principals {
    /// ARNs of users.
    pub(crate) users: Vec<String>,
    /// ARNs of groups.
    pub(crate) groups: Vec<String>,
    /// ARNs of roles.
    pub(crate) roles: Vec<String>,
}

impl Principals {
    /// Lists the principals, a thousand per call.
    ///
    /// # Errors
    /// Fails if a page cannot be read.
    pub(crate) async fn list(iam: &Client) -> Result<Self, CollectError> {
        let kinds = Some(vec![User, Group, Role]);
        let mut pages = paged!(iam.get_account_authorization_details().set_filter(kinds).max_items(1000), marker);
        let mut principals = Self::default();
        while let Some(page) = pages.next().await {
            principals.add(&page?);
        }
        Ok(principals)
    }

    fn add(&mut self, page: &GetAccountAuthorizationDetailsOutput) {
        let users = page.user_detail_list().iter().filter_map(|it| it.arn());
        self.users.extend(users.map(str::to_owned));
        let groups = page.group_detail_list().iter().filter_map(|it| it.arn());
        self.groups.extend(groups.map(str::to_owned));
        let roles = page.role_detail_list().iter().filter_map(|it| it.arn());
        self.roles.extend(roles.map(str::to_owned));
    }

    /// ARNs of groups by name, which is unique in an account.
    pub(crate) fn groups_by_name(&self) -> HashMap<&str, &str> {
        self.groups.iter().map(|arn| (name(arn), arn.as_str())).collect()
    }
}

/// Name in an ARN: `alice` of `arn:aws:iam::111111111111:user/people/alice`. Paths contain slashes, names do not.
pub(crate) fn name(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

#[cfg(test)]
mod tests {
    use super::{GetAccountAuthorizationDetailsOutput, Principals, name};
    use aws_sdk_iam::types::{GroupDetail, RoleDetail, UserDetail};

    #[test]
    fn names_are_what_follows_the_path() {
        assert_eq!(name("arn:aws:iam::111111111111:user/people/ops/alice"), "alice");
        assert_eq!(name("arn:aws:iam::111111111111:group/admins"), "admins");
    }

    #[test]
    fn each_page_adds_its_principals() {
        let mut principals = Principals::default();
        for page in 0..2 {
            principals.add(
                &GetAccountAuthorizationDetailsOutput::builder()
                    .user_detail_list(UserDetail::builder().arn(format!("user/{page}")).build())
                    .group_detail_list(GroupDetail::builder().arn(format!("group/people/{page}")).build())
                    .role_detail_list(RoleDetail::builder().arn(format!("role/{page}")).build())
                    .build(),
            );
        }
        assert_eq!(principals.users, ["user/0", "user/1"]);
        assert_eq!(principals.roles, ["role/0", "role/1"]);
        assert_eq!(principals.groups_by_name()["1"], "group/people/1");
    }
}
