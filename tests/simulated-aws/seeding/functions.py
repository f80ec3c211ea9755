"""Lambda functions: from archives and images, with layers, aliases, event sources, policies and secrets."""

from __future__ import annotations

import contextlib
import io
import zipfile
from typing import TYPE_CHECKING, Any

from .accounts import trust
from .planted import PLANTED

if TYPE_CHECKING:
    from seeding.aws import Aws

Json = dict[str, Any]

ROLE = "function"
STREAM = "clicks"


def some(aws: Aws, account: str, region: str) -> None:
    """A function from an archive and one from an image, which share nothing but their role."""
    functions = aws.client("lambda", account, region)
    role = role_of(aws, account)
    layers = [layer(functions, "requests"), layer(functions, "metrics")]
    environment = {"Variables": {"DATABASE_PASSWORD": f"{PLANTED}-in-{account}-{region}"}}
    function(functions, "orders", role, Environment=environment, Layers=layers, Description="für Bestellungen")
    functions.publish_version(FunctionName="orders")
    functions.create_alias(FunctionName="orders", Name="live", FunctionVersion="1", Description="in use")
    mapping(functions, "orders", f"arn:aws:sqs:{region}:{account}:orders", BatchSize=5)
    image(functions, "render", role, account, region, Environment=environment)


def awkward(aws: Aws, account: str, region: str, other: str) -> None:
    """More functions than a page, layers of several, policies of each kind, and states of each kind."""
    functions = aws.client("lambda", account, region)
    role = role_of(aws, account)
    shared = layer(functions, "requests")
    for number in range(52):
        function(functions, f"job-{number:02}", role, Layers=[shared])
    policies(aws, functions, account, region, role)
    states(aws, functions, account, region, role, other)
    sources(aws, functions, account, region, role)


def policies(aws: Aws, functions: Any, account: str, region: str, role: str) -> None:
    def with_policy(name: str, *statements: Json) -> None:
        arn = function(functions, name, role)
        invoke = {"Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunction", "Resource": arn}
        policy = [{"Sid": f"{number}", **invoke, **it} for number, it in enumerate(statements)]
        aws.control("/_groma/functions", {"account": account, "region": region, "function": name, "policy": policy})

    with_policy("public", {})
    url = {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}
    with_policy("public-url", {"Action": "lambda:InvokeFunctionUrl", "Condition": url})
    topic = {"ArnLike": {"AWS:SourceArn": f"arn:aws:sns:{region}:{account}:orders"}}
    with_policy("of-a-topic", {"Principal": {"Service": "sns.amazonaws.com"}, "Condition": topic})
    with_policy("of-an-organization", {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-example"}}})
    both = {"StringEquals": {"AWS:SourceAccount": account}, "ArnLike": {"AWS:SourceArn": "*"}}
    with_policy("of-an-account", {"Condition": both})
    with_policy("denied", {}, {"Effect": "Deny"})


def states(aws: Aws, functions: Any, account: str, region: str, role: str, other: str) -> None:
    """States that moto does not reach, and a role of another account."""
    idle = {"State": "Inactive", "StateReason": "The function is idle", "StateReasonCode": "Idle"}
    failed = {
        "LastUpdateStatus": "Failed",
        "LastUpdateStatusReason": "The image does not exist",
        "LastUpdateStatusReasonCode": "ImageDeleted",
    }
    signer = f"arn:aws:signer:{region}:{account}:"
    signed = {
        "SigningProfileVersionArn": f"{signer}/signing-profiles/release/1234abcd",
        "SigningJobArn": f"{signer}/signing-jobs/1234abcd",
    }
    more = {
        "idle": idle,
        "failed": failed,
        "signed": signed,
        "at-the-edge": {"MasterArn": f"arn:aws:lambda:us-east-1:{account}:function:at-the-edge:1"},
        "role-of-another-account": {"Role": f"arn:aws:iam::{other}:role/app"},
        "role-that-is-gone": {"Role": f"arn:aws:iam::{account}:role/gone"},
    }
    for name, configuration in more.items():
        if name == "failed":
            image(functions, name, role, account, region)
        else:
            function(functions, name, role, Architectures=["arm64"], TracingConfig={"Mode": "Active"})
        change = {"account": account, "region": region, "function": name, "configuration": configuration}
        aws.control("/_groma/functions", change)


def sources(aws: Aws, functions: Any, account: str, region: str, role: str) -> None:
    """Mappings of a queue and a stream, to a function and to one of its versions."""
    function(functions, "reader", role, KMSKeyArn=f"arn:aws:kms:{region}:{account}:key/1234abcd")
    functions.publish_version(FunctionName="reader")
    for name in ("live", "next"):
        functions.create_alias(FunctionName="reader", Name=name, FunctionVersion="1" if name == "live" else "$LATEST")
    aws.client("kinesis", account, region).create_stream(StreamName=STREAM, ShardCount=1)
    stream = f"arn:aws:kinesis:{region}:{account}:stream/{STREAM}"
    limits = {"MaximumRecordAgeInSeconds": 3600, "MaximumRetryAttempts": 3, "BisectBatchOnFunctionError": True}
    windows = {"MaximumBatchingWindowInSeconds": 5, "TumblingWindowInSeconds": 60, "ParallelizationFactor": 2}
    start = {"StartingPosition": "AT_TIMESTAMP", "StartingPositionTimestamp": 1714525323}
    mapping(functions, "reader", stream, **start, **limits, **windows)
    mapping(functions, "reader:live", f"arn:aws:sqs:{region}:{account}:own", Enabled=False)


def role_of(aws: Aws, account: str) -> str:
    """The role of all functions of the account."""
    iam = aws.client("iam", account)
    arn = f"arn:aws:iam::{account}:role/{ROLE}"
    with contextlib.suppress(iam.exceptions.EntityAlreadyExistsException):
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust(Service="lambda.amazonaws.com"))
    return arn


def function(functions: Any, name: str, role: str, **more: Any) -> str:
    """A function from an archive; its ARN."""
    made = functions.create_function(
        FunctionName=name, Runtime="python3.12", Role=role, Handler=f"{name}.main", Code={"ZipFile": archive()}, **more
    )
    return made["FunctionArn"]


def image(functions: Any, name: str, role: str, account: str, region: str, **more: Any) -> None:
    uri = f"{account}.dkr.ecr.{region}.amazonaws.com/{name}:1"
    functions.create_function(FunctionName=name, Role=role, PackageType="Image", Code={"ImageUri": uri}, **more)


def layer(functions: Any, name: str) -> str:
    """A version of a layer; its ARN."""
    return functions.publish_layer_version(LayerName=name, Content={"ZipFile": archive()})["LayerVersionArn"]


def mapping(functions: Any, name: str, source: str, **more: Any) -> None:
    functions.create_event_source_mapping(FunctionName=name, EventSourceArn=source, **more)


def archive() -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as content:
        content.writestr(zipfile.ZipInfo("main.py"), "def main(event, context): pass\n")
    return file.getvalue()
