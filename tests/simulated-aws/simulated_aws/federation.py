"""Sessions of `GetFederationToken`, which moto does not keep: a user's key, narrowed by a policy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from moto.sts.models import AssumedRole, sts_backends
from werkzeug.wrappers import Response

from . import trust

if TYPE_CHECKING:
    from simulated_aws.calls import Call

# Services that refuse federated sessions; of STS, GetCallerIdentity alone is open to them (STS API reference,
# "GetFederationToken").
CLOSED = ("iam", "sts")
DEFAULT_SECONDS = 43200


class FederatedUser(AssumedRole):
    @property
    def arn(self) -> str:
        return f"arn:{self.partition}:sts::{self.account_id}:federated-user/{self.session_name}"

    @property
    def user_id(self) -> str:
        return f"{self.account_id}:{self.session_name}"


def may_federate(user: Any) -> bool:
    versions = [version for policy in user.managed_policies.values() for version in policy.versions]
    documents = [*user.policies.values(), *(version.document for version in versions if version.is_default)]
    return any(trust.allows(document, "sts:GetFederationToken") for document in documents)


def may_call(session: Any, service: str) -> bool:
    """What the session policy has no say in."""
    return not (isinstance(session, FederatedUser) and service in CLOSED)


def begin(call: Call) -> Response:
    name = call.form.get("Name", "")
    backend = sts_backends[call.account]["aws"]
    _, key = backend._create_access_key(role=f"arn:aws:iam::{call.account}:role/{name}")
    session: Any = FederatedUser(
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


def answer(session: Any) -> str:
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


def elements(values: dict[str, str]) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())
