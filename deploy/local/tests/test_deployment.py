"""What is in deploy/: templates that AWS would take, manifests that Kubernetes would take, and nobody forgotten."""

import json
import shutil
import subprocess
import unittest
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[3]
KUBERNETES = ROOT / "deploy" / "kubernetes"
ROLES = ["broker", "graph-writer", "scheduler"] + sorted(path.name for path in (ROOT / "crates").glob("collector-*"))


def manifests():
    for path in sorted(KUBERNETES.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            yield from yaml.safe_load_all(path.read_text(encoding="utf-8"))


def workloads():
    return {it["metadata"]["name"]: it for it in manifests() if it["kind"] in ("Deployment", "StatefulSet")}


class Kubernetes(unittest.TestCase):
    def test_every_role_is_deployed_with_its_own_key(self):
        found = workloads()
        self.assertEqual(sorted(found), sorted([f"groma-{role}" for role in ROLES] + ["groma-nats"]))
        for role in ROLES:
            pod = found[f"groma-{role}"]["spec"]["template"]["spec"]
            (container,) = pod["containers"]
            variables = {it["name"]: it.get("value") for it in container["env"]}
            self.assertEqual(variables["NATS_NKEY"], f"/etc/groma/{role}.nk")
            self.assertEqual([volume["secret"]["secretName"] for volume in pod["volumes"]], [f"groma-nats-{role}"])
            self.assertEqual(container["image"], f"groma-{role}")

    def test_nobody_runs_as_root_or_writes_to_the_image(self):
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

    def test_only_the_broker_has_an_identity(self):
        for name, workload in workloads().items():
            pod = workload["spec"]["template"]["spec"]
            if name == "groma-broker":
                self.assertEqual(pod["serviceAccountName"], "groma-broker")
            else:
                self.assertIs(pod["automountServiceAccountToken"], False, name)

    def test_kustomize_builds_it(self):
        kubectl = shutil.which("kubectl")
        if kubectl is None:
            self.skipTest("kubectl is not installed, so the kustomization was read and not built")
        built = subprocess.run([kubectl, "kustomize", str(KUBERNETES)], capture_output=True, text=True, check=True)
        objects = list(yaml.safe_load_all(built.stdout))
        self.assertEqual([it["kind"] for it in objects].count("Deployment"), len(ROLES))
        self.assertEqual({it["metadata"].get("namespace", "groma") for it in objects}, {"groma"})

    def test_the_kustomization_names_every_file_and_image(self):
        kustomization = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text(encoding="utf-8"))
        files = {path.name for path in KUBERNETES.glob("*.yaml")} - {"kustomization.yaml"}
        self.assertEqual(set(kustomization["resources"]), files)
        self.assertEqual({it["name"] for it in kustomization["images"]}, {f"groma-{role}" for role in ROLES})


class CloudFormation(unittest.TestCase):
    def test_templates_are_ones_that_aws_takes(self):
        from cfnlint.api import lint_all

        for path in sorted((ROOT / "deploy" / "aws" / "cloudformation").glob("*.yaml")):
            matches = lint_all(path.read_text(encoding="utf-8"))
            # Errors and warnings; its advice on style is another matter.
            found = [f"{match.rule.id} {match.message}" for match in matches if match.rule.id[0] in "EW"]
            self.assertEqual(found, [], path.name)


class Terraform(unittest.TestCase):
    def test_modules_are_formatted(self):
        terraform = shutil.which("terraform")
        if terraform is None:
            self.skipTest("terraform is not installed, so the modules' format was not checked")
        command = [terraform, "fmt", "-check", "-recursive", str(ROOT / "deploy" / "aws" / "terraform")]
        result = subprocess.run(command, capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_a_stack_set_gets_the_template_and_its_parameters(self):
        import sys

        sys.path.insert(0, str(ROOT / "tests" / "aws"))
        import hcl

        variables = {"hub_role_arn": "arn:aws:iam::1:role/hub", "organizational_unit_ids": ["r-1"]}
        known = {"aws_cloudformation_stack_set.spokes.name": "groma-spokes"}
        rendered = hcl.Module(ROOT / "deploy" / "aws" / "terraform" / "organization", variables, known)
        ((_, _, stack_set), (_, _, instances)) = rendered.resources()
        self.assertIn("SecurityAudit", stack_set["template_body"])
        self.assertEqual(stack_set["parameters"], {"HubRoleArn": "arn:aws:iam::1:role/hub", "ExternalId": ""})
        self.assertIn("r-1", json.dumps(instances))


if __name__ == "__main__":
    unittest.main()
