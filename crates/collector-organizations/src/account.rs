//! Accounts in their organization -> `(:AWSAccount)-[:RESOURCE]->(:AWSRootPrincipal)`.
//!
//! An account may also be surveyed, under the name of its profile. Its node has no owner and is never removed. Two
//! rules hold in whatever order listings reach the graph:
//!
//! - Its `name` is that of the organization, if there is one, else that of the profile. Only the STS listing writes the
//!   property. The organization's name travels on the membership edge, and the analysis after the sync gives it
//!   precedence.
//! - Properties from the organization are removed when the account has left it. Only this listing owns the membership
//!   edge, so the edge is removed only when a complete listing no longer has the account. The analysis then removes the
//!   properties of accounts that had such an edge and have none.

use aws_sdk_organizations::types::{Account, AccountState, AccountStatus};
use collector::{Edge, Node, Place, Target, indexed, mapped, one, prop};

/// Accounts of the organization, in any state.
pub(crate) static ACCOUNT: Node<Member> = Node {
    extra_labels: &["Tenant"],
    shared: |_| true,
    id: |it, _| it.id().to_owned(),
    props: &[
        indexed("arn", |it, _| it.account.arn().into()),
        prop("email", |it, _| it.account.email().into()),
        prop("state", |it, _| it.state().into()),
        prop("status", |it, _| it.account.status().map(|status| status.as_str()).into()),
        prop("joined_method", |it, _| it.account.joined_method().map(|method| method.as_str()).into()),
        prop("joined_timestamp", |it, _| it.account.joined_timestamp().into()),
        indexed("org_id", |it, _| (&it.organization).into()),
    ],
    ontology: &[mapped("_ont_status", "state", STATUS)],
    edges: &[Edge::incoming(MEMBERSHIP, "AWSOrganization", "id", Member::membership).with_props(&["name"])],
    ..Node::of("AWSAccount")
};

/// Type of the edge from an organization to each of its accounts. Types that begin with `_module_` are Groma's own.
pub(crate) const MEMBERSHIP: &str = "_module_MEMBER";

const STATUS: &[(&str, &str)] = &[
    ("ACTIVE", "active"),
    ("PENDING_ACTIVATION", "unknown"),
    ("SUSPENDED", "suspended"),
    ("PENDING_CLOSURE", "pending_deletion"),
    ("CLOSED", "closed"),
];

/// Root principals of active accounts, as trust policies name them: `arn:aws:iam::<account>:root`.
pub(crate) static ROOT_PRINCIPAL: Node<Member> = Node {
    extra_labels: &["AWSPrincipal"],
    shared: |_| true,
    id: |it, place| it.root_arn(&place.partition),
    props: &[indexed("arn", |it, place| it.root_arn(&place.partition).into())],
    edges: &[Edge::incoming("RESOURCE", "AWSAccount", "id", |it, _| one(Some(it.id())))],
    ..Node::of("AWSRootPrincipal")
};

/// An account with its organization.
pub(crate) struct Member {
    /// Id of the organization.
    pub(crate) organization: String,
    /// The account.
    pub(crate) account: Account,
}

impl Member {
    /// Account id: 12 digits.
    pub(crate) fn id(&self) -> &str {
        self.account.id().unwrap_or_default()
    }

    /// State of the account. AWS returned `Status` before it had `State`.
    pub(crate) fn state(&self) -> Option<&str> {
        let status = || self.account.status().map(AccountStatus::as_str);
        self.account.state().map(AccountState::as_str).or_else(status)
    }

    /// Whether the account is active. Only such accounts are in the tree.
    pub(crate) fn is_active(&self) -> bool {
        self.state() == Some("ACTIVE")
    }

    fn membership(&self, _: &Place) -> Vec<Target> {
        vec![Target { value: self.organization.clone(), props: vec![self.account.name().into()] }]
    }

    fn root_arn(&self, partition: &str) -> String {
        format!("arn:{partition}:iam::{}:root", self.id())
    }
}

#[cfg(test)]
mod tests {
    use super::{ACCOUNT, Account, AccountState, AccountStatus, Member, ROOT_PRINCIPAL};
    use aws_sdk_organizations::{primitives::DateTime, types::AccountJoinedMethod};
    use collector::testing::render;
    use expect_test::expect;

    fn member(state: Option<AccountState>, status: Option<AccountStatus>) -> Member {
        let account = Account::builder()
            .id("222222222222")
            .arn("arn:aws:organizations::111111111111:account/o-1/222222222222")
            .email("spoke@example.com")
            .name("Spoke")
            .set_state(state)
            .set_status(status)
            .joined_method(AccountJoinedMethod::Invited)
            .joined_timestamp(DateTime::from_secs(1_700_000_000))
            .build();
        Member { organization: "o-1".into(), account }
    }

    #[test]
    fn an_account_and_its_root() {
        let account = member(Some(AccountState::Active), Some(AccountStatus::Active));
        expect![[r#"
            (:AWSAccount:Tenant {id: "222222222222"})
              arn (indexed) = "arn:aws:organizations::111111111111:account/o-1/222222222222"
              email = "spoke@example.com"
              state = "ACTIVE"
              status = "ACTIVE"
              joined_method = "INVITED"
              joined_timestamp = time(1700000000000000)
              org_id (indexed) = "o-1"
              _ont_status (indexed) = "active"
              _ont_source = "aws"
              <-[:_module_MEMBER name="Spoke"]-(:AWSOrganization {id: "o-1"})
        "#]]
        .assert_eq(&render(&ACCOUNT, &account, &[]));
        expect![[r#"
            (:AWSRootPrincipal:AWSPrincipal {id: "arn:aws:iam::222222222222:root"})
              arn (indexed) = "arn:aws:iam::222222222222:root"
              <-[:RESOURCE]-(:AWSAccount {id: "222222222222"})
        "#]]
        .assert_eq(&render(&ROOT_PRINCIPAL, &account, &[]));
    }

    #[test]
    fn the_older_status_stands_in_for_the_state() {
        let of = |state, status| member(state, status).state().map(str::to_owned);
        assert_eq!(of(Some(AccountState::Closed), Some(AccountStatus::Suspended)).as_deref(), Some("CLOSED"));
        assert_eq!(of(None, Some(AccountStatus::Suspended)).as_deref(), Some("SUSPENDED"));
        assert_eq!(of(None, None), None);
    }
}
