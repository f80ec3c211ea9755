"""The NATS that the chart installs: room for the streams, and an end that clients do not notice."""

from __future__ import annotations

import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

import chart
import stub_api
import yaml
from value_sets import SETS

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import servers

GIBIBYTE = 1 << 30


class Nats(unittest.TestCase):
    def setUp(self) -> None:
        self.use()

    def use(self, *settings: str) -> None:
        (self.configuration,) = (it["data"]["nats.conf"] for it in chart.of_kind("ConfigMap", *settings))
        (workload,) = chart.of_kind("StatefulSet", *settings)
        self.workload = workload["spec"]
        pods = chart.pods(*settings)
        self.pod, self.scheduler = pods["nats"], pods["scheduler"]

    def setting(self, name: str) -> str:
        found = re.search(rf"^\s*{name}: (\S+)$", self.configuration, re.MULTILINE)
        assert found, name
        return found.group(1)

    def test_streams_fit_on_the_volume(self) -> None:
        for settings in ((), ("nats.storage.sizeGiB=7", "streams.assetsMaxGiB=5"), ("nats.storage.sizeGiB=4000",)):
            self.use(*settings)
            (claim,) = self.workload["volumeClaimTemplates"]
            volume = int(claim["spec"]["resources"]["requests"]["storage"].removesuffix("Gi")) * GIBIBYTE
            store = int(self.setting("max_file_store").removesuffix("MiB")) << 20
            assets = int(self.scheduler.variables["GROMA_ASSETS_MAX_BYTES"])
            # The other streams have no limit, and a file system needs some room.
            self.assertLessEqual(assets, store * 0.8)
            self.assertLessEqual(store, volume * 0.9)
            self.assertGreater(store, volume * 0.89)

    def test_streams_have_a_replica_on_each_server(self) -> None:
        self.assertEqual(self.scheduler.variables["GROMA_NATS_REPLICAS"], str(self.workload["replicas"]))
        self.assertEqual(self.setting("sync_interval"), "always")
        routes = re.findall(r'"nats-route://(\S+):6222"', self.configuration)
        self.assertEqual(routes, [f"groma-nats-{nth}.groma-nats" for nth in range(self.workload["replicas"])])
        (service,) = chart.of_kind("Service")
        self.assertEqual((service["metadata"]["name"], service["spec"]["clusterIP"]), ("groma-nats", "None"))
        self.assertEqual(self.workload["serviceName"], "groma-nats")

    def test_the_service_and_the_pod_have_the_ports_of_the_configuration(self) -> None:
        (service,) = chart.of_kind("Service")
        named = {it["name"]: it["port"] for it in service["spec"]["ports"]}
        self.assertEqual(named, {it["name"]: it["containerPort"] for it in self.pod.container["ports"]})
        listening = {int(port) for port in re.findall(r'"0\.0\.0\.0:(\d+)"', self.configuration)}
        self.assertEqual(set(named.values()), listening)
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            asked = self.pod.container[probe]["httpGet"]
            self.assertTrue(asked["path"].startswith("/healthz"), probe)
            self.assertIn(f'http: "0.0.0.0:{named[asked["port"]]}"', self.configuration, probe)

    def test_one_server_is_no_cluster(self) -> None:
        self.use(*SETS["one server"])
        self.assertNotIn("cluster", self.configuration)

    def test_all_pods_connect_to_it_by_a_name_of_its_certificate(self) -> None:
        urls = {pod.variables["NATS_URL"] for name, pod in chart.pods().items() if name != "nats"}
        self.assertEqual(urls, {"tls://groma-nats:4222"})

    def test_a_changed_configuration_restarts_the_servers(self) -> None:
        before = self.pod.metadata["annotations"]["checksum/configuration"]
        self.use("nats.storage.sizeGiB=21")
        self.assertNotEqual(self.pod.metadata["annotations"]["checksum/configuration"], before)

    def test_another_version_of_groma_restarts_no_server(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            copied = Path(shutil.copytree(chart.CHART, Path(folder, "groma")))
            described = copied / "Chart.yaml"
            text = described.read_text(encoding="utf-8")
            described.write_text(re.sub(r"^(version: |appVersion: ).*$", r"\g<1>9.9.9", text, flags=re.MULTILINE))
            done = chart.helm("template", chart.RELEASE, str(copied), "--namespace", chart.NAMESPACE)
        after = {pod.component: pod for pod in chart.each_pod(tuple(chart.loaded(done.stdout)))}
        self.assertEqual(after["nats"], self.pod)
        self.assertEqual(after["broker"].container["image"], "groma:9.9.9")

    def test_an_upgrade_that_would_lose_streams_fails(self) -> None:
        (there,) = chart.of_kind("StatefulSet")
        # As helm has installed it.
        owner = {"meta.helm.sh/release-name": chart.RELEASE, "meta.helm.sh/release-namespace": chart.NAMESPACE}
        labels = {**there["metadata"]["labels"], "app.kubernetes.io/managed-by": "Helm"}
        named = {"name": "groma-nats", "namespace": chart.NAMESPACE, "labels": labels, "annotations": owner}
        there = {**there, "metadata": named}
        small = ("nats.storage.sizeGiB=16", "streams.assetsMaxGiB=9")
        for objects, settings, words in (
            ([there], (), None),
            ([], SETS["one server"], None),
            ([], small, None),
            # Scaled down for a while, for example to restore something.
            ([{**there, "spec": {**there["spec"], "replicas": 0}}], (), None),
            ([there], SETS["one server"], "nats.replicas is 1, and 3 servers run"),
            ([there], ("nats.replicas=5",), "nats.replicas is 5, and 3 servers run"),
            ([there], small, "nats.storage.sizeGiB is 16, and the StatefulSet's volumes are 20Gi"),
            ([there], ("nats.storage.sizeGiB=40",), "first expand them"),
        ):
            with self.subTest(settings), stub_api.serving(chart.rendered(), *objects) as address:
                values = [word for setting in settings for word in ("--set", setting)]
                server = ("--dry-run=server", "--kube-apiserver", address, "--disable-openapi-validation")
                place = (chart.RELEASE, str(chart.CHART), "--namespace", chart.NAMESPACE)
                done = chart.helm("template", *place, *server, *values)
                self.assertEqual(done.returncode != 0, words is not None, done.stderr)
                self.assertIn(words or "", done.stderr)

    def test_servers_have_time_to_recover_large_streams(self) -> None:
        probes = [self.pod.container[name] for name in ("startupProbe", "readinessProbe", "livenessProbe")]
        self.assertGreaterEqual(probes[0]["periodSeconds"] * probes[0]["failureThreshold"], 900)
        # Kubernetes's default is a second.
        self.assertEqual([it["timeoutSeconds"] for it in probes], [5, 5, 5])

    def test_the_garbage_collector_keeps_below_the_limit_of_memory(self) -> None:
        def mebibytes(text: str) -> int:
            return int(text[:-2]) << {"Mi": 0, "Gi": 10}[text[-2:]]

        for setting, limit in ((), "2Gi"), (("nats.resources.limits.memory=1500Mi",), "1500Mi"):
            self.use(*setting)
            self.assertEqual(self.pod.variables["GOMEMLIMIT"], f"{mebibytes(limit) * 8 // 10}MiB")
        done = chart.template("nats.resources.limits.memory=2G")
        self.assertIn("does not match pattern", done.stderr)
        own = yaml.safe_load((chart.ROOT / "deploy" / "helm" / "values-nats.yaml").read_text(encoding="utf-8"))
        limit = mebibytes(own["container"]["resources"]["limits"]["memory"])
        self.assertEqual(own["container"]["env"]["GOMEMLIMIT"], f"{limit * 8 // 10}MiB")

    def test_two_servers_are_on_one_node_only_if_they_may(self) -> None:
        for settings, expected in (((), "DoNotSchedule"), (("nats.spread=ScheduleAnyway",), "ScheduleAnyway")):
            self.use(*settings)
            found = {it["topologyKey"]: it["whenUnsatisfiable"] for it in self.pod.spec["topologySpreadConstraints"]}
            zones = {"topology.kubernetes.io/zone": "ScheduleAnyway"}
            self.assertEqual(found, {"kubernetes.io/hostname": expected, **zones})
        for constraint in chart.pods()["broker"].spec["topologySpreadConstraints"]:
            self.assertEqual(constraint["whenUnsatisfiable"], "ScheduleAnyway")

    def test_a_pod_has_time_for_lame_duck_mode(self) -> None:
        duration = int(self.setting("lame_duck_duration").removesuffix("s"))
        self.assertGreater(self.pod.spec["terminationGracePeriodSeconds"], duration + 10)

    def test_the_hook_begins_lame_duck_mode_and_sigterm_does_not_end_it(self) -> None:
        hook = self.pod.container["lifecycle"]["preStop"]["exec"]["command"]
        self.assertEqual([hook[0], self.pod.container["command"][0]], ["nats-server", "nats-server"])
        program, port = servers.tool("nats_server"), servers.ports.free_port()
        with tempfile.TemporaryDirectory() as folder:
            log = Path(folder, "log")
            command = [program, "--addr", "127.0.0.1", "--port", str(port), "--log", str(log)]
            server = subprocess.Popen(command, stderr=subprocess.DEVNULL)
            self.addCleanup(lambda: (server.kill(), server.wait()))
            self.said(log, "Server is ready")
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"CONNECT {}\r\nPING\r\n")
                while b"PONG" not in client.recv(65536):
                    pass
                # In its container the server is process 1.
                subprocess.run([program, *hook[1:-1], hook[-1].replace("=1", f"={server.pid}")], check=True)
                self.said(log, "Entering lame duck mode")
                # As from the kubelet, right after the hook; clients have ten seconds to go elsewhere.
                server.send_signal(signal.SIGTERM)
                self.assertEqual(server.wait(60), 0)
            words = log.read_text(encoding="utf-8")
            self.assertLess(words.index('Trapped "terminated"'), words.index("Closing existing clients"))

    def said(self, log: Path, words: str, patience: float = 60) -> None:
        deadline = time.monotonic() + patience
        while not (log.exists() and words in log.read_text(encoding="utf-8")):
            self.assertLess(time.monotonic(), deadline, f"it does not say: {words}")
            time.sleep(0.05)


if __name__ == "__main__":
    unittest.main()
