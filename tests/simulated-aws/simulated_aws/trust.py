"""What moto lets everyone do: assume any role, federate any user, act beyond a session policy, and act after a session's
end."""

from __future__ import annotations

import fnmatch
import json
from typing import TYPE_CHECKING, Any

from moto.iam.models import Role, iam_backends
from moto.sts.models import AssumedRole, sts_backends
from werkzeug.wrappers import Response

from . import clock, federation, patches
from .errors import error_response

if TYPE_CHECKING:
    from simulated_aws.calls import Call

Json = dict[str, Any]

# Signing names whose IAM prefix is another one.
IAM_PREFIXES = {"monitoring": "cloudwatch", "email": "ses", "s3control": "s3"}
# Calls whose actions have other names (Service Authorization Reference, "Actions defined by Amazon S3").
ACTIONS = {
    ("s3", "ListBuckets"): "ListAllMyBuckets",
    ("s3", "HeadBucket"): "ListBucket",
    ("s3", "GetBucketEncryption"): "GetEncryptionConfiguration",
    ("s3", "GetBucketNotificationConfiguration"): "GetBucketNotification",
    ("s3", "GetPublicAccessBlock"): "GetBucketPublicAccessBlock",
    ("s3control", "GetPublicAccessBlock"): "GetAccountPublicAccessBlock",
}
begin_session = AssumedRole.__init__


def end_sessions_after(seconds: int | None) -> None:
    """Of sessions that begin from now on, whatever is asked for, until it is None again; AWS gives none of less than 900."""

    def begin(session: Any, *arguments: Any, duration: int, **named: Any) -> None:
        begin_session(session, *arguments, duration=duration if seconds is None else seconds, **named)

    patches.replace(AssumedRole, "__init__", begin)


def refuse(call: Call) -> Response | None:
    """AccessDenied for a role that the caller may not assume or a call that its session policy does not allow; an error for
    a session that has ended."""
    if has_ended(session_of(call)):
        code = "ExpiredTokenException" if call.protocol in ("json", "rest-json") else "ExpiredToken"
        return error_response(call.protocol, 403, code, "The security token included in the request is expired")
    refused = refuse_beyond_session_policy(call)
    if refused is None and call.service == "sts" and call.action == "AssumeRole":
        return refuse_assume_role(call)
    if refused is None and call.service == "sts" and call.action == "GetFederationToken":
        return federate(call)
    return refused


def has_ended(session: Any) -> bool:
    return session is not None and session.expiration < clock.utcnow()


def federate(call: Call) -> Response:
    """A session for a user whose own policies allow it; moto would hand out keys of an account that nobody owns."""
    user = iam_backends[call.account]["aws"].get_user_from_access_key_id(call.access_key)
    if user is not None and federation.may_federate(user):
        return federation.begin(call)
    message = (
        f"User: {caller_arn(call)} is not authorized to perform: sts:GetFederationToken on resource: "
        f"arn:aws:sts::{call.account}:federated-user/{call.form.get('Name', '')} "
        "because no identity-based policy allows the sts:GetFederationToken action"
    )
    return error_response("query", 403, "AccessDenied", message)


def refuse_assume_role(call: Call) -> Response | None:
    role_arn = call.form.get("RoleArn", "")
    caller = caller_arn(call)
    if may_assume(find_role(role_arn), caller, call.account, call.form.get("ExternalId")):
        return None
    message = f"User: {caller} is not authorized to perform: sts:AssumeRole on resource: {role_arn}"
    return error_response("query", 403, "AccessDenied", message)


def find_role(arn: str) -> Role | None:
    parts = arn.split(":")
    if len(parts) < 6 or parts[4] not in iam_backends:
        return None
    for role in iam_backends[parts[4]][parts[1]].roles.values():
        if role.arn == arn:
            return role
    return None


def caller_arn(call: Call) -> str:
    session = session_of(call)
    if session is not None:
        return session.arn
    user = iam_backends[call.account]["aws"].get_user_from_access_key_id(call.access_key)
    return user.arn if user else f"arn:aws:iam::{call.account}:root"


def session_of(call: Call) -> AssumedRole | None:
    for session in sts_backends[call.account]["aws"].assumed_roles:
        if session.access_key_id == call.access_key:
            return session
    return None


def sessions() -> list[list[str]]:
    """What every session that was ever given is made of: the secrets that must show up nowhere."""
    given = [session for accounts in sts_backends.values() for it in accounts.values() for session in it.assumed_roles]
    return [[session.access_key_id, session.secret_access_key, session.session_token] for session in given]


def may_assume(role: Any, caller: str, account: str, external_id: str | None) -> bool:
    if role is None:
        return False
    document = role.assume_role_policy_document
    document = json.loads(document) if isinstance(document, str) else document
    return any(
        statement.get("Effect") == "Allow"
        and "sts:AssumeRole" in as_list(statement.get("Action"))
        and names(statement.get("Principal", {}), caller, account)
        and external_id_matches(statement.get("Condition", {}), external_id)
        for statement in as_list(document.get("Statement"))
    )


def names(principal: Any, caller: str, account: str) -> bool:
    if principal == "*":
        return True
    trusted = as_list(principal.get("AWS")) if isinstance(principal, dict) else []
    return any(name in ("*", account, f"arn:aws:iam::{account}:root", caller, role_of(caller)) for name in trusted)


def role_of(caller: str) -> str:
    """`arn:aws:sts::A:assumed-role/R/S` acts for the role `arn:aws:iam::A:role/R`."""
    parts = caller.split(":")
    if parts[2] != "sts":
        return caller
    return f"arn:aws:iam::{parts[4]}:role/{parts[5].split('/')[1]}"


def external_id_matches(condition: Json, external_id: str | None) -> bool:
    wanted = as_list(condition.get("StringEquals", {}).get("sts:ExternalId"))
    return not wanted or external_id in wanted


def refuse_beyond_session_policy(call: Call) -> Response | None:
    session = session_of(call)
    if session is None or call.action == "GetCallerIdentity":
        return None
    action = action_of(call)
    if federation.may_call(session, call.service) and (not session.policy or allows(session.policy, action)):
        return None
    code = {"ec2": "UnauthorizedOperation"}.get(call.protocol, "AccessDenied")
    code = "AccessDeniedException" if call.protocol in ("json", "rest-json") else code
    message = f"User: {session.arn} is not authorized to perform: {action} because no session policy allows it"
    return error_response(call.protocol, 403, code, message)


def action_of(call: Call) -> str:
    """The action that IAM asks a permission for."""
    name = ACTIONS.get((call.service, call.action), call.action)
    return f"{IAM_PREFIXES.get(call.service, call.service)}:{name}"


def allows(document: Json | str, action: str) -> bool:
    """Whether a policy document, as text or parsed, allows an action on everything."""
    parsed: Json = json.loads(document) if isinstance(document, str) else document
    return any(
        fnmatch.fnmatchcase(action.lower(), pattern.lower())
        for statement in as_list(parsed.get("Statement"))
        if statement.get("Effect") == "Allow"
        for pattern in as_list(statement.get("Action"))
    )


def as_list(value: Any) -> list[Any]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
