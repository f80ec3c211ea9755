"""Tests of the benchmark's own parts: python3 -m unittest discover tests/bench"""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import http.server
import json
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "parity"))

import buckets
import large_account
import measure
import report
import warm_up
from many_accounts import Place
from recorded_aws import Connection, RecordedAws, normalized, take

SESSION = b"<Credentials><AccessKeyId>ASIA1</AccessKeyId><Expiration>2024-03-01T12:00:00Z</Expiration></Credentials>"


class Simulated(http.server.BaseHTTPRequestHandler):
    """Answers with how often it was asked, or with a session."""

    asked = 0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        Simulated.asked += 1
        answer = SESSION if b"AssumeRole" in body else b"answer %d" % Simulated.asked
        self.send_response(500 if b"Action=Fail" in body else 200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


class WarmUpTest(unittest.TestCase):
    def warmed(self, *seconds: float) -> list[float]:
        return warm_up.until_no_faster(lambda number: seconds[number])

    def test_it_ends_with_a_pair_that_is_no_faster(self) -> None:
        self.assertEqual(self.warmed(90, 60, 50, 48, 20), [90, 60, 50, 48])
        self.assertEqual(self.warmed(90, 95, 20), [90, 95])

    def test_one_that_gets_faster_for_ever_ends_and_is_named(self) -> None:
        taken = self.warmed(*(2.0**-number for number in range(20)))
        self.assertEqual(len(taken), warm_up.MOST)
        self.assertIn("still getting faster", warm_up.line("groma", taken))
        sentence = warm_up.sentence({"groma": taken, "cartography": [9, 9]})
        self.assertEqual(sentence, "(pairs of syncs: groma 8, cartography 2). groma still got faster then.")


class BucketsTest(unittest.TestCase):
    def setUp(self) -> None:
        self.now = 0.0
        self.buckets = buckets.Buckets(lambda: self.now)

    def passed(self, calls: int, body: bytes, account: bytes = b"1", service: bytes = b"ec2") -> int:
        """How many of these calls at one moment pass."""
        return sum(self.buckets.take(account, b"r", service, body) is None for _ in range(calls))

    def test_a_bucket_empties_and_fills_at_its_rate(self) -> None:
        body = b"Action=DescribeVpcs&MaxResults=5"
        self.assertEqual(self.passed(150, body), 100)
        self.now = 2.0
        self.assertEqual(self.passed(150, body), 40)
        self.now = 1000.0
        self.assertEqual(self.passed(150, body), 100)

    def test_who_shares_a_bucket(self) -> None:
        self.assertEqual(self.passed(60, b"Action=DescribeVolumes"), 50)
        self.assertEqual(self.passed(101, b"Action=DescribeSubnets"), 100)
        self.assertEqual(self.passed(101, b"Action=DescribeSubnets", account=b"2"), 100)
        elb = {"service": b"elasticloadbalancing"}
        self.assertEqual(self.passed(30, b"Action=DescribeListeners&Version=2015-12-01", **elb), 30)
        self.assertEqual(self.passed(30, b"Action=DescribeRules&Version=2015-12-01", **elb), 10)
        self.assertEqual(self.passed(30, b"Action=DescribeLoadBalancers&Version=2012-06-01", **elb), 30)
        self.assertEqual(self.passed(5_000, b"Action=ListRoles", service=b"iam"), 5_000)
        self.assertEqual(self.passed(5_000, b"{}", service=b"inspector2"), 5_000)

    def test_each_service_refuses_in_its_form(self) -> None:
        for service, body, status in (
            (b"ec2", b"Action=A", 503),
            (b"elasticloadbalancing", b"Action=A&Version=1", 400),
        ):
            self.passed(100, body, service=service)
            refusal = self.buckets.take(b"1", b"r", service, body)
            assert refusal
            refused, text = refusal
            self.assertEqual(refused, status)
            self.assertIn(b"<Code>", text)


class RecordedAwsTest(unittest.TestCase):
    def setUp(self) -> None:
        Simulated.asked = 0
        behind = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Simulated)
        threading.Thread(target=behind.serve_forever, daemon=True).start()
        self.addCleanup(lambda: (behind.shutdown(), behind.server_close()))
        self.aws = RecordedAws(f"http://127.0.0.1:{behind.server_port}")
        loop = asyncio.new_event_loop()
        threading.Thread(target=loop.run_forever, daemon=True).start()
        serving = loop.create_server(lambda: Connection(self.aws), "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(serving, loop).result()
        self.port = server.sockets[0].getsockname()[1]
        self.addCleanup(loop.call_soon_threadsafe, server.close)

    def ask(self, body: bytes, key: str = "AKIA1", service: str = "ec2") -> Any:
        with contextlib.closing(self.connection()) as connection:
            return self.ask_over(connection, body, key, service)

    def connection(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port)

    def ask_over(
        self, connection: http.client.HTTPConnection, body: bytes, key: str = "AKIA1", service: str = "ec2"
    ) -> Any:
        scope = f"AWS4-HMAC-SHA256 Credential={key}/20240301/us-east-1/{service}/aws4_request, Signature=0"
        connection.request("POST", "/", body, {"Authorization": scope})
        return connection.getresponse().read()

    def test_an_answer_is_asked_for_once_whatever_the_order_of_the_fields(self) -> None:
        self.assertEqual(self.ask(b"Action=A&X=1&Y=2"), b"answer 1")
        self.assertEqual(self.ask(b"Action=A&Y=2&X=1"), b"answer 1")
        self.assertEqual(self.ask(b"Action=A&X=2&Y=1"), b"answer 2")
        self.assertEqual((self.aws.counts.calls, len(self.aws.counts.unrecorded)), (3, 2))

    def test_accounts_are_kept_apart_and_sessions_of_one_are_not(self) -> None:
        role = b"Action=AssumeRole&RoleArn=arn%3Aaws%3Aiam%3A%3A222222222222%3Arole%2Fr&RoleSessionName="
        first = self.ask(role + b"one", service="sts")
        self.assertIn(b"ASIA1", first)
        self.assertNotIn(b"2024-03-01T12:00:00Z", self.ask(role + b"two", service="sts"))
        self.assertEqual(Simulated.asked, 1)
        own, other = self.ask(b"Action=A"), self.ask(b"Action=A", key="ASIA1")
        self.assertNotEqual(own, other)
        self.aws.accounts[b"ASIA2"] = b"222222222222"
        self.assertEqual(self.ask(b"Action=A", key="ASIA2"), other)

    def test_a_failure_is_counted_and_not_kept(self) -> None:
        self.ask(b"Action=Fail")
        self.ask(b"Action=Fail")
        self.assertEqual((Simulated.asked, self.aws.counts.failed), (2, 2))

    def test_a_connection_is_kept_and_a_latency_holds_up_no_other_call(self) -> None:
        with contextlib.closing(self.connection()) as connection:
            self.ask_over(connection, b"Action=A")
            connection.request("POST", "/_bench/reset?milliseconds=200")
            connection.getresponse().read()
        began = time.monotonic()
        threads = [threading.Thread(target=self.ask, args=(b"Action=A",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took = time.monotonic() - began
        self.assertTrue(0.2 <= took < 0.8, took)
        self.assertEqual(self.aws.counts.most_in_flight, 8)


class PartsTest(unittest.TestCase):
    def test_a_request_is_taken_when_it_is_whole(self) -> None:
        whole = b"POST /a HTTP/1.1\r\nContent-Length: 3\r\nX-Amz-Target: T\r\n\r\nabcPOST"
        for cut in range(len(whole) - 4):
            self.assertIsNone(take(bytearray(whole[:cut])))
        received = bytearray(whole)
        request = take(received)
        assert request
        self.assertEqual((request.path, request.body, request.headers[b"x-amz-target"]), (b"/a", b"abc", b"T"))
        self.assertEqual(received, b"POST")

    def test_a_session_policy_is_part_of_what_is_asked_and_its_name_is_not(self) -> None:
        ask = b"Action=AssumeRole&RoleArn=r&Policy=%s&RoleSessionName=%s&Tags.member.1.Key=%s"
        self.assertEqual(normalized(ask % (b"p", b"1", b"k")), normalized(ask % (b"p", b"2", b"l")))
        self.assertNotEqual(normalized(ask % (b"p", b"1", b"k")), normalized(ask % (b"q", b"1", b"k")))
        self.assertEqual(normalized(b'{"b": 1, "a": 2}'), b'{"b": 1, "a": 2}')

    def test_a_program_is_measured_with_what_it_leaves_behind(self) -> None:
        measure.adopt_orphans()
        busy = "import time\nwhile time.process_time() < 0.3: pass"
        leaving = f"import subprocess, sys, time; subprocess.Popen([sys.executable, '-c', {busy!r}]); time.sleep(0.2)"
        with tempfile.TemporaryDirectory() as folder:
            taken = measure.run([sys.executable, "-c", leaving], None, Path(folder, "log"))
            self.assertGreater(taken.cpu, 0.3)
            self.assertGreater(taken.megabytes, 5)
            with self.assertRaisesRegex(measure.Failed, "gone wrong"):
                measure.run([sys.executable, "-c", "raise SystemExit('gone wrong')"], None, Path(folder, "log"))

    def test_the_table_has_medians_and_ratios(self) -> None:
        run = {"latency": 50, "sync": 1, "cpu": 4.0, "servers_cpu": 0, "megabytes": 80, "calls": 10}
        run |= {"most_in_flight": 1, "neo4j_cpu": 5, "aws_cpu": 0.1}
        runs = [{**run, "program": "cartography", "seconds": 40.0}]
        runs += [{**run, "program": "groma", "seconds": seconds} for seconds in (3.0, 4.0, 90.0)]
        runs += [{**run, "program": "groma-raised", "seconds": 2.0}]
        table = report.table(runs, 50)
        self.assertRegex(table, r"\| first sync +\| +40.0 s \| +4.0 s \| +10× \| +2.0 s \| +20× \|")
        self.assertRegex(table, r"\| second sync +(\| +){5}\|")


class ManyAccountsTest(unittest.TestCase):
    ANSWER = (
        b"vpc-0123456789abcdef0 vpc-01234567 arn:aws:iam::222222222222:role/r us-east-1a AKIAABCDEFGHIJKLMNOP"
        b" front-1.us-east-1.elb.amazonaws.com"
    )

    def test_what_an_account_hears_is_its_own_and_can_be_asked_about(self) -> None:
        place = Place("222222222222", b"500000000001", b"eu-west-1")
        told = place.told(self.ANSWER)
        self.assertRegex(
            told,
            rb"^vpc-[0-9a-f]{17} vpc-[0-9a-f]{8} arn:aws:iam::500000000001:role/r eu-west-1a AKIA[0-9A-F]{16}"
            rb" front-1\.eu-west-1\.500000000001\.elb\.amazonaws\.com$",
        )
        self.assertEqual(place.told(self.ANSWER), told)
        self.assertEqual(place.asked(told), self.ANSWER)

    def test_no_two_places_share_an_id(self) -> None:
        ids = {Place("222222222222", *place).told(b"i-0123456789abcdef0") for place in self.places()}
        self.assertEqual(len(ids), 4)

    @staticmethod
    def places() -> list[tuple[bytes, bytes]]:
        return [
            (account, region)
            for account in (b"500000000000", b"500000000001")
            for region in (b"us-east-1", b"eu-west-1")
        ]


class LargeAccountTest(unittest.TestCase):
    VOLUMES = (
        b'<DescribeVolumesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><volumeSet><item><volumeId>vol-0a'
        b"</volumeId><attachmentSet><item><volumeId>vol-0a</volumeId><instanceId>i-1</instanceId></item></attachmentSet>"
        b"</item><item><volumeId>vol-0b</volumeId></item></volumeSet><nextToken>x</nextToken></DescribeVolumesResponse>"
    )
    FINDINGS = (
        b'{"findings": [{"findingArn": "arn:aws:inspector2:r:1:finding/abc", "title": "t"}, {}], "nextToken": "x"}'
    )

    def test_every_page_is_full_of_volumes_of_its_own(self) -> None:
        pages = [large_account.volumes(self.VOLUMES, page, 2) for page in (0, 1)]
        ids = [set(large_account.VOLUME.findall(page)) for page in pages]
        self.assertEqual([len(one) for one in ids], [large_account.VOLUMES] * 2)
        self.assertFalse(ids[0] & ids[1])
        self.assertEqual([b"<nextToken>1</nextToken>" in page for page in pages], [True, False])
        self.assertEqual(pages[0].count(b"<instanceId>"), large_account.VOLUMES)

    def test_every_page_is_full_of_findings_of_its_own(self) -> None:
        pages = [json.loads(large_account.findings(self.FINDINGS, page, 2)) for page in (0, 1)]
        ids = [{finding["findingArn"] for finding in page["findings"]} for page in pages]
        self.assertEqual([len(one) for one in ids], [large_account.FINDINGS] * 2)
        self.assertFalse(ids[0] & ids[1])
        self.assertEqual([page.get("nextToken") for page in pages], ["1", None])


if __name__ == "__main__":
    unittest.main()
