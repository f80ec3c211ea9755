"""The calls that moto lacks or answers too simply, filled in on moto's own classes.

Times stay what the seeding said: moto would note each use of an access key, and a survey of the account would then
never see the same graph twice.
"""

import json
import uuid
from datetime import datetime, timezone

import moto.core.responses
import moto.iam.models
import moto.organizations.utils
from moto.core.exceptions import JsonRESTError
from moto.core.responses import ActionResult
from moto.ec2.responses.availability_zones_and_regions import AvailabilityZonesAndRegions
from moto.ec2.responses.reserved_instances import ReservedInstances
from moto.ec2.responses.transit_gateway_route_tables import TransitGatewayRouteTable
from moto.iam.models import AccessKeyLastUsed, AWSManagedPolicy, IAMBackend, iam_backends
from moto.iam.responses import IamResponse
from moto.inspector2.responses import Inspector2Response
from moto.organizations.exceptions import OrganizationsClientError
from moto.organizations.models import OrganizationsBackend, organizations_backends

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

    def __init__(self, regions, pages):
        self.regions = regions
        self.pages = pages
        self.findings = {}
        self.members = {}
        self.inspector = {}
        self.reserved_instances = {}
        self.services_last_accessed = {}
        self.access_jobs = {}
        self.account_ids = []


def fill(extras):
    fill_iam(extras)
    fill_ec2(extras)
    fill_inspector2(extras)
    fill_organizations(extras)


def fill_iam(extras):
    known = json.loads(moto.iam.models.aws_managed_policies_data)
    known = {name: known[name] for name in MANAGED_POLICIES if name in known}

    def aws_policies(backend):
        return [
            AWSManagedPolicy.from_data(name, backend.account_id, backend.region_name, data)
            for name, data in known.items()
        ]

    def generate(response):
        arn = response._get_param("Arn")
        job = str(uuid.uuid5(uuid.NAMESPACE_URL, arn))
        extras.access_jobs[job] = arn
        return ActionResult({"JobId": job})

    def get(response):
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

    IAMBackend._init_aws_policies = aws_policies
    IamResponse.generate_service_last_accessed_details = generate
    IamResponse.get_service_last_accessed_details = get
    moto.iam.models.mark_account_as_visited = lambda **_: None


def fill_ec2(extras):
    def describe_reserved_instances(response):
        held = extras.reserved_instances.get((response.current_account, response.region), [])
        return ActionResult({"ReservedInstances": [with_dates(instance) for instance in held]})

    def describe_regions(response):
        regions = response.ec2_backend.describe_regions(response._get_param("RegionNames", []))
        every = response._get_bool_param("AllRegions", False)
        shown = []
        for region in regions:
            enabled = not extras.regions or region.name in extras.regions
            if enabled or every:
                status = "opt-in-not-required" if enabled else "not-opted-in"
                shown.append({"RegionName": region.name, "Endpoint": region.endpoint, "OptInStatus": status})
        return ActionResult({"Regions": shown})

    def search_transit_gateway_routes(response):
        # Without the page size, at which moto stumbles.
        table, filters = response._get_param("TransitGatewayRouteTableId"), response._filters_from_querystring()
        routes = response.ec2_backend.search_transit_gateway_routes(table, filters)
        return ActionResult({"Routes": routes, "AdditionalRoutesAvailable": False})

    TransitGatewayRouteTable.search_transit_gateway_routes = search_transit_gateway_routes
    ReservedInstances.describe_reserved_instances = describe_reserved_instances
    AvailabilityZonesAndRegions.describe_regions = describe_regions


class InspectorOff(JsonRESTError):
    """Worded as AWS does not: nobody may depend on the words."""

    code = 403

    def __init__(self):
        super().__init__("AccessDeniedException", "Amazon Inspector has not been activated here.")


def fill_inspector2(extras):
    def status_of(response, account):
        return extras.inspector.get((account, response.region), "ENABLED")

    def refuse_if_off(response):
        if status_of(response, response.current_account) == "DISABLED":
            raise InspectorOff()

    def batch_get_account_status(response):
        accounts = []
        for account in response._get_param("accountIds") or [response.current_account]:
            state = {"status": status_of(response, account), "errorCode": "ALREADY_ENABLED", "errorMessage": "none"}
            types = ("ec2", "ecr", "lambda", "lambdaCode", "codeRepository")
            accounts.append({"accountId": account, "state": state, "resourceState": dict.fromkeys(types, state)})
        return json.dumps({"accounts": accounts, "failedAccounts": []})

    def list_findings(response):
        refuse_if_off(response)
        findings = extras.findings.get((response.current_account, response.region), [])
        criteria = response._get_param("filterCriteria") or {}
        return page(extras, response, "findings", [it for it in findings if matches(it, criteria)], 100)

    def list_members(response):
        refuse_if_off(response)
        members = extras.members.get((response.current_account, response.region), [])
        owner = response.current_account
        shown = [
            {"accountId": member, "delegatedAdminAccountId": owner, "relationshipStatus": "ENABLED"}
            for member in members
        ]
        return page(extras, response, "members", shown, 50)

    Inspector2Response.batch_get_account_status = batch_get_account_status
    Inspector2Response.list_findings = list_findings
    Inspector2Response.list_members = list_members


def fill_organizations(extras):
    """moto lets every member list roots; AWS lets the management account and delegated administrators."""
    every = OrganizationsBackend.list_roots

    def list_roots(backend):
        if backend.org is None and backend.account_id in organizations_backends.master_accounts:
            raise OrganizationsClientError("AccessDeniedException", "You don't have permissions to access this resource.")
        return every(backend)

    OrganizationsBackend.list_roots = list_roots
    draw = moto.organizations.utils.make_random_account_id
    moto.organizations.utils.make_random_account_id = lambda: extras.account_ids.pop(0) if extras.account_ids else draw()


def page(extras, response, name, items, most):
    start = int(response._get_param("nextToken") or 0)
    size = extras.pages.limited(min(int(response._get_param("maxResults") or most), most))
    answer = {name: items[start : start + size]}
    if start + size < len(items):
        answer["nextToken"] = str(start + size)
    return json.dumps(answer)


def matches(finding, criteria):
    """Every criterion must hold; within one, equals and prefixes are alternatives and exclusions all count."""
    return all(holds(finding_values(finding, name), tests) for name, tests in criteria.items())


def finding_values(finding, name):
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


def holds(values, tests):
    wanted = [test for test in tests if test["comparison"] != "NOT_EQUALS"]
    unwanted = [test["value"] for test in tests if test["comparison"] == "NOT_EQUALS"]
    if any(value in unwanted for value in values):
        return False
    return not wanted or any(satisfies(value, test) for value in values for test in wanted)


def satisfies(value, test):
    if test["comparison"] == "PREFIX":
        return value.startswith(test["value"])
    return value == test["value"]


def patch_iam(change):
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


def set_dates(thing, dates):
    for name, value in dates.items():
        setattr(thing, name, parse_date(value))


def with_dates(record):
    return {name: parse_date(value) if is_date(name, value) else value for name, value in record.items()}


def is_date(name, value):
    return isinstance(value, str) and name in ("Start", "End", "LastAuthenticated")


def parse_date(text):
    return datetime.fromisoformat(text.replace("Z", "+00:00"))
