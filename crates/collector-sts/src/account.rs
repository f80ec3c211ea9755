//! The account: `GetCallerIdentity` -> `(:AWSAccount)-[:RESOURCE]->(:AWSRootPrincipal)`.

use aws_sdk_sts::{Client, operation::get_caller_identity::GetCallerIdentityOutput};
use collector::{CollectError, Collecting, Edge, Listing, Node, Place, Sink, Value, copied, indexed, prop};
use events::FailureClass;

/// The surveyed account. Many listings of many accounts point at it, so none owns it.
pub(crate) static ACCOUNT: Node<GetCallerIdentityOutput> = Node {
    extra_labels: &["Tenant"],
    shared: |_| true,
    id: |_, place| place.account_id.clone(),
    props: &[
        prop("name", |_, place| (&place.account_name).into()),
        prop("inscope", |_, _| true.into()),
        // The account may have been known before only from another account's trust. It is not foreign any longer.
        prop("foreign", |_, _| Value::Null),
    ],
    ontology: &[copied("_ont_name", "name")],
    ..Node::of("AWSAccount")
};

/// The root principal, which trust policies name as `arn:aws:iam::<account>:root`: the account as a whole, not its root
/// user. Accounts that trust this one write it too.
pub(crate) static ROOT_PRINCIPAL: Node<GetCallerIdentityOutput> = Node {
    extra_labels: &["AWSPrincipal"],
    shared: |_| true,
    id: |_, place| place.iam_arn("root"),
    props: &[indexed("arn", |_, place| place.iam_arn("root").into())],
    edges: &[Edge::account()],
    ..Node::of("AWSRootPrincipal")
};

/// Listing of the account.
pub(crate) const LISTING: Listing<Client> = Listing {
    name: "GetCallerIdentity",
    actions: &["sts:GetCallerIdentity"],
    feeds: &[&ACCOUNT, &ROOT_PRINCIPAL],
    collect,
};

fn collect<'a>(sts: &'a Client, sink: &'a mut Sink) -> Collecting<'a> {
    Box::pin(async move {
        let identity = sts.get_caller_identity().send().await?;
        belongs(&identity, sink.place())?;
        sink.emit(&ACCOUNT, &identity).await?;
        sink.emit(&ROOT_PRINCIPAL, &identity).await
    })
}

/// Checks the account of the session. Another account's assets must not be written under this one's name.
fn belongs(identity: &GetCallerIdentityOutput, place: &Place) -> Result<(), CollectError> {
    match identity.account() {
        Some(account) if account == place.account_id => Ok(()),
        other => {
            let other = other.unwrap_or("(none)");
            let message = format!("the session is for account {other}, not {}", place.account_id);
            Err(CollectError::new(FailureClass::Credentials, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{ACCOUNT, GetCallerIdentityOutput, ROOT_PRINCIPAL, belongs};
    use collector::testing::{place, render};
    use events::FailureClass;
    use expect_test::expect;

    #[test]
    fn an_account_and_its_root() {
        let identity = GetCallerIdentityOutput::builder().account("111111111111").build();
        // This listing only removes `foreign`.
        expect![[r#"
            (:AWSAccount:Tenant {id: "111111111111"})
              name = "spoke"
              inscope = true
              foreign = null
              _ont_name (indexed) = "spoke"
              _ont_source = "aws"
        "#]]
        .assert_eq(&render(&ACCOUNT, &identity, &["foreign"]));
        expect![[r#"
            (:AWSRootPrincipal:AWSPrincipal {id: "arn:aws:iam::111111111111:root"})
              arn (indexed) = "arn:aws:iam::111111111111:root"
              <-[:RESOURCE]-(:AWSAccount {id: "111111111111"})
        "#]]
        .assert_eq(&render(&ROOT_PRINCIPAL, &identity, &[]));
    }

    #[test]
    fn a_session_of_another_account_is_refused() {
        let of = |account: &str| GetCallerIdentityOutput::builder().account(account).build();
        assert_eq!(belongs(&of("111111111111"), &place()), Ok(()));
        let error = belongs(&of("222222222222"), &place()).expect_err("another account");
        assert_eq!(error.class, FailureClass::Credentials);
        assert_eq!(error.message, "the session is for account 222222222222, not 111111111111");
    }
}
