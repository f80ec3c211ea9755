"""The attributes of moto and botocore that this package replaces, adds or uses although they are not public.

moto promises to keep none of them, so `tests/dev/provision.py` pins it. After an upgrade `test_patches.py` fails first: it
compares what is listed here with what is there, and says what each was for.
"""

from __future__ import annotations

import importlib
import inspect
from typing import Any, NamedTuple

# Form of an attribute that does not exist.
ABSENT = "absent"


class Attribute(NamedTuple):
    """An attribute by its module and its name in it, its form in the pinned version (`form_of`), and what it is for."""

    module: str
    name: str
    form: str
    purpose: str


REPLACED = (
    Attribute("moto.core.utils", "utcnow", "()", "the seeding sets the clock"),
    Attribute("moto.elb.models", "datetime", "module datetime", "the seeding sets the clock"),
    Attribute("moto.autoscaling.models", "datetime", "class datetime", "the seeding sets the clock"),
    Attribute("moto.core.responses", "BaseResponse.serialized", "(self, action_result)", "answers are cut into pages"),
    Attribute(
        "moto.elb.models",
        "ELBBackend.create_load_balancer",
        "(self, name, zones, ports, scheme, subnets, security_groups)",
        "balancers of one name in two accounts have different DNS names",
    ),
    Attribute(
        "moto.elbv2.models",
        "ELBv2Backend.create_load_balancer",
        "(self, name, security_groups, subnet_ids, subnet_mappings, scheme, loadbalancer_type, ip_address_type, tags)",
        "balancers of one name in two accounts have different DNS names",
    ),
    Attribute(
        "moto.elb.models",
        "LoadBalancer.source_security_group",
        "property",
        "a balancer has its own source security group",
    ),
    Attribute(
        "moto.awslambda.models",
        "LambdaFunction.get_configuration",
        "(self, on_create)",
        "functions have a revision, and states and roles that the seeding chooses",
    ),
    Attribute(
        "moto.awslambda.responses", "LambdaResponse.list_functions", "(self)", "functions have pages, and no state"
    ),
    Attribute("moto.awslambda.responses", "LambdaResponse.list_aliases", "(self)", "aliases have pages"),
    Attribute(
        "moto.awslambda.responses",
        "LambdaResponse.list_event_source_mappings",
        "(self)",
        "event source mappings have pages",
    ),
    Attribute(
        "moto.kms.models",
        "Key.add_grant",
        "(self, name, grantee_principal, operations, constraints, retiring_principal)",
        "grants have a date, an issuer and the ARN of their key",
    ),
    Attribute("moto.kms.models", "Grant.to_json", "(self)", "grants have a date and an issuer"),
    Attribute(
        "moto.kms.responses",
        "RESERVED_ALIASE_TARGET_KEY_IDS",
        "value of dict",
        "predefined aliases have no key yet",
    ),
    Attribute(
        "moto.s3.models",
        "FakeBucket.__init__",
        "(self, name, account_id, region_name, bucket_namespace)",
        "the seeding sets the clock",
    ),
    Attribute("moto.s3.responses", "S3Response.all_buckets", "(self)", "buckets have regions and pages"),
    Attribute(
        "moto.s3.responses",
        "S3Response._bucket_response_get",
        "(self, bucket_name, querystring)",
        "a bucket answers in its own region",
    ),
    Attribute("moto.s3.responses", "S3Response.get_bucket_versioning", "(self)", "root element; MFA delete"),
    Attribute("moto.s3.responses", "S3Response.get_bucket_notification", "(self)", "root element"),
    Attribute(
        "moto.secretsmanager.models",
        "SecretsManagerBackend.list_secret_version_ids",
        "(self, secret_id)",
        "versions have the date of their creation, and keys",
    ),
    Attribute(
        "moto.secretsmanager.models",
        "SecretsManagerBackend.rotate_secret",
        "(self, secret_id, client_request_token, rotation_lambda_arn, rotation_rules, rotate_immediately)",
        "a secret is rotated without its function",
    ),
    Attribute("moto.secretsmanager.models", "FakeSecret.to_dict", "(self)", "secrets have the day of their last use"),
    Attribute("moto.secretsmanager.models", "time", "module time", "the seeding sets the clock"),
    Attribute(
        "moto.sns.models",
        "SNSBackend.subscribe",
        "(self, topic_arn, endpoint, protocol)",
        "subscriptions wait for their confirmation, and topics count them",
    ),
    Attribute("moto.sqs.models", "Queue.attributes", "property", "times are whole seconds"),
    Attribute("moto.sqs.models", "Queue.url", "(self, request_url)", "URLs do not depend on the port"),
    Attribute(
        "moto.ssm.responses",
        "SimpleSystemManagerResponse.describe_instance_information",
        ABSENT,
        "moto does not know the call; remove ours when it does",
    ),
    Attribute(
        "moto.ssm.responses",
        "SimpleSystemManagerResponse.describe_instance_patches",
        ABSENT,
        "moto does not know the call; remove ours when it does",
    ),
    Attribute(
        "moto.ssm.responses",
        "SimpleSystemManagerResponse.describe_parameters",
        "(self)",
        "parameters have ARNs and typed policies, in pages of the size that the caller wants",
    ),
    Attribute(
        "moto.cloudformation.parsing",
        "clean_json",
        "(resource_json, resources_map)",
        "items of a list that are AWS::NoValue go",
    ),
    Attribute(
        "moto.iam.models",
        "Role.create_from_cloudformation_json",
        "(resource_name, cloudformation_json, account_id, region_name, **kwargs)",
        "a role of a stack gets its managed policies",
    ),
    Attribute(
        "moto.sts.models",
        "AssumedRole.__init__",
        "(self, account_id, region_name, access_key, role_session_name, role_arn, policy, duration, external_id)",
        "sessions end when a test says so",
    ),
    Attribute(
        "moto.iam.models", "IAMBackend._init_aws_policies", "(self)", "ten managed policies instead of a thousand"
    ),
    Attribute(
        "moto.iam.models",
        "mark_account_as_visited",
        "(account_id, access_key, service, region)",
        "using a key leaves no trace",
    ),
    Attribute(
        "moto.ec2.responses.transit_gateway_route_tables",
        "TransitGatewayRouteTable.search_transit_gateway_routes",
        "(self)",
        "moto stumbles at a page size",
    ),
    Attribute(
        "moto.ec2.responses.reserved_instances",
        "ReservedInstances.describe_reserved_instances",
        "(self)",
        "moto has no reserved instances",
    ),
    Attribute(
        "moto.ec2.responses.availability_zones_and_regions",
        "AvailabilityZonesAndRegions.describe_regions",
        "(self)",
        "a few regions are enabled",
    ),
    Attribute(
        "moto.inspector2.responses", "Inspector2Response.batch_get_account_status", "(self)", "can be switched off"
    ),
    Attribute("moto.inspector2.responses", "Inspector2Response.list_findings", "(self)", "findings, filters and pages"),
    Attribute("moto.inspector2.responses", "Inspector2Response.list_members", "(self)", "members have pages"),
    Attribute(
        "moto.organizations.models",
        "OrganizationsBackend.list_roots",
        "(self)",
        "a member may not list the roots of its organization",
    ),
    Attribute("moto.organizations.utils", "make_random_account_id", "()", "the seeding chooses ids of accounts"),
    Attribute(
        "moto.moto_server.werkzeug_app",
        "DomainDispatcherApplication.get_backend_for_host",
        "(self, host)",
        "speed: moto reads the directory of its modules for every request",
    ),
    Attribute(
        "moto.core.responses",
        "method_names_from_class",
        "(clazz)",
        "speed: moto lists a class's methods for every request",
    ),
    Attribute(
        "moto.core.base_backend",
        "BackendDict._create_account_specific_backend",
        "(self, account_id)",
        "speed: moto takes a lock for each look at an account",
    ),
    Attribute(
        "moto.core.serialize",
        "ResponseSerializer.get_value",
        "(self, value, key, shape)",
        "speed: moto searches for the name of every attribute",
    ),
    Attribute(
        "botocore.loaders",
        "Loader.list_available_services",
        "(self, *args, **kwargs)",
        "speed: botocore lists a thousand folders for each model",
    ),
    Attribute(
        "moto.iam.responses",
        "IamResponse.generate_service_last_accessed_details",
        ABSENT,
        "moto does not know the call; remove ours when it does",
    ),
    Attribute(
        "moto.iam.responses",
        "IamResponse.get_service_last_accessed_details",
        ABSENT,
        "moto does not know the call; remove ours when it does",
    ),
)

USED = (
    Attribute("moto.core.responses", "BaseResponse._get_action", "(self)", "tells an answer with pages from others"),
    Attribute("moto.core.responses", "BaseResponse._get_param", "(self, param_name, if_none)", "parameters of a call"),
    Attribute(
        "moto.core.responses", "BaseResponse._get_bool_param", "(self, param_name, if_none)", "parameters of a call"
    ),
    Attribute(
        "moto.ec2.responses._base_response", "EC2BaseResponse._filters_from_querystring", "(self)", "filters of a call"
    ),
    Attribute("moto.sts.models", "STSBackend._create_access_key", "(self, role)", "keys of federated sessions"),
    Attribute(
        "moto.iam.aws_managed_policies",
        "aws_managed_policies_data",
        "value of str",
        "documents of AWS's managed policies",
    ),
    Attribute(
        "moto.core.serialize",
        "ResponseSerializer.__init__",
        "(self, operation_model, context, pretty_print, value_picker)",
        "sets `_value_picker`, which finds attributes",
    ),
    Attribute("moto.core.serialize", "DEFAULT_ALIAS_PROVIDERS", "value of list", "names of attributes"),
)

# What was there before, by module and name.
originals: dict[tuple[str, str], Any] = {}


def replace(owner: Any, name: str, new: object) -> None:
    """Puts `new` in the place of an attribute of a module or class, which must be in `REPLACED`."""
    is_module = inspect.ismodule(owner)
    key = (owner.__name__, name) if is_module else (owner.__module__, f"{owner.__qualname__}.{name}")
    if key not in {(listed.module, listed.name) for listed in REPLACED}:
        raise KeyError(f"{'.'.join(key)} is not listed in {__name__}")
    originals.setdefault(key, found(*key))
    setattr(owner, name, new)


def found(module: str, name: str) -> Any:
    """The attribute as moto or botocore define it; `ABSENT` if they do not."""
    if (module, name) in originals:
        return originals[module, name]
    value = importlib.import_module(module)
    for part in name.split("."):
        value = getattr(value, part, ABSENT)
    return value


def form_of(value: object) -> str:
    """What code that replaces or uses it depends on: the names of its parameters, or its kind."""
    if value is ABSENT:
        return ABSENT
    if inspect.ismodule(value):
        return f"module {value.__name__}"
    if isinstance(value, type):
        return f"class {value.__name__}"
    if isinstance(value, property):
        return "property"
    if not callable(value):
        return f"value of {type(value).__name__}"
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    parameters = inspect.signature(value).parameters.values()
    return f"({', '.join(stars.get(it.kind, '') + it.name for it in parameters)})"
