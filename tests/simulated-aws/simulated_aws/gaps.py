"""The calls that moto lacks or answers too simply, filled in on moto's own classes.

Times stay what the seeding said: moto would note each use of an access key, and a survey of the account would then
never see the same graph twice.
"""

from __future__ import annotations

import json
import uuid
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import moto.core.responses
import moto.iam.models
import moto.organizations.utils
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ec2.responses.availability_zones_and_regions import AvailabilityZonesAndRegions
from moto.ec2.responses.reserved_instances import ReservedInstances
from moto.ec2.responses.transit_gateway_route_tables import TransitGatewayRouteTable
from moto.iam.aws_managed_policies import aws_managed_policies_data
from moto.iam.models import AccessKeyLastUsed, AWSManagedPolicy, IAMBackend, iam_backends
from moto.iam.responses import IamResponse
from moto.inspector2.responses import Inspector2Response
from moto.organizations.exceptions import OrganizationsClientError
from moto.organizations.models import OrganizationsBackend, organizations_backends

from . import patches

if TYPE_CHECKING:
    from simulated_aws.pages import Pages

Json = dict[str, Any]

# The AWS managed policies that the simulated organizations attach. moto knows over a thousand and would parse six
# megabytes for each account and partition.
MANAGED_POLICIES = (
    "AdministratorAccess",
    "AmazonEC2ReadOnlyAccess",
    "AmazonInspector2ReadOnlyAccess",
    "AmazonS3ReadOnlyAccess",
    "AmazonSSMManagedInstanceCore",
    "IAMReadOnlyAccess",
    "PowerUserAccess",
    "ReadOnlyAccess",
    "SecurityAudit",
    "ViewOnlyAccess",
)


class Extras:
    """What the seeding adds that moto has no place for."""

    def __init__(self, regions: list[str], pages: Pages) -> None:
        self.regions = regions
        self.pages = pages
        # By account and region.
        self.findings: dict[tuple[str, str], list[Json]] = {}
        self.members: dict[tuple[str, str], list[str]] = {}
        # Status by account and region, where it is not enabled.
        self.inspector: dict[tuple[str, str], str] = {}
        self.reserved_instances: dict[tuple[str, str], list[Json]] = {}
        # Nodes of SSM by account and region, with their patches.
        self.managed_nodes: dict[tuple[str, str], list[Json]] = {}
        # By ARN, and ARNs by the id of a job.
        self.services_last_accessed: dict[str, list[Json]] = {}
        self.access_jobs: dict[str, str] = {}
        self.account_ids: list[str] = []


def fill(extras: Extras) -> None:
    fill_iam(extras)
    fill_ec2(extras)
    fill_inspector2(extras)
    fill_organizations(extras)


def fill_iam(extras: Extras) -> None:
    known = json.loads(aws_managed_policies_data)
    known = {name: known[name] for name in MANAGED_POLICIES if name in known}

    def aws_policies(backend: Any) -> list[AWSManagedPolicy]:
        return [
            AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
            for name, data in known.items()
        ]

    def generate(response: Any) -> ActionResult:
        arn = response._get_param("Arn")
        job = str(uuid.uuid5(uuid.NAMESPACE_URL, arn))
        extras.access_jobs[job] = arn
        return ActionResult({"JobId": job})

    def get(response: Any) -> ActionResult:
        arn = extras.access_jobs[response._get_param("JobId")]
        done = datetime(2024, 1, 1, tzinfo=timezone.utc)
        services = [with_dates(service) for service in extras.services_last_accessed.get(arn, [])]
        return ActionResult(
            {
                "JobStatus": "COMPLETED",
                "JobType": "SERVICE_LEVEL",
                "JobCreationDate": done,
                "JobCompletionDate": done,
                "ServicesLastAccessed": services,
                "IsTruncated": False,
            }
        )

    patches.replace(IAMBackend, "_init_aws_policies", aws_policies)
    patches.replace(IamResponse, "generate_service_last_accessed_details", generate)
    patches.replace(IamResponse, "get_service_last_accessed_details", get)
    patches.replace(moto.iam.models, "mark_account_as_visited", lambda **_: None)


def fill_ec2(extras: Extras) -> None:
    def describe_reserved_instances(response: Any) -> ActionResult:
        held = extras.reserved_instances.get((response.current_account, response.region), [])
        return ActionResult({"ReservedInstances": [with_dates(instance) for instance in held]})

    def describe_regions(response: Any) -> ActionResult:
        regions = response.ec2_backend.describe_regions(response._get_param("RegionNames", []))
        every = response._get_bool_param("AllRegions", False)
        shown = []
        for region in regions:
            enabled = not extras.regions or region.name in extras.regions
            if enabled or every:
                status = "opt-in-not-required" if enabled else "not-opted-in"
                shown.append({"RegionName": region.name, "Endpoint": region.endpoint, "OptInStatus": status})
        return ActionResult({"Regions": shown})

    def search_transit_gateway_routes(response: Any) -> ActionResult:
        # Without the page size, at which moto stumbles.
        table, filters = response._get_param("TransitGatewayRouteTableId"), response._filters_from_querystring()
        routes = response.ec2_backend.search_transit_gateway_routes(table, filters)
        return ActionResult({"Routes": routes, "AdditionalRoutesAvailable": False})

    patches.replace(TransitGatewayRouteTable, "search_transit_gateway_routes", search_transit_gateway_routes)
    patches.replace(ReservedInstances, "describe_reserved_instances", describe_reserved_instances)
    patches.replace(AvailabilityZonesAndRegions, "describe_regions", describe_regions)


class InspectorOff(JsonRESTError):
    """Not in AWS's words: nothing may depend on them."""

    code = 403

    def __init__(self) -> None:
        super().__init__("AccessDeniedException", "Amazon Inspector has not been activated here.")


def fill_inspector2(extras: Extras) -> None:
    def status_of(response: Any, account: str) -> str:
        return extras.inspector.get((account, response.region), "ENABLED")

    def refuse_if_off(response: Any) -> None:
        if status_of(response, response.current_account) == "DISABLED":
            raise InspectorOff()

    def batch_get_account_status(response: Any) -> str:
        accounts = []
        for account in response._get_param("accountIds") or [response.current_account]:
            state = {"status": status_of(response, account), "errorCode": "ALREADY_ENABLED", "errorMessage": "none"}
            types = ("ec2", "ecr", "lambda", "lambdaCode", "codeRepository")
            accounts.append({"accountId": account, "state": state, "resourceState": dict.fromkeys(types, state)})
        return json.dumps({"accounts": accounts, "failedAccounts": []})

    def list_findings(response: Any) -> str:
        refuse_if_off(response)
        findings = extras.findings.get((response.current_account, response.region), [])
        criteria = response._get_param("filterCriteria") or {}
        return page(extras, response, "findings", [it for it in findings if matches(it, criteria)], 100)

    def list_members(response: Any) -> str:
        refuse_if_off(response)
        members = extras.members.get((response.current_account, response.region), [])
        owner = response.current_account
        shown = [
            {"accountId": member, "delegatedAdminAccountId": owner, "relationshipStatus": "ENABLED"}
            for member in members
        ]
        return page(extras, response, "members", shown, 50)

    patches.replace(Inspector2Response, "batch_get_account_status", batch_get_account_status)
    patches.replace(Inspector2Response, "list_findings", list_findings)
    patches.replace(Inspector2Response, "list_members", list_members)


def fill_organizations(extras: Extras) -> None:
    """moto lets every member list roots; AWS lets the management account and delegated administrators."""
    every = OrganizationsBackend.list_roots

    def list_roots(backend: Any) -> Any:
        if backend.org is None and backend.account_id in organizations_backends.master_accounts:
            raise OrganizationsClientError(
                "AccessDeniedException", "You don't have permissions to access this resource."
            )
        return every(backend)

    patches.replace(OrganizationsBackend, "list_roots", list_roots)
    utils = moto.organizations.utils
    draw = utils.make_random_account_id
    patches.replace(
        utils, "make_random_account_id", lambda: extras.account_ids.pop(0) if extras.account_ids else draw()
    )


def page(extras: Extras, response: Any, name: str, items: list[Any], most: int) -> str:
    token, size = response._get_param("nextToken"), response._get_param("maxResults")
    shown, more = extras.pages.part(items, token, size, most)
    return json.dumps({name: shown, "nextToken": more})


def matches(finding: Json, criteria: Json) -> bool:
    """Every criterion must hold; within one, equals and prefixes are alternatives and exclusions all count."""
    return all(holds(finding_values(finding, name), tests) for name, tests in criteria.items())


def finding_values(finding: Json, name: str) -> list[str]:
    if name == "findingStatus":
        return [finding["status"]]
    if name == "findingType":
        return [finding["type"]]
    if name == "resourceId":
        return [resource["id"] for resource in finding["resources"]]
    if name == "resourceType":
        return [resource["type"] for resource in finding["resources"]]
    if name == "vulnerabilityId":
        return [finding.get("packageVulnerabilityDetails", {}).get("vulnerabilityId", "")]
    return [str(finding.get(name, ""))]


def holds(values: list[str], tests: list[Json]) -> bool:
    wanted = [test for test in tests if test["comparison"] != "NOT_EQUALS"]
    unwanted = [test["value"] for test in tests if test["comparison"] == "NOT_EQUALS"]
    if any(value in unwanted for value in values):
        return False
    return not wanted or any(satisfies(value, test) for value in values for test in wanted)


def satisfies(value: str, test: Json) -> bool:
    if test["comparison"] == "PREFIX":
        return value.startswith(test["value"])
    return value == test["value"]


def patch_iam(change: Json) -> None:
    """Sets the dates that IAM's own calls only ever set to now."""
    backend = iam_backends[change["account"]]["aws"]
    for name, dates in change.get("users", {}).items():
        set_dates(backend.get_user(name), dates)
    for name, dates in change.get("roles", {}).items():
        set_dates(backend.get_role(name), dates)
    for key_id, dates in change.get("access_keys", {}).items():
        key = backend.access_keys[key_id]
        used = dates.pop("last_used", None)
        set_dates(key, dates)
        if used:
            key.last_used = AccessKeyLastUsed(parse_date(used["date"]), used["service"], used["region"])


def set_dates(thing: Any, dates: Json) -> None:
    for name, value in dates.items():
        setattr(thing, name, parse_date(value))


def with_dates(record: Json) -> dict[str, datetime]:
    return {name: parse_date(value) if is_date(name, value) else value for name, value in record.items()}


def is_date(name: str, value: Any) -> bool:
    return isinstance(value, str) and name in ("Start", "End", "LastAuthenticated")


def parse_date(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
