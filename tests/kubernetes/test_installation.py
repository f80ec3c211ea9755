"""The chart in a real API server: strict validation, admission, and the life of a release."""

from __future__ import annotations

import contextlib
import copy
import json
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("deploy", "chaos", "dev")]

import chart
import control_plane
import programs
import yaml
from value_sets import KEDA, SETS

Json = dict[str, Any]

NAMESPACE = chart.NAMESPACE
CRD = HERE.parent / "deploy" / "schemas" / "keda.sh_scaledobjects.yaml"
PATIENCE = 60


class Installation(unittest.TestCase):
    kubectl: control_plane.Kubectl

    @classmethod
    def setUpClass(cls) -> None:
        if not programs.are_there():
            raise unittest.SkipTest("there is no kube-apiserver: run `just kubernetes`")
        with contextlib.ExitStack() as held:
            folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
            cls.kubectl = held.enter_context(control_plane.running(folder))
            cls.addClassCleanup(held.pop_all().close)
        cls.kubectl.done("create", "namespace", NAMESPACE)
        cls.kubectl.done("label", "namespace", NAMESPACE, "pod-security.kubernetes.io/enforce=restricted")
        # No controller runs that would make them.
        cls.kubectl.done("create", "serviceaccount", "default", "--namespace", NAMESPACE)
        cls.kubectl.done("create", "priorityclass", "high", "--value=1")
        cls.kubectl.done("apply", "--server-side", "--filename", str(CRD))
        cls.kubectl.done("wait", "--for=condition=Established", "crd/scaledobjects.keda.sh", f"--timeout={PATIENCE}s")

    def helm(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return chart.helm(*arguments, "--namespace", NAMESPACE, f"--kubeconfig={self.kubectl.configuration}")

    def release(self, command: str, *settings: str) -> None:
        values = [word for setting in settings for word in ("--set", setting)]
        done = self.helm(command, chart.RELEASE, str(chart.CHART), *values)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_the_server_accepts_every_object_of_every_set_of_values(self) -> None:
        for name, settings in SETS.items():
            # The Prometheus operator's definitions are not here.
            objects = [it for it in chart.rendered(*settings) if it["kind"] != "PodMonitor"]
            with self.subTest(name):
                self.assertEqual(self.refusal(*objects), "")

    def test_the_server_refuses_fields_that_it_does_not_know(self) -> None:
        for kind, field in (("StatefulSet", "replicsa"), ("ScaledObject", "poolingInterval")):
            wrong = copy.deepcopy(chart.of_kind(kind, *KEDA)[0])
            wrong["spec"][field] = 1
            self.assertIn(field, self.refusal(wrong))

    def refusal(self, *objects: Json) -> str:
        """Errors and warnings of a strict trial."""
        text = yaml.safe_dump_all(objects)
        trial = ("apply", "--server-side", "--validate=strict", "--dry-run=server", "--namespace", NAMESPACE)
        return self.kubectl.run(*trial, "--filename=-", stdin=text).stderr

    def test_the_restricted_standard_admits_all_pods(self) -> None:
        self.kubectl.run("create", "serviceaccount", "groma-broker", "--namespace", NAMESPACE)
        self.addCleanup(self.kubectl.run, "delete", "serviceaccount", "groma-broker", "--namespace", NAMESPACE)
        for name, settings in SETS.items():
            with self.subTest(name):
                pods = list(map(as_pod, chart.each_pod(chart.rendered(*settings))))
                self.assertGreater(len(pods), 6)
                self.assertEqual(self.refusal(*pods), "")
        wrong = as_pod(chart.pods()["broker"])
        wrong["spec"]["containers"][0]["securityContext"]["allowPrivilegeEscalation"] = True
        self.assertIn("violates PodSecurity", self.refusal(wrong))

    def test_a_release_is_installed_upgraded_rolled_back_and_removed(self) -> None:
        self.release("install")
        self.addCleanup(self.helm, "uninstall", chart.RELEASE)
        self.release("upgrade", "image.tag=0.2.0")
        self.release("upgrade", "broker.args={--accounts,profiles}", *KEDA, "nats.resources.limits.memory=3Gi")
        self.assertEqual(self.brokers(), {"groma-broker"}, "a Deployment of another name would stay")
        self.assertEqual(len(self.kubectl.get("scaledobjects", NAMESPACE)), len(chart.groups()) + 1)
        done = self.helm("rollback", chart.RELEASE, "1")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(self.brokers(), {"groma-broker"})
        self.assertEqual(self.kubectl.get("scaledobjects", NAMESPACE), {})
        done = self.helm("uninstall", chart.RELEASE)
        self.assertEqual(done.returncode, 0, done.stderr)
        for kind in (
            "deployments",
            "statefulsets",
            "services",
            "networkpolicies",
            "poddisruptionbudgets",
            "configmaps",
        ):
            self.assertEqual(self.kubectl.get(kind, NAMESPACE), {}, kind)

    def brokers(self) -> set[str]:
        found = self.kubectl.get("deployments", NAMESPACE).values()
        labels = ((it["metadata"]["name"], it["metadata"]["labels"]) for it in found)
        return {name for name, its in labels if its[chart.COMPONENT] == "broker"}

    def test_the_test_of_the_release_ends_as_its_pod_does(self) -> None:
        self.release("install")
        self.addCleanup(self.helm, "uninstall", chart.RELEASE)
        for phase in ("Succeeded", "Failed"):
            # In the place of a node, which would run it.
            node = threading.Thread(target=self.end_pod, args=(f"{chart.RELEASE}-test-streams", phase))
            node.start()
            done = self.helm("test", chart.RELEASE, f"--timeout={PATIENCE}s")
            node.join()
            self.assertEqual(done.returncode == 0, phase == "Succeeded", done.stdout + done.stderr)

    def end_pod(self, name: str, phase: str) -> None:
        deadline = time.monotonic() + PATIENCE
        status = json.dumps({"status": {"phase": phase}})
        patch = ("patch", "pod", name, "--namespace", NAMESPACE, "--subresource=status", "--patch", status)
        while self.pod_phase(name) != "Pending" or self.kubectl.run(*patch).returncode:
            if time.monotonic() > deadline:
                return
            time.sleep(0.1)

    def pod_phase(self, name: str) -> str:
        it = self.kubectl.get("pods", NAMESPACE).get(name, {})
        return "" if "deletionTimestamp" in it.get("metadata", {}) else it.get("status", {}).get("phase", "")


def as_pod(pod: chart.Pod) -> Json:
    """A pod as a controller would make it of a template."""
    # A StatefulSet's controller adds the volumes of its claims.
    claims = [{"name": "data", "emptyDir": {}}] if pod.component == "nats" else []
    spec = {**copy.deepcopy(pod.spec), "volumes": [*pod.spec["volumes"], *claims]}
    metadata = {"name": f"trial-{pod.component}", "labels": pod.metadata["labels"]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}


if __name__ == "__main__":
    unittest.main()
