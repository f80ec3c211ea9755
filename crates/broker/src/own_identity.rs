//! Sessions of the caller itself, if no role is assumed. With one of them, a compromised collector could do everything
//! that the caller can, such as assume the role of every account. So the broker narrows them if AWS can. Otherwise it
//! does not lease them unless [`OwnIdentity::Lease`] is set.

use crate::{
    attribution::Purpose,
    aws::Aws,
    config::OwnIdentity,
    discovery::Found,
    policy,
    refusal::{Kind, Refusal},
    route::Route,
};
use aws_credential_types::Credentials;

/// The service that AWS denies to every federated session of a user, whatever its policy. STS denies all but
/// `GetCallerIdentity`, the only call of its collector (STS API reference, `GetFederationToken`).
const NOT_FEDERATED: &str = "iam";

/// Checks that sessions of a route can be leased, so that the account is refused once instead of at each lease.
///
/// # Errors
/// Same as [`session`]. A route that assumes a role never fails.
pub async fn check(aws: &Aws, Found { account, route }: &Found) -> Result<(), Refusal> {
    if route.is_narrowed() || aws.own_identity() == OwnIdentity::Lease {
        return Ok(());
    }
    session(aws, (route, &account.id), &Purpose::discovery(), &policy::of_nothing()).await.map(drop)
}

/// Returns a session of the caller for a purpose, with renewed credentials if AWS rejects the source's as expired.
///
/// # Errors
/// Returns [`Kind::OwnIdentity`] for a session that cannot be narrowed and must not be leased, or the [`Refusal`] of
/// AWS.
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
            // It may have expired while the files have new keys, and nothing else in the broker would notice.
            aws.identity(route.profile.as_deref(), given.clone()).await?;
        }
        Ok(given)
    };
    aws.renewing(Some(&route.source), attempt).await
}

/// Narrows the source's credentials as far as AWS can:
///
/// * The long-lived key of a user is narrowed by `GetFederationToken`, if the user may call it and the service is not
///   IAM. `GetSessionToken` is no alternative: it does not narrow, and without MFA AWS denies IAM to its sessions too.
/// * The session of a role (instance, container, Identity Center, process) cannot be narrowed.
async fn narrowed(
    aws: &Aws,
    (route, account_id): (&Route, &str),
    given: Credentials,
    purpose: &Purpose,
    policy: &str,
) -> Result<Credentials, Refusal> {
    if given.session_token().is_some() {
        let why = "AWS cannot narrow an existing role session to one service";
        return pass_on(aws, (route, account_id), given, why, "");
    }
    if purpose.service == NOT_FEDERATED {
        let why = "AWS denies IAM to every session to which a user's key can be narrowed";
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

/// Leases a session unchanged, if that is allowed.
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
                tracing::warn!(%source, "leasing the caller's own credentials to collectors, sealed: {why}");
            }
            Ok(given)
        }
    }
}
