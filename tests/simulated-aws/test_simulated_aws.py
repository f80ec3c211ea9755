"""The simulated AWS as a caller meets it: trust, session policies, faults, pages, and what moto lacks."""

from __future__ import annotations

import configparser
import contextlib
import http.client
import json
import os
import tempfile
import time
import unittest
import urllib.parse
from collections.abc import Callable
from typing import Any

import simulated
from botocore.exceptions import ClientError
from seeding.accounts import ALPHA, BETA, HUB
from seeding.aws import Aws

PAGED = (
    ("ec2", "describe_instances", "Reservations", "ReservationId"),
    ("ec2", "describe_network_interfaces", "NetworkInterfaces", "NetworkInterfaceId"),
    ("ec2", "describe_volumes", "Volumes", "VolumeId"),
    ("ec2", "describe_snapshots", "Snapshots", "SnapshotId"),
    ("ec2", "describe_security_groups", "SecurityGroups", "GroupId"),
    ("ec2", "describe_route_tables", "RouteTables", "RouteTableId"),
    ("iam", "list_users", "Users", "Arn"),
    ("iam", "list_roles", "Roles", "Arn"),
    ("iam", "list_policies", "Policies", "Arn"),
    ("elb", "describe_load_balancers", "LoadBalancerDescriptions", "LoadBalancerName"),
    ("elbv2", "describe_load_balancers", "LoadBalancers", "LoadBalancerArn"),
    ("elbv2", "describe_target_groups", "TargetGroups", "TargetGroupArn"),
    ("autoscaling", "describe_auto_scaling_groups", "AutoScalingGroups", "AutoScalingGroupARN"),
    ("autoscaling", "describe_launch_configurations", "LaunchConfigurations", "LaunchConfigurationARN"),
    ("inspector2", "list_findings", "findings", "findingArn"),
    ("ssm", "describe_instance_information", "InstanceInformationList", "InstanceId"),
    ("ssm", "describe_parameters", "Parameters", "ARN"),
)


class SimulatedAws(unittest.TestCase):
    @classmethod
    def setUpClass(cls) -> None:
        held = contextlib.ExitStack()
        cls.addClassCleanup(held.close)
        cls.folder = held.enter_context(tempfile.TemporaryDirectory())
        server = held.enter_context(simulated.server())
        cls.endpoint = server.endpoint
        cls.aws = Aws(cls.endpoint)
        cls.hub = simulated.organization(server, "test", cls.folder)

    def tearDown(self) -> None:
        self.aws.control("/_groma/faults", method="DELETE")
        self.aws.control("/_groma/page-size", {"items": None})

    def client(self, service: str, key: dict[str, Any] | None = None, region: str = "us-east-1") -> Any:
        return simulated.client(self.endpoint, service, key or self.hub, region)

    def assume(
        self, account: str, key: dict[str, Any] | None = None, role: Any = "cartography-read-only", **more: Any
    ) -> dict[str, str]:
        arn = f"arn:aws:iam::{account}:role/{role}"
        return self.client("sts", key).assume_role(RoleArn=arn, RoleSessionName="test", **more)["Credentials"]

    def refused(self, code: str, call: Callable[[], object]) -> None:
        with self.assertRaises(ClientError) as refusal:
            call()
        self.assertEqual(refusal.exception.response["Error"]["Code"], code)

    def test_a_connection_serves_several_requests(self) -> None:
        address = urllib.parse.urlsplit(self.endpoint).netloc
        with contextlib.closing(http.client.HTTPConnection(address, timeout=30)) as connection:
            held = set()
            for body in (b'{"items": null}', b"no JSON", b"null"):
                connection.request("POST", "/_groma/page-size", body)
                answer = connection.getresponse()
                answer.read()
                held.add(connection.sock.getsockname())
            self.assertEqual(answer.status, 400)
            self.assertEqual(len(held), 1)

    def test_a_role_has_to_trust_its_caller(self) -> None:
        session = self.assume(ALPHA)
        self.assertEqual(self.client("sts", session).get_caller_identity()["Account"], ALPHA)
        self.refused("AccessDenied", lambda: self.assume(ALPHA, role="trusts-account-id"))
        self.refused("AccessDenied", lambda: self.assume(ALPHA, role="no-such-role"))

    def test_an_external_id_is_asked_for(self) -> None:
        self.refused("AccessDenied", lambda: self.assume(BETA))
        self.refused("AccessDenied", lambda: self.assume(BETA, ExternalId="another"))
        self.assertIn("SessionToken", self.assume(BETA, ExternalId="survey of beta / büro"))

    def test_a_session_policy_narrows(self) -> None:
        allowed = {"Effect": "Allow", "Action": ["ec2:DescribeV*"], "Resource": "*"}
        policy = json.dumps({"Version": "2012-10-17", "Statement": [allowed]})
        ec2 = self.client("ec2", self.assume(ALPHA, Policy=policy))
        self.assertTrue(ec2.describe_vpcs()["Vpcs"])
        self.refused("UnauthorizedOperation", ec2.describe_subnets)

    def test_a_session_policy_narrows_what_roles_can_be_assumed(self) -> None:
        allowed = {"Effect": "Allow", "Action": ["ec2:DescribeVpcs"], "Resource": "*"}
        narrowed = self.assume(ALPHA, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allowed]}))
        arn = f"arn:aws:iam::{ALPHA}:role/cartography-read-only"
        again = self.client("sts", narrowed).assume_role
        self.refused("AccessDenied", lambda: again(RoleArn=arn, RoleSessionName="again"))

    def test_a_user_federates_if_its_policies_allow_it(self) -> None:
        policy = json.dumps({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": ["ec2:DescribeVpcs", "iam:ListUsers"], "Resource": "*"}]})  # fmt: skip
        federate = self.client("sts").get_federation_token
        self.refused("AccessDenied", lambda: federate(Name="groma-ec2", Policy=policy))
        document = {"Effect": "Allow", "Action": "sts:GetFederationToken", "Resource": "*"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [document]})
        named = {"UserName": "groma", "PolicyName": "may-federate"}
        owner = self.aws.client("iam", HUB, "us-east-1")
        owner.put_user_policy(**named, PolicyDocument=document)
        self.addCleanup(owner.delete_user_policy, **named)
        session = federate(Name="groma-ec2", Policy=policy)["Credentials"]
        arn = self.client("sts", session).get_caller_identity()["Arn"]
        self.assertEqual(arn, f"arn:aws:sts::{HUB}:federated-user/groma-ec2")
        self.assertTrue(self.client("ec2", session).describe_vpcs()["Vpcs"])
        self.refused("UnauthorizedOperation", self.client("ec2", session).describe_subnets)
        self.refused("AccessDenied", self.client("iam", session).list_users)
        assume = self.client("sts", session).assume_role
        role = f"arn:aws:iam::{ALPHA}:role/cartography-read-only"
        self.refused("AccessDenied", lambda: assume(RoleArn=role, RoleSessionName="test"))

    def test_a_session_ends(self) -> None:
        self.aws.control("/_groma/sessions", {"seconds": -1})
        ended = self.assume(ALPHA)
        self.aws.control("/_groma/sessions", {"seconds": None})
        self.refused("ExpiredToken", self.client("ec2", ended).describe_vpcs)
        self.refused("ExpiredTokenException", self.client("organizations", ended).describe_organization)
        self.assertTrue(self.client("ec2", self.assume(ALPHA)).describe_vpcs()["Vpcs"])

    def test_faults_count_and_end(self) -> None:
        ec2 = self.client("ec2", self.assume(ALPHA))
        self.aws.control("/_groma/faults", [{"action": "DescribeVpcs", "code": "RequestLimitExceeded", "times": 1}])
        self.refused("RequestLimitExceeded", ec2.describe_vpcs)
        self.assertTrue(ec2.describe_vpcs()["Vpcs"])
        self.aws.control("/_groma/faults", [{"region": "eu-west-1", "service": "ec2", "code": "UnauthorizedOperation"}])
        self.assertTrue(ec2.describe_vpcs()["Vpcs"])
        elsewhere = self.client("ec2", self.assume(ALPHA), "eu-west-1")
        self.refused("UnauthorizedOperation", elsewhere.describe_vpcs)

    def test_a_load_balancer_is_deleted_once_it_was_listed(self) -> None:
        owner, seen = self.aws.client("elbv2", ALPHA), self.client("elbv2", self.assume(ALPHA))
        subnets = [subnet["SubnetId"] for subnet in self.aws.client("ec2", ALPHA).describe_subnets()["Subnets"][:2]]
        made = owner.create_load_balancer(Name="going", Subnets=subnets, Scheme="internal", Type="network")
        arn = made["LoadBalancers"][0]["LoadBalancerArn"]
        rule = {"account": ALPHA, "region": "us-east-1", "load_balancer": "going"}
        self.aws.control("/_groma/deletions", [rule])
        names = [balancer["LoadBalancerName"] for balancer in owner.describe_load_balancers()["LoadBalancers"]]
        self.assertIn("going", names, "the seeding deletes nothing")
        self.client("elb", self.assume(ALPHA)).describe_load_balancers()
        self.assertEqual(json.loads(self.aws.control("/_groma/deletions", method="GET")), [rule])
        balancers = seen.get_paginator("describe_load_balancers")
        self.aws.control("/_groma/page-size", {"items": 1})
        pages = (balancers.paginate() for _ in range(2))
        listed, left = ([it["LoadBalancerName"] for page in each for it in page["LoadBalancers"]] for each in pages)
        self.assertEqual(sorted(set(listed) - set(left)), ["going"])
        self.refused("LoadBalancerNotFound", lambda: seen.describe_listeners(LoadBalancerArn=arn))
        self.assertEqual(json.loads(self.aws.control("/_groma/deletions", method="GET")), [])

    def test_every_page_is_there_once(self) -> None:
        sessions = {ALPHA: self.assume(ALPHA), BETA: self.assume(BETA, ExternalId="survey of beta / büro")}
        for service, operation, key, identity in PAGED:
            # Each has more than a page in one of the two.
            session = sessions[BETA if service in ("elb", "elbv2", "autoscaling") else ALPHA]
            with self.subTest(operation):
                paginator = self.client(service, session).get_paginator(operation)
                self.aws.control("/_groma/page-size", {"items": None})
                whole = [item[identity] for page in paginator.paginate() for item in page[key]]
                self.aws.control("/_groma/page-size", {"items": 4})
                pages = [[item[identity] for item in page[key]] for page in paginator.paginate()]
                self.assertEqual([item for page in pages for item in page], whole)
                self.assertTrue(all(len(page) <= 4 for page in pages))
                self.assertEqual(len(pages), -(-len(whole) // 4))
                self.assertGreater(len(pages), 1)

    def test_buckets_have_regions_and_pages(self) -> None:
        s3 = self.client("s3", self.assume(ALPHA))
        whole = s3.list_buckets(MaxBuckets=10_000)["Buckets"]
        self.assertEqual({"us-east-1", "eu-west-1", "ap-southeast-2"}, {bucket["BucketRegion"] for bucket in whole})
        self.assertNotIn("BucketRegion", s3.list_buckets()["Buckets"][0])
        self.aws.control("/_groma/page-size", {"items": 4})
        pages = list(s3.get_paginator("list_buckets").paginate(MaxBuckets=10_000))
        self.assertEqual([bucket for page in pages for bucket in page["Buckets"]], whole)
        self.assertEqual([len(page["Buckets"]) for page in pages[:-1]], [4] * (len(whole) // 4))

    def test_a_bucket_answers_in_its_region(self) -> None:
        s3 = self.client("s3", self.assume(ALPHA))
        name = f"site-{ALPHA}"
        self.assertEqual(s3.get_bucket_location(Bucket=name)["LocationConstraint"], "eu-west-1")
        self.aws.control("/_groma/calls", method="DELETE")
        # botocore goes where it is sent.
        s3.get_bucket_acl(Bucket=name)
        calls = json.loads(self.aws.control("/_groma/calls", method="GET"))
        self.assertEqual(
            [region for _, region, _, action in calls if action == "GetBucketAcl"], ["us-east-1", "eu-west-1"]
        )

    def test_the_block_of_an_account_is_the_same_in_every_region(self) -> None:
        action = {"Effect": "Allow", "Action": "s3:GetAccountPublicAccessBlock", "Resource": "*"}
        session = self.assume(ALPHA, Policy=json.dumps({"Version": "2012-10-17", "Statement": [action]}))
        for region in ("us-east-1", "eu-west-1"):
            s3control = self.client("s3control", session, region)
            block = s3control.get_public_access_block(AccountId=ALPHA)["PublicAccessBlockConfiguration"]
            self.assertEqual((block["BlockPublicAcls"], block["IgnorePublicAcls"]), (True, False))
        without = self.client("s3control", self.assume(BETA, ExternalId="survey of beta / büro"))
        self.refused("NoSuchPublicAccessBlockConfiguration", lambda: without.get_public_access_block(AccountId=BETA))
        self.refused("AccessDenied", lambda: self.client("s3", session).list_buckets())

    def test_account_details_have_pages(self) -> None:
        iam = self.client("iam", self.assume(ALPHA)).get_paginator("get_account_authorization_details")
        keys = ("UserDetailList", "GroupDetailList", "RoleDetailList", "Policies")
        whole = list(iam.paginate())
        self.assertGreater(len(whole), 1)
        self.aws.control("/_groma/page-size", {"items": 9})
        cut = list(iam.paginate())
        for key in keys:
            names = [[item["Arn"] for page in pages for item in page[key]] for pages in (whole, cut)]
            self.assertEqual(*names)
        self.assertTrue(all(sum(len(page[key]) for key in keys) <= 9 for page in cut))

    def test_closed_findings_can_be_left_out(self) -> None:
        inspector = self.client("inspector2", self.assume(ALPHA))
        criteria = {"findingStatus": [{"comparison": "NOT_EQUALS", "value": "CLOSED"}],
                    "awsAccountId": [{"comparison": "EQUALS", "value": ALPHA}]}  # fmt: skip
        pages = inspector.get_paginator("list_findings").paginate(filterCriteria=criteria)
        statuses = {finding["status"] for page in pages for finding in page["findings"]}
        self.assertEqual(statuses, {"ACTIVE", "SUPPRESSED"})

    def test_inspector_can_be_switched_off_in_a_region(self) -> None:
        inspector = self.client("inspector2", self.assume(ALPHA))

        def status() -> set[str]:
            (account,) = inspector.batch_get_account_status(accountIds=[ALPHA])["accounts"]
            return {account["state"]["status"], *(state["status"] for state in account["resourceState"].values())}

        self.assertEqual(status(), {"ENABLED"})
        switch = {"account": ALPHA, "region": "us-east-1", "status": "DISABLED"}
        self.aws.control("/_groma/inspector2/status", switch)
        self.addCleanup(self.aws.control, "/_groma/inspector2/status", {**switch, "status": "ENABLED"})
        self.assertEqual(status(), {"DISABLED"})
        self.refused("AccessDeniedException", inspector.list_findings)
        self.refused("AccessDeniedException", inspector.list_members)
        elsewhere = self.client("inspector2", self.assume(ALPHA), region="eu-west-1")
        elsewhere.list_findings()

    def test_using_a_key_leaves_no_trace(self) -> None:
        before = self.client("iam").get_access_key_last_used(AccessKeyId=self.hub["AccessKeyId"])["AccessKeyLastUsed"]
        self.assertEqual(before["ServiceName"], "N/A")

    def test_calls_are_counted_but_not_the_seeding(self) -> None:
        self.aws.control("/_groma/calls", method="DELETE")
        self.aws.client("ec2", HUB).describe_vpcs()
        self.client("ec2").describe_vpcs()
        calls = json.loads(self.aws.control("/_groma/calls", method="GET"))
        self.assertEqual(calls, [[HUB, "us-east-1", "ec2", "DescribeVpcs"]])

    def test_the_files_reach_every_spoke(self) -> None:
        config = configparser.ConfigParser()
        config.read(os.path.join(self.folder, "config"))
        self.assertEqual(config.sections(), ["profile hub", "profile alpha", "profile beta", "profile gamma"])
        self.assertEqual(config["profile beta"]["external_id"], "survey of beta / büro")
        self.assertEqual(os.stat(os.path.join(self.folder, "credentials")).st_mode & 0o777, 0o600)

    def test_a_member_knows_its_organization_and_may_not_list_it(self) -> None:
        member = self.client("organizations", self.assume(ALPHA))
        self.assertEqual(member.describe_organization()["Organization"]["MasterAccountId"], HUB)
        self.refused("AccessDeniedException", member.list_roots)
        self.assertEqual(len(self.client("organizations").list_roots()["Roots"]), 1)

    def test_latency_holds_every_call(self) -> None:
        self.aws.control("/_groma/latency", {"milliseconds": 200})
        started = time.monotonic()
        self.client("ec2").describe_vpcs()
        self.aws.control("/_groma/latency", {"milliseconds": 0})
        self.assertGreater(time.monotonic() - started, 0.2)


if __name__ == "__main__":
    unittest.main()
