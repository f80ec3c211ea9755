"""IAM with everything that policies and trust can look like."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .accounts import ALPHA, BETA, GAMMA, HUB, OUTSIDER, document, trust
from .aws import tags

if TYPE_CHECKING:
    from seeding.aws import Aws


READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
ADMIN = "arn:aws:iam::aws:policy/AdministratorAccess"
SSM = "arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"
SAML_METADATA = "<EntityDescriptor>" + "x" * 1100 + "</EntityDescriptor>"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----"

EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}

# A managed policy with each form that AWS accepts for a field.
FORMS = document(
    {"Sid": "Strings", "Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::reports/*"},
    {"Effect": "Allow", "Action": ["ec2:Describe*", "ec2:Get*"], "Resource": ["*"]},
    {"Effect": "Deny", "NotAction": ["iam:*", "sts:*"], "NotResource": "arn:aws:s3:::public/*"},
    {
        "Effect": "Allow",
        "NotAction": "organizations:*",
        "NotResource": ["arn:aws:iam::*:user/*", "arn:aws:iam::*:role/a"],
    },
    {
        "Sid": "Conditions",
        "Effect": "Allow",
        "Action": ["kms:Decrypt"],
        "Resource": "*",
        "Condition": {
            "StringEquals": {"aws:RequestedRegion": ["us-east-1", "eu-west-1"]},
            "Bool": {"aws:SecureTransport": "true"},
            "NumericLessThan": {"s3:max-keys": "10"},
        },
    },
    {"Sid": "", "Effect": "Allow", "Action": "sns:Publish", "Resource": "*"},
)
UNICODE = json.dumps(
    {
        "Version": "2012-10-17",
        # One statement, not a list of one.
        "Statement": {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::büro-日本"},
    },
    ensure_ascii=False,
)


def shared(aws: Aws, account: str) -> None:
    """The same names in every account, so that a graph that forgets the account mixes them up."""
    iam = aws.client("iam", account)
    iam.create_group(GroupName="developers")
    iam.create_user(UserName="deploy", Tags=tags(team="platform"))
    iam.add_user_to_group(GroupName="developers", UserName="deploy")
    iam.create_policy(PolicyName="forms", PolicyDocument=FORMS, Description="every form of a statement")
    iam.attach_group_policy(GroupName="developers", PolicyArn=f"arn:aws:iam::{account}:policy/forms")
    iam.attach_group_policy(GroupName="developers", PolicyArn=READ_ONLY)
    role(iam, "app", trust(Service="ec2.amazonaws.com"), managed=[SSM], inline={"everything": document(EVERYTHING)})
    profile(iam, "app", "app")
    iam.create_access_key(UserName="deploy")


def permissions(aws: Aws, account: str) -> None:
    """Roles of which the statements alone do not say who may assume them, or what they may do."""
    iam = aws.client("iam", account)
    app = f"arn:aws:iam::{account}:role/app"
    external = {"StringEquals": {"sts:ExternalId": "ext"}}
    role(iam, "trusts-app-if", trust(external, AWS=app))
    allow, deny = ({"Effect": it, "Principal": {"AWS": app}, "Action": "sts:AssumeRole"} for it in ("Allow", "Deny"))
    role(iam, "denies-app", document(allow, deny))
    role(iam, "denies-app-if", document(allow, {**deny, "Condition": external}))
    role(iam, "trusts-session", trust(AWS=f"arn:aws:sts::{account}:assumed-role/app/session"))
    role(iam, "bounded", trust(Service="lambda.amazonaws.com"), inline={"everything": document(EVERYTHING)})
    iam.put_role_permissions_boundary(RoleName="bounded", PermissionsBoundary=READ_ONLY)


def awkward(aws: Aws) -> None:
    permissions(aws, ALPHA)
    alpha(aws)
    beta(aws)
    gamma(aws)


def alpha(aws: Aws) -> None:
    iam = aws.client("iam", ALPHA)
    users(aws, iam, ALPHA)
    groups(iam, ALPHA)
    iam.create_policy(PolicyName="single-statement", Path="/teams/data/", PolicyDocument=UNICODE)
    iam.create_policy(PolicyName="unattached", PolicyDocument=document(EVERYTHING))
    iam.create_policy(PolicyName="versions", PolicyDocument=document(EVERYTHING))
    iam.create_policy_version(
        PolicyArn=f"arn:aws:iam::{ALPHA}:policy/versions",
        PolicyDocument=document({"Sid": "Second", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}),
        SetAsDefault=True,
    )
    roles(iam)
    instance_profiles(iam)
    providers(iam)
    for number in range(120):
        iam.create_user(UserName=f"worker-{number:03}", Path="/workers/")
    for number in range(105):
        role(iam, f"task-{number:03}", trust(Service="ecs-tasks.amazonaws.com"), path="/tasks/")


def users(aws: Aws, iam: Any, account: str) -> None:
    iam.create_user(UserName="alice", Path="/people/", Tags=tags(名前="アリス", mail="alice@example.com"))
    iam.create_user(UserName="bob")
    iam.create_user(UserName="carol.o'neil@example.com", Path="/people/ops/")
    iam.create_login_profile(UserName="alice", Password="Not-a-secret-1")
    iam.attach_user_policy(UserName="alice", PolicyArn=ADMIN)
    iam.put_user_policy(UserName="alice", PolicyName="inline", PolicyDocument=FORMS)
    iam.put_user_policy(UserName="bob", PolicyName="inline", PolicyDocument=UNICODE)
    iam.put_user_policy(UserName="bob", PolicyName="second inline", PolicyDocument=document(EVERYTHING, EVERYTHING))
    active = iam.create_access_key(UserName="alice")["AccessKey"]["AccessKeyId"]
    inactive = iam.create_access_key(UserName="alice")["AccessKey"]["AccessKeyId"]
    iam.update_access_key(UserName="alice", AccessKeyId=inactive, Status="Inactive")
    never_used = iam.create_access_key(UserName="bob")["AccessKey"]["AccessKeyId"]
    mfa = iam.create_virtual_mfa_device(VirtualMFADeviceName="alice", Path="/")["VirtualMFADevice"]["SerialNumber"]
    codes = {"AuthenticationCode1": "123456", "AuthenticationCode2": "654321"}
    iam.enable_mfa_device(UserName="alice", SerialNumber=mfa, **codes)
    aws.control(
        "/_groma/iam",
        {
            "account": account,
            "users": {
                "alice": {"create_date": "2021-03-04T05:06:07Z", "password_last_used": "2024-05-06T07:08:09Z"},
                "bob": {"create_date": "2020-01-01T00:00:00Z"},
            },
            "access_keys": {
                active: {
                    "create_date": "2021-03-05T05:06:07Z",
                    "last_used": {"date": "2024-05-01T01:02:03Z", "service": "s3", "region": "us-east-1"},
                },
                inactive: {
                    "create_date": "2022-03-05T05:06:07Z",
                    "last_used": {"date": "2022-04-01T01:02:03Z", "service": "iam", "region": "N/A"},
                },
                never_used: {"create_date": "2020-02-01T00:00:00Z"},
            },
        },
    )
    services = [
        accessed("Amazon S3", "s3", "2024-05-01T01:02:03Z", f"arn:aws:iam::{account}:user/people/alice", "us-east-1"),
        accessed("AWS IAM", "iam", "2024-05-06T07:08:09Z", f"arn:aws:iam::{account}:user/people/alice", "us-east-1"),
        {"ServiceName": "AWS Lambda", "ServiceNamespace": "lambda", "TotalAuthenticatedEntities": 0},
    ]
    aws.control(
        "/_groma/service-last-accessed",
        {
            f"arn:aws:iam::{account}:user/people/alice": services,
            f"arn:aws:iam::{account}:role/app": services[:1],
            f"arn:aws:iam::{account}:user/bob": services[2:],
        },
    )


def accessed(name: str, namespace: str, when: str | None, entity: str | None, region: str) -> dict[str, Any]:
    return {
        "ServiceName": name,
        "ServiceNamespace": namespace,
        "LastAuthenticated": when,
        "LastAuthenticatedEntity": entity,
        "LastAuthenticatedRegion": region,
        "TotalAuthenticatedEntities": 1,
    }


def groups(iam: Any, account: str) -> None:
    iam.create_group(GroupName="admins", Path="/people/")
    iam.create_group(GroupName="empty")
    iam.attach_group_policy(GroupName="admins", PolicyArn=ADMIN)
    iam.put_group_policy(GroupName="admins", PolicyName="inline", PolicyDocument=document(EVERYTHING))
    for user in ("alice", "bob"):
        iam.add_user_to_group(GroupName="admins", UserName=user)
    iam.add_user_to_group(GroupName="developers", UserName="alice")


def roles(iam: Any) -> None:
    """A role for each kind of trust."""
    oidc = f"arn:aws:iam::{ALPHA}:oidc-provider/token.actions.githubusercontent.com"
    role(iam, "trusts-hub-root", trust(AWS=f"arn:aws:iam::{HUB}:root"), managed=[READ_ONLY])
    role(iam, "trusts-account-id", trust(AWS=BETA))
    role(iam, "trusts-roles", trust(AWS=[f"arn:aws:iam::{BETA}:role/app", f"arn:aws:iam::{ALPHA}:user/people/alice"]))
    role(iam, "trusts-missing", trust(AWS=f"arn:aws:iam::{GAMMA}:role/never-made"))
    role(iam, "trusts-outsider", trust(AWS=f"arn:aws:iam::{OUTSIDER}:root"), managed=[ADMIN])
    role(iam, "trusts-anyone", trust(AWS="*"))
    role(iam, "trusts-services", trust(Service=["lambda.amazonaws.com", "edgelambda.amazonaws.com"]))
    role(iam, "trusts-saml", trust(Federated=f"arn:aws:iam::{ALPHA}:saml-provider/okta"))
    role(iam, "trusts-web", trust(Federated="cognito-identity.amazonaws.com"))
    condition = {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:example/*"}}
    role(iam, "trusts-oidc", trust(condition, Federated=oidc))
    mixed = document(
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
        {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam::{GAMMA}:root", HUB]},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Condition": {"StringEquals": {"sts:ExternalId": "ext"}},
        },
        {"Effect": "Deny", "Principal": {"AWS": f"arn:aws:iam::{BETA}:root"}, "Action": "sts:AssumeRole"},
    )
    role(iam, "trusts-mixed", mixed, path="/service-role/", inline={"forms": FORMS, "einheit": UNICODE})
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": f"arn:aws:iam::{BETA}:role/*"}
    role(iam, "assumes-beta", trust(Service="lambda.amazonaws.com"), inline={"assume": document(assume)})


def role(
    iam: Any,
    name: str,
    trust_document: str,
    path: str = "/",
    managed: Sequence[str] = (),
    inline: dict[str, Any] | None = None,
) -> None:
    iam.create_role(RoleName=name, Path=path, AssumeRolePolicyDocument=trust_document)
    for arn in managed:
        iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    for policy, policy_document in (inline or {}).items():
        iam.put_role_policy(RoleName=name, PolicyName=policy, PolicyDocument=policy_document)


def profile(iam: Any, name: str, role_name: str | None = None, path: str = "/") -> None:
    iam.create_instance_profile(InstanceProfileName=name, Path=path)
    if role_name:
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=role_name)


def instance_profiles(iam: Any) -> None:
    profile(iam, "no-role")
    profile(iam, "pathed", "trusts-mixed", path="/team/")


def providers(iam: Any) -> None:
    iam.create_saml_provider(Name="okta", SAMLMetadataDocument=SAML_METADATA)
    iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com",
        ClientIDList=["sts.amazonaws.com"],
        ThumbprintList=["6938fd4d98bab03faadb97b34396831e3780aea1"],
    )
    iam.upload_server_certificate(
        ServerCertificateName="legacy", Path="/cloudfront/", CertificateBody=CERTIFICATE, PrivateKey="none"
    )


def beta(aws: Aws) -> None:
    iam = aws.client("iam", BETA)
    role(iam, "trusts-alpha", trust(AWS=f"arn:aws:iam::{ALPHA}:root"), managed=[ADMIN])
    role(iam, "trusts-alpha-role", trust(AWS=f"arn:aws:iam::{ALPHA}:role/assumes-beta"))


def gamma(aws: Aws) -> None:
    iam = aws.client("iam", GAMMA)
    role(iam, "chained", trust(AWS=f"arn:aws:iam::{BETA}:role/trusts-alpha"))
    role(iam, "boundary", trust(Service="lambda.amazonaws.com"))
    iam.put_role_permissions_boundary(RoleName="boundary", PermissionsBoundary=READ_ONLY)
