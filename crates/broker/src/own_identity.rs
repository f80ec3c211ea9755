//! Sessions of the caller itself, where no role is assumed. A collector that is taken over could do with one whatever the
//! caller can, assume the role of every account first of all. So it is narrowed where AWS can, and otherwise stays in the
//! broker unless [`OwnIdentity::Lease`] says otherwise.

use crate::{
    accounts::Found,
    attribution::Purpose,
    aws::Aws,
    config::OwnIdentity,
    policy,
    refusal::{Kind, Refusal},
    route::Route,
};
use aws_credential_types::Credentials;

/// The service that AWS refuses to every federated session of a user, whatever its policy. STS refuses all but
/// `GetCallerIdentity`, which is all that its collector calls (STS API reference, `GetFederationToken`).
const NOT_FEDERATED: &str = "iam";

/// Checks that leases along a route can be given: better one refusal of the account than one for each of its leases.
///
/// # Errors
/// As [`session`]; none for a route that is narrowed anyway.
pub async fn check(aws: &Aws, Found { account, route }: &Found) -> Result<(), Refusal> {
    if route.is_narrowed() || aws.own_identity() == OwnIdentity::Lease {
        return Ok(());
    }
    session(aws, (route, &account.id), &Purpose::discovery(), &policy::of_nothing()).await.map(drop)
}

/// A session of the caller for a purpose, with fresh credentials where AWS says that the source's have expired.
///
/// # Errors
/// [`Kind::OwnIdentity`] for a session that cannot be narrowed and has to be kept; [`Refusal`] of AWS.
pub async fn session(
    aws: &Aws,
    (route, account_id): (&Route, &str),
    purpose: &Purpose,
    policy: &str,
) -> Result<Credentials, Refusal> {
    let attempt = || async {
        let given = aws.enter(route, purpose, policy, None).await?;
        let given = narrowed(aws, (route, account_id), given, purpose, policy).await?;
        if given.expiry().is_none() {
            // It may have ended, and new ones may be in the files: nobody else would notice in the broker.
            aws.identity(route.profile.as_deref(), given.clone()).await?;
        }
        Ok(given)
    };
    aws.renewing(Some(&route.source), attempt).await
}

/// The source's credentials, narrowed as far as AWS can:
///
/// * The long-lived key of a user is narrowed by `GetFederationToken`, if the user may call it and the service is not IAM.
///   `GetSessionToken` would not do: without MFA AWS refuses IAM to its sessions too, and it does not narrow.
/// * The session of a role (instance, container, Identity Center, process) cannot be narrowed from within.
async fn narrowed(
    aws: &Aws,
    (route, account_id): (&Route, &str),
    given: Credentials,
    purpose: &Purpose,
    policy: &str,
) -> Result<Credentials, Refusal> {
    if given.session_token().is_some() {
        let why = "AWS cannot narrow a role's session to one service from within";
        return pass_on(aws, (route, account_id), given, why, "");
    }
    if purpose.service == NOT_FEDERATED {
        let why = "AWS refuses IAM to every session that a user's key can be narrowed to";
        return pass_on(aws, (route, account_id), given, why, "");
    }
    match aws.federate(route, given.clone(), purpose, policy).await {
        Ok(narrowed) => Ok(narrowed),
        Err(refusal) if refusal.is_plain_denial() => {
            let why = "the user may not call sts:GetFederationToken, which narrows its key to one service";
            pass_on(aws, (route, account_id), given, why, "allow the user sts:GetFederationToken, or ")
        }
        Err(refusal) => Err(refusal),
    }
}

/// Leases a session as it is, where that is allowed.
fn pass_on(
    aws: &Aws,
    (route, account_id): (&Route, &str),
    given: Credentials,
    why: &str,
    or: &str,
) -> Result<Credentials, Refusal> {
    let source = &route.source;
    match aws.own_identity() {
        OwnIdentity::Keep => {
            let sentence = format!(
                "{source} would have to leave the broker for account {account_id}: {why}; {or}create a role in account \
                 {account_id} for the broker to assume (--role, or role_arn of a profile), or pass --lease-own-identity"
            );
            Err(Refusal::new(Kind::OwnIdentity, sentence))
        }
        OwnIdentity::Lease => {
            if aws.first_time(format!("{source} {why}")) {
                tracing::warn!(%source, "collectors get the caller's own credentials, sealed: {why}");
            }
            Ok(given)
        }
    }
}
