"""Sessions of `GetFederationToken`, which moto does not keep: a user's key, narrowed by a policy."""

from xml.sax.saxutils import escape

from moto.sts.models import AssumedRole, sts_backends
from werkzeug.wrappers import Response

from . import trust

# Services that refuse federated sessions; of STS, GetCallerIdentity alone is open to them (STS API reference,
# "GetFederationToken").
CLOSED = ("iam", "sts")
DEFAULT_SECONDS = 43200


class FederatedUser(AssumedRole):
    @property
    def arn(self):
        return f"arn:{self.partition}:sts::{self.account_id}:federated-user/{self.session_name}"

    @property
    def user_id(self):
        return f"{self.account_id}:{self.session_name}"


def may_federate(user):
    versions = [version for policy in user.managed_policies.values() for version in policy.versions]
    documents = [*user.policies.values(), *(version.document for version in versions if version.is_default)]
    return any(trust.allows(document, "sts:GetFederationToken") for document in documents)


def may_call(session, service):
    """What the session policy has no say in."""
    return not (isinstance(session, FederatedUser) and service in CLOSED)


def begin(call):
    name = call.form.get("Name", "")
    backend = sts_backends[call.account]["aws"]
    _, key = backend._create_access_key(role=f"arn:aws:iam::{call.account}:role/{name}")
    session = FederatedUser(
        account_id=call.account,
        region_name=call.region,
        access_key=key,
        role_session_name=name,
        role_arn="",
        policy=call.form.get("Policy", ""),
        duration=int(call.form.get("DurationSeconds", DEFAULT_SECONDS)),
        external_id="",
    )
    backend.assumed_roles.append(session)
    return Response(answer(session), content_type="text/xml")


def answer(session):
    credentials = {
        "AccessKeyId": session.access_key_id,
        "SecretAccessKey": session.secret_access_key,
        "SessionToken": session.session_token,
        "Expiration": session.expiration.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }
    user = {"FederatedUserId": session.user_id, "Arn": session.arn}
    return (
        '<GetFederationTokenResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetFederationTokenResult>'
        f"<Credentials>{elements(credentials)}</Credentials><FederatedUser>{elements(user)}</FederatedUser>"
        "</GetFederationTokenResult></GetFederationTokenResponse>"
    )


def elements(values):
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
