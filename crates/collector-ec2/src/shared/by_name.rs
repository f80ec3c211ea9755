//! Ids of resources that other listings mention by a name, which is unique only in its account and region.
//!
//! Classic load balancers name their source security group, auto scaling groups their launch configuration. Cartography
//! links them to any resource of that name in any account and region that it has seen so far. Here the listing that reads
//! the ids [notes](crate::noted) them, and the listing with the names waits for it. Ids that were not noted are requested
//! again.

use crate::{Clients, noted::Ids};
use aws_sdk_autoscaling::types::LaunchConfiguration;
use aws_sdk_ec2::types::SecurityGroup;
use collector::{CollectError, paged};

/// Unique name of a security group in the account and region: AWS's names are unique only in a VPC.
pub(crate) fn group_name(vpc: Option<&str>, name: &str) -> String {
    format!("{} {name}", vpc.unwrap_or_default())
}

/// Ids of security groups by [`group_name`].
pub(crate) fn of_groups(groups: &[SecurityGroup]) -> impl Iterator<Item = (String, String)> {
    groups.iter().filter_map(|it| Some((group_name(it.vpc_id(), it.group_name()?), it.group_id()?.to_owned())))
}

/// ARNs of launch configurations by name.
pub(crate) fn of_launch_configurations(
    configurations: &[LaunchConfiguration],
) -> impl Iterator<Item = (String, String)> {
    let named = |it: &LaunchConfiguration| {
        Some((it.launch_configuration_name()?.to_owned(), it.launch_configuration_arn()?.to_owned()))
    };
    configurations.iter().filter_map(named)
}

/// Returns the ids of the account's and region's security groups by [`group_name`].
///
/// # Errors
/// They were not noted, and AWS does not answer.
pub(crate) async fn groups(clients: &Clients) -> Result<Ids, CollectError> {
    if let Some(known) = clients.in_use.groups.known().await {
        return Ok(known);
    }
    let mut ids = Ids::new();
    let mut pages = paged!(clients.ec2.describe_security_groups().max_results(1000), next_token);
    while let Some(page) = pages.next().await {
        ids.extend(of_groups(page?.security_groups()));
    }
    Ok(ids)
}

/// Returns the ARNs of the account's and region's launch configurations by name.
///
/// # Errors
/// They were not noted, and AWS does not answer.
pub(crate) async fn launch_configurations(clients: &Clients) -> Result<Ids, CollectError> {
    if let Some(known) = clients.in_use.configurations.known().await {
        return Ok(known);
    }
    let mut ids = Ids::new();
    let mut pages = paged!(clients.autoscaling.describe_launch_configurations().max_records(100), next_token);
    while let Some(page) = pages.next().await {
        ids.extend(of_launch_configurations(page?.launch_configurations()));
    }
    Ok(ids)
}

#[cfg(test)]
mod tests {
    use super::{group_name, groups, launch_configurations};
    use crate::canned::Canned;

    const GROUP: &str = "<securityGroupInfo><item><groupId>sg-1</groupId><groupName>web</groupName>\
                         <vpcId>vpc-1</vpcId></item></securityGroupInfo>";

    #[tokio::test]
    async fn what_was_not_noted_is_asked_for() {
        let server = Canned::answering(&[GROUP]);
        let found = groups(&server.clients()).await.expect("answered");
        assert_eq!(found, [(group_name(Some("vpc-1"), "web"), "sg-1".to_owned())].into());
    }

    #[tokio::test]
    async fn what_was_noted_is_not_asked_for() {
        let server = Canned::default();
        let clients = server.clients();
        let mut notes = clients.in_use.configurations.begin().await;
        notes.extend([("web".to_owned(), "arn:1".to_owned())]);
        notes.complete();
        assert_eq!(launch_configurations(&clients).await.expect("known"), [("web".into(), "arn:1".into())].into());
        assert!(server.requests().is_empty());
    }

    #[test]
    fn groups_of_one_name_in_two_vpcs_are_two() {
        assert_ne!(group_name(Some("vpc-1"), "default"), group_name(Some("vpc-2"), "default"));
    }
}
