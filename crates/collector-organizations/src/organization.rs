//! The organization, and its part that is visible from an account: `DescribeOrganization`, which every member may call,
//! and the tree below it -> `(:AWSOrganization)`.
//!
//! The tree is listed for the management account and for delegated administrators. Organizations denies it to other
//! members in its own words, and there is nothing to list. Any other denial (by IAM, by a policy of the organization,
//! without a message) is a failure: when a delegated administrator loses the permission, the tree that it listed must
//! stay.

use crate::{account, organizational_unit, root, tree};
use aws_sdk_organizations::{
    Client,
    error::{ProvideErrorMetadata, SdkError},
    operation::{describe_organization::DescribeOrganizationError, list_roots::ListRootsError},
    types::{Organization, Root},
};
use collector::{CollectError, Collecting, Listing, Node, Sink, copied, indexed, paged, prop};

/// Organizations, while a surveyed account may list them.
pub(crate) static ORGANIZATION: Node<Organization> = Node {
    extra_labels: &["Tenant"],
    id: |it, _| it.id().unwrap_or_default().to_owned(),
    props: &[
        indexed("arn", |it, _| it.arn().into()),
        prop("feature_set", |it, _| it.feature_set().map(|set| set.as_str()).into()),
        prop("management_account_arn", |it, _| it.master_account_arn().into()),
        indexed("management_account_id", |it, _| it.master_account_id().into()),
        prop("management_account_email", |it, _| it.master_account_email().into()),
    ],
    ontology: &[copied("_ont_name", "id")],
    ..Node::of("AWSOrganization")
};

/// Listing of the organization's tree. Its name is that of the first call.
pub(crate) const LISTING: Listing<Client> = Listing {
    name: "DescribeOrganization",
    actions: &[
        "organizations:DescribeOrganization",
        "organizations:ListRoots",
        "organizations:ListOrganizationalUnitsForParent",
        "organizations:ListAccountsForParent",
    ],
    feeds: &[&ORGANIZATION, &root::ROOT, &organizational_unit::UNIT, &account::ACCOUNT, &account::ROOT_PRINCIPAL],
    collect,
};

fn collect<'a>(organizations: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let Some(organization) = organization(organizations).await? else { return Ok(()) };
        let manages = organization.master_account_id() == Some(&*sink.place().account_id);
        let Some(roots) = roots(organizations, manages).await? else { return Ok(()) };
        sink.emit(&ORGANIZATION, &organization).await?;
        let id = organization.id().unwrap_or_default();
        for root in roots {
            tree::walk(organizations, id, root, sink).await?;
        }
        Ok(())
    })
}

/// Returns the account's organization; `None` if it is not in one.
async fn organization(organizations: &Client) -> Result<Option<Organization>, CollectError> {
    let in_none = |error: &DescribeOrganizationError| error.is_aws_organizations_not_in_use_exception();
    match organizations.describe_organization().send().await {
        Ok(answer) => answer.organization.map(Some).ok_or_else(|| CollectError::without("an organization")),
        Err(error) if error.as_service_error().is_some_and(in_none) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Lists the roots (AWS has one per organization). Returns `None` if the account is a member that may not list them.
async fn roots(organizations: &Client, manages: bool) -> Result<Option<Vec<Root>>, CollectError> {
    let mut roots = Vec::new();
    let mut pages = paged!(organizations.list_roots().max_results(tree::PAGE), next_token);
    while let Some(page) = pages.next().await {
        match page {
            Ok(page) => roots.extend(page.roots.into_iter().flatten()),
            Err(error) if !manages && is_a_members(&error) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
    }
    Ok(Some(roots))
}

/// Message of Organizations to a member that neither manages the organization nor is a delegated administrator.
const A_MEMBERS: &str = "You don't have permissions to access this resource";

/// Whether Organizations denied the call to such a member.
fn is_a_members<R>(error: &SdkError<ListRootsError, R>) -> bool {
    error.as_service_error().is_some_and(|error| {
        error.is_access_denied_exception() && error.message().is_some_and(|message| message.contains(A_MEMBERS))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canned::{self, Answer, Canned, HERE, listed};
    use aws_sdk_organizations::types::OrganizationFeatureSet;
    use collector::testing::{place, render};
    use events::FailureClass;
    use expect_test::expect;

    const BY_ORGANIZATIONS: &str = "You don't have permissions to access this resource.";
    const BY_IAM: &str = "User: arn:aws:sts::111111111111:assumed-role/r/s is not authorized to perform: \
                          organizations:ListRoots on resource: * because no identity-based policy allows it";

    #[test]
    fn an_organization() {
        let organization = Organization::builder()
            .id("o-1")
            .arn("arn:aws:organizations::111111111111:organization/o-1")
            .feature_set(OrganizationFeatureSet::All)
            .master_account_arn("arn:aws:organizations::111111111111:account/o-1/111111111111")
            .master_account_id("111111111111")
            .master_account_email("hub@example.com")
            .build();
        expect![[r#"
            (:AWSOrganization:Tenant {id: "o-1"})
              arn (indexed) = "arn:aws:organizations::111111111111:organization/o-1"
              feature_set = "ALL"
              management_account_arn = "arn:aws:organizations::111111111111:account/o-1/111111111111"
              management_account_id (indexed) = "111111111111"
              management_account_email = "hub@example.com"
              _ont_name (indexed) = "o-1"
              _ont_source = "aws"
        "#]]
        .assert_eq(&render(&ORGANIZATION, &organization, &[]));
    }

    /// Result of a listing when `ListRoots` is denied with this message. The account may be the management account.
    async fn refused(management_account: &'static str, words: &'static str) -> Result<usize, CollectError> {
        let server = Canned::new(move |call, _| match call {
            "DescribeOrganization" => canned::organization(management_account),
            _ => Answer::Refused("AccessDeniedException", words),
        });
        let mut sink = Sink::to_memory(place());
        collect(&server.client(), &mut sink).await?;
        Ok(sink.into_batches().await?.len())
    }

    #[tokio::test]
    async fn a_member_has_nothing_to_list_and_a_missing_permission_is_a_failure() {
        assert_eq!(refused("999999999999", BY_ORGANIZATIONS).await, Ok(0));
        let member = "999999999999";
        for (management_account, words) in
            [(HERE, BY_ORGANIZATIONS), (HERE, BY_IAM), (member, BY_IAM), (member, ""), (member, "Access denied")]
        {
            let error = refused(management_account, words).await.expect_err("a failure");
            assert_eq!(error.class, FailureClass::AccessDenied, "{words}");
            assert!(error.message.ends_with(words), "{}", error.message);
        }
    }

    #[tokio::test]
    async fn an_account_outside_any_organization_has_nothing_to_list() {
        let error = |code| Canned::new(move |_, _| Answer::Refused(code, "no"));
        let nothing = listed(&error("AWSOrganizationsNotInUseException")).await;
        assert_eq!(nothing, Ok(String::new()));
        let denied = listed(&error("AccessDeniedException")).await.expect_err("a failure");
        assert_eq!(denied.class, FailureClass::AccessDenied);
        let broken = listed(&error("ServiceException")).await.expect_err("a failure");
        assert_eq!(broken.class, FailureClass::Service);
    }
}
