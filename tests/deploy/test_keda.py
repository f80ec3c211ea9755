"""The contract with KEDA: its objects are valid, and its question to NATS has an answer for every one of them.

The question is that of KEDA 2.21, `pkg/scalers/nats_jetstream_scaler.go`.
"""

from __future__ import annotations

import json
import sys
import tempfile
import unittest
import urllib.parse
from pathlib import Path
from typing import Any

import chart
import jsonschema
import names_in_code
import nats_cluster
import yaml
from value_sets import KEDA, SETS

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import catalog

Json = dict[str, Any]

CRD = HERE / "schemas" / "keda.sh_scaledobjects.yaml"
# Parameters of the trigger that KEDA 2.21 reads.
REQUIRED = {"natsServerMonitoringEndpoint", "stream", "consumer"}
PARAMETERS = REQUIRED | {"account", "accountID", "lagThreshold", "activationLagThreshold", "useHttps"}
PASSWORD = "contract"
ACCOUNTS = """accounts {{
  {scheduler} {{ users: [{{ user: scheduler, password: {password} }}], jetstream: enabled }}
  OTHER {{ users: [{{ user: other, password: {password} }}] }}
}}
"""
# Messages of one service's queue, and how many of them a collector holds.
SENT, HELD = 5, 2


def triggers(*settings: str) -> dict[str, Json]:
    """Metadata of all triggers by consumer."""
    found = [trigger for it in chart.of_kind("ScaledObject", *settings) for trigger in it["spec"]["triggers"]]
    assert all(it["type"] == "nats-jetstream" for it in found)
    return {it["metadata"]["consumer"]: it["metadata"] for it in found}


def strict(schema: Json) -> Json:
    """A schema that rejects fields which it does not have, as Kubernetes does."""
    if "properties" in schema:
        inner = {name: strict(it) for name, it in schema["properties"].items()}
        # Every object has the metadata of Kubernetes, of which the definition has nothing.
        return {**schema, "properties": inner, "additionalProperties": False}
    return {**schema, "items": strict(schema["items"])} if "items" in schema else schema


class Objects(unittest.TestCase):
    def test_keda_accepts_them(self) -> None:
        (version,) = yaml.safe_load(CRD.read_text(encoding="utf-8"))["spec"]["versions"]
        schema = strict(version["schema"]["openAPIV3Schema"])
        objects = chart.of_kind("ScaledObject", *KEDA)
        for it in objects:
            jsonschema.validate(it, schema)
            for trigger in it["spec"]["triggers"]:
                self.assertLessEqual(set(trigger["metadata"]), PARAMETERS)
                self.assertLessEqual(REQUIRED, set(trigger["metadata"]))
        wrong = {**objects[0], "spec": {**objects[0]["spec"], "poolingInterval": 5}}
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(wrong, schema)

    def test_collectors_scale_from_none_and_writers_from_one(self) -> None:
        scaled = {it["metadata"]["labels"][chart.COMPONENT]: it["spec"] for it in chart.of_kind("ScaledObject", *KEDA)}
        least = {name: spec["minReplicaCount"] for name, spec in scaled.items()}
        groups = chart.groups()
        self.assertEqual(least, {"graph-writer": 1, **{f"collector-{name}": 0 for name in groups}})
        most = {name: spec["maxReplicaCount"] for name, spec in scaled.items() if name != "graph-writer"}
        self.assertEqual(most, {f"collector-{name}": group["maxReplicas"] for name, group in groups.items()})
        deployments = {it["metadata"]["name"] for it in chart.of_kind("Deployment", *KEDA)}
        self.assertLessEqual({spec["scaleTargetRef"]["name"] for spec in scaled.values()}, deployments)

    def test_pods_stay_through_pauses_and_many_queues_are_read_less_often(self) -> None:
        scaled = {it["metadata"]["labels"][chart.COMPONENT]: it["spec"] for it in chart.of_kind("ScaledObject", *KEDA)}
        intervals = {name: spec["pollingInterval"] for name, spec in scaled.items()}
        self.assertEqual(intervals, {**dict.fromkeys(scaled, 5), "collector-small": 15})
        for spec in scaled.values():
            behavior = spec["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
            self.assertEqual(behavior["scaleDown"]["stabilizationWindowSeconds"], 600)

    def test_each_queue_scales_the_group_that_collects_it(self) -> None:
        for it in chart.of_kind("ScaledObject", *KEDA):
            group = it["metadata"]["labels"][chart.COMPONENT].removeprefix("collector-")
            consumers = {
                (trigger["metadata"]["stream"], trigger["metadata"]["consumer"]) for trigger in it["spec"]["triggers"]
            }
            services = chart.groups().get(group, {}).get("services")
            work = {(names_in_code.stream("WORK"), names_in_code.work_consumer(service)) for service in services or ()}
            assets = {(names_in_code.stream("ASSETS"), names_in_code.assets_consumer())}
            self.assertEqual(consumers, work or assets, group)

    def test_without_keda_there_are_none(self) -> None:
        self.assertEqual(chart.of_kind("ScaledObject"), [])

    def test_a_nats_of_your_own_is_asked_at_its_address(self) -> None:
        asked = {it["natsServerMonitoringEndpoint"] for it in triggers(*SETS["own NATS with KEDA"]).values()}
        self.assertEqual(asked, {"h.example.com:8222"})


class Question(unittest.TestCase):
    """Asks servers of the chart's configuration as KEDA would."""

    def test_one_server_answers(self) -> None:
        self.check(*KEDA, *SETS["one server"])

    def test_three_servers_answer_through_the_leader_of_each_consumer(self) -> None:
        self.check(*KEDA)

    def check(self, *settings: str) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        account = names_in_code.account("scheduler")
        accounts = ACCOUNTS.format(scheduler=account, password=PASSWORD)
        with nats_cluster.Cluster(Path(folder.name), accounts, *settings) as cluster:
            with cluster.client("scheduler", PASSWORD) as client:
                make_consumers(client, len(cluster.names))
                fill(client, "ec2")
            keda = Keda(cluster)
            expected = {names_in_code.work_consumer(service): 0 for service in catalog.names()}
            expected |= {names_in_code.assets_consumer(): 0, names_in_code.work_consumer("ec2"): SENT}
            asked = triggers(*settings)
            self.assertEqual({name: keda.lag(it) for name, it in asked.items()}, expected)
            one = asked[names_in_code.work_consumer("ec2")]
            for wrong in ({"account": "$G"}, {"consumer": "collector-none"}, {"stream": "NONE"}):
                self.assertIsNone(keda.lag({**one, **wrong}), wrong)


def make_consumers(client: nats_cluster.Client, replicas: int) -> None:
    """Streams and consumers, as the scheduler makes them."""
    work, assets = names_in_code.stream("WORK"), names_in_code.stream("ASSETS")
    for constant, retention in (("WORK", "workqueue"), ("ASSETS", "limits")):
        name = names_in_code.stream(constant)
        subjects = [names_in_code.subjects(constant)]
        stream = {
            "name": name,
            "subjects": subjects,
            "retention": retention,
            "num_replicas": replicas,
            "storage": "file",
        }
        client.until_done(f"$JS.API.STREAM.CREATE.{name}", stream)
    filters = {names_in_code.work_consumer(it): (work, f"groma.v1.work.{it}.>") for it in catalog.names()}
    filters[names_in_code.assets_consumer()] = (assets, names_in_code.subjects("ASSETS"))
    for consumer, (stream, subjects) in filters.items():
        config = {
            "durable_name": consumer,
            "ack_policy": "explicit",
            "ack_wait": 60_000_000_000,
            "filter_subject": subjects,
        }
        body = {"stream_name": stream, "config": config}
        client.until_done(f"$JS.API.CONSUMER.DURABLE.CREATE.{stream}.{consumer}", body)


def fill(client: nats_cluster.Client, service: str) -> None:
    """Publishes work, and takes some of it without an acknowledgement."""
    for nth in range(SENT):
        client.until_done(f"groma.v1.work.{service}.111111111111.eu-west-1.{nth}", {"work": nth})
    stream, consumer = names_in_code.stream("WORK"), names_in_code.work_consumer(service)
    for _ in range(HELD):
        assert "work" in client.until_done(f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{consumer}", {"batch": 1})


class Keda:
    """KEDA's scaler. The names of the cluster are resolved to this machine's ports."""

    def __init__(self, cluster: nats_cluster.Cluster) -> None:
        self.cluster = cluster

    def lag(self, metadata: Json) -> int | None:
        """Messages that a consumer has not settled, or nothing if KEDA would report an error."""
        host = metadata["natsServerMonitoringEndpoint"]
        query = {"acc": metadata["account"], "consumers": "true", "config": "true"}
        url = f"http://{host}/jsz?" + urllib.parse.urlencode(sorted(query.items()))
        answer = self.get(url)
        consumer = consumer_in(answer, metadata)
        if answer.get("meta_cluster", {}).get("cluster_size", 0) <= 1:
            return settled(consumer)
        server = self.get(f"http://{host}/varz")
        # With addresses, KEDA would look for the leader at those, which cannot be IPv6.
        assert not server.get("connect_urls"), server
        for address in server["cluster"]["urls"]:
            node = address.split(".")[0]
            consumer = consumer_in(self.get(url.replace(host, f"{node}.{host}")), metadata)
            if consumer and consumer["cluster"]["leader"] == node:
                return settled(consumer)
        return None

    def get(self, url: str) -> Json:
        """The answer of the server with this name; the name of all stands for any of them."""
        parts = urllib.parse.urlsplit(url)
        assert parts.hostname
        name, _, rest = parts.hostname.partition(".")
        if name == nats_cluster.NAME:
            name, rest = self.cluster.names[-1], parts.hostname
        assert rest == f"{nats_cluster.NAME}.{chart.NAMESPACE}.svc", url
        status, text = self.cluster.get(name, parts.port or 80, f"{parts.path}?{parts.query}")
        assert status == 200, (url, status)
        # The servers' names of each other, which are ports in this test.
        for other in self.cluster.names:
            text = text.replace(f'"127.0.0.1:{self.cluster.ports[other, 6222]}"', f'"{other}.{nats_cluster.NAME}:6222"')
        return json.loads(text)


def consumer_in(answer: Json, metadata: Json) -> Json | None:
    for account in answer.get("account_details", []):
        if account["name"] == metadata["account"]:
            for stream in account.get("stream_detail", []):
                if stream["name"] == metadata["stream"]:
                    return next(
                        (it for it in stream.get("consumer_detail", []) if it["name"] == metadata["consumer"]), None
                    )
    return None


def settled(consumer: Json | None) -> int | None:
    return consumer["num_pending"] + consumer["num_ack_pending"] if consumer else None


if __name__ == "__main__":
    unittest.main()
