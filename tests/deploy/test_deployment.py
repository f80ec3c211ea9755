"""What is in deploy/: templates that AWS would take, manifests that Kubernetes would take, and nobody forgotten."""

from __future__ import annotations

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import network_policies
import yaml
from cfnlint.api import lint_all

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("aws", "dev")]

import catalog
import hcl
import servers

Json = dict[str, Any]

ROOT = HERE.parents[1]
KUBERNETES = ROOT / "deploy" / "kubernetes"
COLLECTORS = [f"collector-{service}" for service in catalog.names()]
ROLES = ["broker", "graph-writer", "scheduler", *COLLECTORS]
# Port of health and metrics.
MONITOR = 9464


def manifests() -> Iterator[Json]:
    for path in sorted(KUBERNETES.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def of_kind(*kinds: str) -> list[Json]:
    return [it for it in manifests() if it["kind"] in kinds]


def workloads() -> dict[str, Json]:
    return {it["metadata"]["name"]: it for it in of_kind("Deployment", "StatefulSet")}


def image_of(role: str) -> str:
    return "groma-collectors" if role in COLLECTORS else f"groma-{role}"


class Kubernetes(unittest.TestCase):
    def test_every_role_is_deployed_with_its_own_key(self) -> None:
        found = workloads()
        self.assertEqual(sorted(found), sorted([f"groma-{role}" for role in ROLES] + ["groma-nats"]))
        for role in ROLES:
            pod = found[f"groma-{role}"]["spec"]["template"]["spec"]
            (container,) = pod["containers"]
            variables = {it["name"]: it.get("value") for it in container["env"]}
            self.assertEqual(variables["NATS_NKEY"], f"/etc/groma/{role}.nk")
            self.assertEqual([volume["secret"]["secretName"] for volume in pod["volumes"]], [f"groma-nats-{role}"])
            self.assertEqual(container["image"], image_of(role))
            if role in COLLECTORS:
                self.assertEqual(container["args"], [role.removeprefix("collector-")])

    def test_every_role_is_probed_on_the_port_that_it_serves(self) -> None:
        for role in ROLES:
            (container,) = workloads()[f"groma-{role}"]["spec"]["template"]["spec"]["containers"]
            variables = {it["name"]: it.get("value") for it in container["env"]}
            self.assertEqual(variables["GROMA_MONITOR"], f"0.0.0.0:{MONITOR}", role)
            self.assertEqual(container["ports"], [{"name": "monitor", "containerPort": MONITOR}], role)
            for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
                self.assertEqual(container[probe]["httpGet"], {"path": path, "port": "monitor"}, role)

    def test_a_broker_with_another_configuration_replaces_all_others_together(self) -> None:
        # It is not ready before they have ended, so a rollout one by one would never end.
        strategy = workloads()["groma-broker"]["spec"]["strategy"]
        self.assertEqual(strategy, {"rollingUpdate": {"maxUnavailable": "100%"}})

    def test_collectors_are_those_of_the_catalog(self) -> None:
        script = "import render; print(render.text(), end='')"
        command = [sys.executable, "-c", script]
        written = subprocess.run(command, cwd=KUBERNETES, stdout=subprocess.PIPE, text=True, check=True).stdout
        present = (KUBERNETES / "collectors.yaml").read_text(encoding="utf-8")
        self.assertEqual(present, written, "run deploy/kubernetes/render.py")

    def test_nobody_runs_as_root_or_writes_to_the_image(self) -> None:
        for name, workload in workloads().items():
            pod = workload["spec"]["template"]["spec"]
            self.assertTrue(pod["securityContext"]["runAsNonRoot"], name)
            self.assertEqual(pod["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"}, name)
            for container in pod["containers"]:
                context = container["securityContext"]
                self.assertTrue(context["readOnlyRootFilesystem"], name)
                self.assertFalse(context["allowPrivilegeEscalation"], name)
                self.assertEqual(context["capabilities"], {"drop": ["ALL"]}, name)
                self.assertIn("memory", container["resources"]["limits"], name)

    def test_only_the_broker_has_an_identity(self) -> None:
        for name, workload in workloads().items():
            pod = workload["spec"]["template"]["spec"]
            # AWS's token for a service account is a separate volume; this one is for Kubernetes's API.
            self.assertIs(pod["automountServiceAccountToken"], False, name)
            self.assertEqual(pod.get("serviceAccountName"), "groma-broker" if name == "groma-broker" else None, name)

    def test_kustomize_builds_it(self) -> None:
        kubectl = shutil.which("kubectl")
        if kubectl is None:
            self.skipTest("kubectl is not installed, so the kustomization was read and not built")
        built = subprocess.run([kubectl, "kustomize", str(KUBERNETES)], capture_output=True, text=True, check=True)
        objects = list(yaml.safe_load_all(built.stdout))
        self.assertEqual([it["kind"] for it in objects].count("Deployment"), len(ROLES))
        self.assertEqual({it["metadata"].get("namespace", "groma") for it in objects}, {"groma"})

    def test_the_kustomization_names_every_file_and_image(self) -> None:
        kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text(encoding="utf-8"))
        files = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
        self.assertEqual(set(kustomization["resources"]), files)
        self.assertEqual({it["name"] for it in kustomization["images"]}, {image_of(role) for role in ROLES})


# Of the machine's metadata service, of an ECS task, of EKS Pod Identity.
IDENTITIES = ("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23")
ANYWHERE = ("203.0.113.7", "10.1.2.3", "2001:db8::1")


class Network(unittest.TestCase):
    """Who may reach whom, by the objects: no cluster of a test keeps them."""

    def setUp(self) -> None:
        self.policies = of_kind("NetworkPolicy")
        self.pods = {
            name: network_policies.Pod(workload["spec"]["template"]["metadata"]["labels"])
            for name, workload in workloads().items()
        }
        self.nats = self.pods["groma-nats"]
        self.dns = network_policies.Pod({"k8s-app": "kube-dns"}, "kube-system")

    def who_reaches(self, target: network_policies.Pod | str, port: int, protocol: str = "TCP") -> set[str]:
        may = network_policies.may_connect
        return {name for name, pod in self.pods.items() if may(self.policies, pod, target, port, protocol)}

    def test_only_the_broker_reaches_an_identity(self) -> None:
        for address in IDENTITIES:
            self.assertEqual(self.who_reaches(address, 80), {"groma-broker"}, address)
            for port in (443, 7687):
                self.assertEqual(self.who_reaches(address, port), set(), f"{address}:{port}")

    def test_broker_and_collectors_reach_aws_and_the_writer_reaches_neo4j(self) -> None:
        of_aws = {f"groma-{role}" for role in ROLES if role not in ("graph-writer", "scheduler")}
        for address in ANYWHERE:
            self.assertEqual(self.who_reaches(address, 443), of_aws, address)
            self.assertEqual(self.who_reaches(address, 7687), {"groma-graph-writer"}, address)
            self.assertEqual(self.who_reaches(address, 80), set(), address)

    def test_every_pod_reaches_nats_and_names_and_no_other_pod(self) -> None:
        self.assertEqual(self.who_reaches(self.nats, 4222), set(self.pods))
        self.assertEqual(self.who_reaches(self.nats, 6222), {"groma-nats"})
        self.assertEqual(self.who_reaches(self.nats, 8222), set())
        for protocol in ("UDP", "TCP"):
            self.assertEqual(self.who_reaches(self.dns, 53, protocol), set(self.pods))
            self.assertEqual(self.who_reaches("169.254.20.10", 53, protocol), set(self.pods))
        self.assertEqual(self.who_reaches(self.dns, 443), set())
        for name in set(self.pods) - {"groma-nats"}:
            for port in (80, 443, 4222, 7687):
                self.assertEqual(self.who_reaches(self.pods[name], port), set(), name)

    def test_only_the_monitoring_system_reaches_metrics(self) -> None:
        for name in set(self.pods) - {"groma-nats"}:
            for namespace, may in (("monitoring", True), ("keda", True), ("elsewhere", False), ("groma", False)):
                scraper = network_policies.Pod({"app": "prometheus"}, namespace)
                reached = network_policies.may_connect(self.policies, scraper, self.pods[name], MONITOR)
                self.assertEqual(reached, may, f"{namespace} to {name}")
                self.assertFalse(network_policies.may_connect(self.policies, scraper, self.pods[name], 4222), name)
            self.assertEqual(self.who_reaches(self.pods[name], MONITOR), set(), name)

    def test_no_other_pod_reaches_groma(self) -> None:
        stranger = network_policies.Pod({"app.kubernetes.io/part-of": "groma"}, "elsewhere")
        for name, pod in self.pods.items():
            for port in (4222, 6222, 8222):
                self.assertFalse(network_policies.may_connect(self.policies, stranger, pod, port), f"{name}:{port}")


UNITS = {"Mi": 1 << 20, "Gi": 1 << 30, "MiB": 1 << 20, "GiB": 1 << 30}


def in_bytes(text: str) -> int:
    found = re.fullmatch(r"(\d+)(\w+)", text)
    assert found, text
    number, unit = found.groups()
    return int(number) * UNITS[unit]


class Nats(unittest.TestCase):
    def setUp(self) -> None:
        self.configuration = (KUBERNETES / "nats.conf").read_text(encoding="utf-8")
        self.workload = workloads()["groma-nats"]["spec"]
        self.pod = self.workload["template"]["spec"]
        (self.container,) = self.pod["containers"]

    def setting(self, name: str) -> str:
        found = re.search(rf"^\s*{name}: (\S+)$", self.configuration, re.MULTILINE)
        assert found, name
        return found.group(1)

    def test_streams_fit_on_the_volume(self) -> None:
        (volume,) = self.workload["volumeClaimTemplates"]
        volume = in_bytes(volume["spec"]["resources"]["requests"]["storage"])
        store = in_bytes(self.setting("max_file_store"))
        (scheduler,) = workloads()["groma-scheduler"]["spec"]["template"]["spec"]["containers"]
        variables = {it["name"]: it.get("value") for it in scheduler["env"]}
        assets = int(variables["GROMA_ASSETS_MAX_BYTES"])
        # The other streams have no limit, and a file system needs some room.
        self.assertLessEqual(assets, store * 0.8)
        self.assertLessEqual(store, volume * 0.95)

    def test_a_pod_has_time_for_lame_duck_mode(self) -> None:
        duration = int(self.setting("lame_duck_duration").removesuffix("s"))
        self.assertGreater(self.pod["terminationGracePeriodSeconds"], duration + 10)

    def test_the_hook_begins_lame_duck_mode_and_sigterm_does_not_end_it(self) -> None:
        hook = self.container["lifecycle"]["preStop"]["exec"]["command"]
        self.assertEqual([hook[0], self.container["command"][0]], ["nats-server", "nats-server"])
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


class CloudFormation(unittest.TestCase):
    def test_templates_are_ones_that_aws_takes(self) -> None:
        for path in sorted((ROOT / "deploy" / "aws" / "cloudformation").glob("*.yaml")):
            matches = lint_all(path.read_text(encoding="utf-8"))
            # Errors and warnings; its advice on style is another matter.
            found = [f"{match.rule.id} {match.message}" for match in matches if match.rule.id[0] in "EW"]
            self.assertEqual(found, [], path.name)


class Terraform(unittest.TestCase):
    def test_modules_are_formatted(self) -> None:
        terraform = shutil.which("terraform")
        if terraform is None:
            self.skipTest("terraform is not installed, so the modules' format was not checked")
        command = [terraform, "fmt", "-check", "-recursive", str(ROOT / "deploy" / "aws" / "terraform")]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_a_stack_set_gets_the_template_and_its_parameters(self) -> None:
        variables = {"hub_role_arn": "arn:aws:iam::1:role/hub", "organizational_unit_ids": ["r-1"]}
        known = {"aws_cloudformation_stack_set.spokes.name": "groma-spokes"}
        rendered = hcl.Module(ROOT / "deploy" / "aws" / "terraform" / "organization", variables, known)
        ((_, _, stack_set), (_, _, instances)) = rendered.resources()
        self.assertIn("SecurityAudit", stack_set["template_body"])
        self.assertEqual(stack_set["parameters"], {"HubRoleArn": "arn:aws:iam::1:role/hub", "ExternalId": ""})
        self.assertIn("r-1", json.dumps(instances))


if __name__ == "__main__":
    unittest.main()
