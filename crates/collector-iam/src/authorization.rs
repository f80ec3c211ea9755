//! Permissions: `GetAccountAuthorizationDetails` returns in pages of a thousand what would otherwise take several calls
//! for each user, group, role and policy.

use crate::{
    Iam,
    group::GROUP,
    inline_policy::{INLINE_POLICY, InlinePolicy},
    managed_policy::{MANAGED_POLICY, ManagedPolicy, default_document},
    role::{ROLE, Role},
    statement::{self, PolicyStatement, STATEMENT},
    trust::{FEDERATED_PRINCIPAL, OTHER_ACCOUNT, OTHER_ROOT_PRINCIPAL, SERVICE_PRINCIPAL, Said},
    trust_policy,
    user::{USER_GRANTS, UserGrants},
};
use aws_sdk_iam::{
    Client,
    operation::get_account_authorization_details::GetAccountAuthorizationDetailsOutput,
    types::{
        AttachedPermissionsBoundary, AttachedPolicy, GroupDetail, ManagedPolicyDetail, PolicyDetail, RoleDetail,
        UserDetail,
    },
};
use collector::{CollectError, Collecting, Details, Listing, Sink, paged, unless_gone};
use events::FailureClass;
use std::{
    collections::{BTreeSet, HashMap},
    time::Duration,
};

/// Listing of principals and policies.
pub(crate) const LISTING: Listing<Iam> = Listing {
    name: "GetAccountAuthorizationDetails",
    actions: &["iam:GetAccountAuthorizationDetails", "iam:GetPolicy", "iam:GetPolicyVersion"],
    feeds: &[
        &USER_GRANTS,
        &GROUP,
        &ROLE,
        &MANAGED_POLICY,
        &INLINE_POLICY,
        &STATEMENT,
        &SERVICE_PRINCIPAL,
        &FEDERATED_PRINCIPAL,
        &OTHER_ACCOUNT,
        &OTHER_ROOT_PRINCIPAL,
    ],
    collect,
};

fn collect<'a>(iam: &'a Iam, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let mut reader = Reader::new(iam.principals().await?.groups_by_name(), sink);
        let mut pages = paged!(iam.sdk.get_account_authorization_details().max_items(1000), marker);
        while let Some(page) = pages.next().await {
            reader.page(&page?).await?;
        }
        reader.attached_meanwhile(&iam.sdk).await
    })
}

/// Converts pages to rows.
struct Reader<'a> {
    /// ARNs of groups by name: users name their groups, but the graph has them by ARN.
    groups: HashMap<&'a str, &'a str>,
    sink: &'a mut Sink,
    said: Said,
    /// ARNs of attached managed policies and of boundaries that no page has described yet.
    awaited: BTreeSet<String>,
    described: BTreeSet<String>,
    /// Roles and policies that could not be read.
    details: Details,
}

impl<'a> Reader<'a> {
    fn new(groups: HashMap<&'a str, &'a str>, sink: &'a mut Sink) -> Self {
        let (awaited, described) = (BTreeSet::new(), BTreeSet::new());
        Self { groups, sink, said: Said::default(), awaited, described, details: Details::default() }
    }

    async fn page(&mut self, page: &GetAccountAuthorizationDetailsOutput) -> Result<(), CollectError> {
        for user in page.user_detail_list() {
            self.user(user).await?;
        }
        for group in page.group_detail_list() {
            self.group(group).await?;
        }
        for role in page.role_detail_list() {
            self.role(role).await?;
        }
        for policy in page.policies() {
            self.policy(policy).await?;
        }
        Ok(())
    }

    async fn user(&mut self, user: &UserDetail) -> Result<(), CollectError> {
        // A missing group was created after the groups were listed: its members come with the next sync.
        let groups = user.group_list().iter().filter_map(|name| self.groups.get(name.as_str()));
        let groups = groups.map(|&arn| arn.to_owned()).collect();
        self.sink.emit(&USER_GRANTS, &UserGrants { detail: user.clone(), groups }).await?;
        self.is_bounded(user.permissions_boundary());
        self.holds(user.arn(), user.attached_managed_policies(), user.user_policy_list()).await
    }

    async fn group(&mut self, group: &GroupDetail) -> Result<(), CollectError> {
        self.sink.emit(&GROUP, group).await?;
        self.holds(group.arn(), group.attached_managed_policies(), group.group_policy_list()).await
    }

    async fn role(&mut self, role: &RoleDetail) -> Result<(), CollectError> {
        let arn = role.arn().unwrap_or_default();
        let trust = trust_policy::read(role.assume_role_policy_document().unwrap_or_default(), self.sink.place());
        let trust = self.details.take(arn, trust.map(Some))?.read().unwrap_or_default();
        self.said.emit(self.sink, &trust.trusted).await?;
        self.sink.emit(&ROLE, &Role { detail: role.clone(), trust }).await?;
        self.is_bounded(role.permissions_boundary());
        self.holds(role.arn(), role.attached_managed_policies(), role.role_policy_list()).await
    }

    /// The policy of a boundary is part of the graph, even if it is attached to no principal.
    fn is_bounded(&mut self, boundary: Option<&AttachedPermissionsBoundary>) {
        let arn = boundary.and_then(|it| it.permissions_boundary_arn()).filter(|arn| !self.described.contains(*arn));
        self.awaited.extend(arn.map(str::to_owned));
    }

    async fn holds(
        &mut self,
        principal: Option<&str>,
        managed: &[AttachedPolicy],
        inline: &[PolicyDetail],
    ) -> Result<(), CollectError> {
        let arns = managed.iter().filter_map(|it| it.policy_arn()).filter(|arn| !self.described.contains(*arn));
        self.awaited.extend(arns.map(str::to_owned));
        for policy in inline {
            let (principal, name) = (principal.unwrap_or_default(), policy.policy_name().unwrap_or_default());
            let inline = InlinePolicy::new(principal, name);
            let statements = self.statements(&inline.id, policy.policy_document().unwrap_or_default())?;
            let inline = InlinePolicy { statements: statements.as_ref().map(Vec::len), ..inline };
            self.sink.emit(&INLINE_POLICY, &inline).await?;
            self.sink.emit_all(&STATEMENT, &statements.unwrap_or_default()).await?;
        }
        Ok(())
    }

    /// Policies that no principal has are not part of the graph.
    async fn policy(&mut self, policy: &ManagedPolicyDetail) -> Result<(), CollectError> {
        let (Some(arn), Some(document)) = (policy.arn(), default_document(policy)) else { return Ok(()) };
        if policy.attachment_count().is_some_and(|count| count > 0) || self.awaited.contains(arn) {
            self.describe(arn, document).await?;
        }
        Ok(())
    }

    async fn describe(&mut self, arn: &str, document: &str) -> Result<(), CollectError> {
        self.awaited.remove(arn);
        self.described.insert(arn.to_owned());
        let statements = self.statements(arn, document)?;
        let policy = ManagedPolicy { arn: arn.to_owned(), statements: statements.as_ref().map(Vec::len) };
        self.sink.emit(&MANAGED_POLICY, &policy).await?;
        self.sink.emit_all(&STATEMENT, &statements.unwrap_or_default()).await
    }

    /// Reads the statements of a document. Returns `None` if it cannot be read; the error is returned at the end of the
    /// listing.
    fn statements(&mut self, policy_id: &str, document: &str) -> Result<Option<Vec<PolicyStatement>>, CollectError> {
        let statements = statement::read(policy_id, document);
        Ok(self.details.take(policy_id, statements.map(Some))?.read())
    }

    /// Fetches policies that were attached while the pages were read, after their own page was read.
    async fn attached_meanwhile(mut self, iam: &Client) -> Result<(), CollectError> {
        for arn in std::mem::take(&mut self.awaited) {
            if let Some(document) = self.details.take(&arn, fetch(iam, &arn).await)?.read() {
                self.describe(&arn, &document).await?;
            }
        }
        self.details.end()
    }
}

/// Number of requests for a policy's default version, which may be replaced before it is read.
const ATTEMPTS: u32 = 5;
/// Pause between two requests: IAM's responses may lag behind each other.
const PAUSE: Duration = Duration::from_secs(1);

/// Fetches the default version of a policy. Returns `None` if the policy was deleted.
async fn fetch(iam: &Client, arn: &str) -> Result<Option<String>, CollectError> {
    // If the version is gone, a new default replaced it after GetPolicy: ask again.
    for _ in 0..ATTEMPTS {
        let Some(policy) = unless_gone(iam.get_policy().policy_arn(arn).send().await)? else { return Ok(None) };
        let version = policy.policy().and_then(|policy| policy.default_version_id());
        let answer = iam.get_policy_version().policy_arn(arn).set_version_id(version.map(str::to_owned)).send().await;
        if let Some(answer) = unless_gone(answer)? {
            let document = answer.policy_version().and_then(|version| version.document()).map(str::to_owned);
            let none = || CollectError::internal("AWS returned the policy without a document");
            return document.map(Some).ok_or_else(none);
        }
        tokio::time::sleep(PAUSE).await;
    }
    let message = "AWS returned the policy, but not its default version".to_owned();
    Err(CollectError::new(FailureClass::Service, message))
}

#[cfg(test)]
mod tests;
