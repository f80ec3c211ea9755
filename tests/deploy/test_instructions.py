"""Commands of deploy/helm/README.md and docs/operations.md: run as they are written, except that nothing else changes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path
from typing import Any

import chart
import names_in_code
import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import servers

Json = dict[str, Any]

README = chart.ROOT / "deploy" / "helm" / "README.md"
OPERATIONS = chart.ROOT / "docs" / "operations.md"
HUB = chart.ROOT / "deploy" / "aws" / "cloudformation" / "hub.yaml"
# Stands for `groma nats init`: the files that it writes, without their content.
GROMA = """
    mkdir -p closed/keys closed/tls
    cd closed && touch {files}
    echo "$@" >>../groma.txt
"""
# Prints Secrets instead of creating them.
KUBECTL = """
    case "$*" in
    *" --dry-run=client "*) {kubectl} "$@" ;;
    *" apply -f -") cat >>applied.yaml && echo --- >>applied.yaml ;;
    *" create secret "*) {kubectl} "$@" --dry-run=client --output yaml >>secrets.yaml && echo --- >>secrets.yaml ;;
    *) printf "%s\\n" "$*" >>kubectl.txt ;;
    esac
"""
# Renders the chart instead of installing it.
HELM = """
    case "$*" in
    *" install "*) {helm} "${{@/install/template}}" >objects.yaml ;;
    *) printf "%s\\n" "$*" >>helm.txt ;;
    esac
"""


class Instructions(unittest.TestCase):
    folder: Path

    @classmethod
    def setUpClass(cls) -> None:
        """Runs all commands once."""
        programs = {name: servers.tools.found(name) for name in ("helm", "kubectl")}
        if not all(programs.values()):
            raise unittest.SkipTest("helm or kubectl is not installed, so the instructions were not run")
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = Path(folder.name)
        (cls.folder / "deploy").symlink_to(chart.ROOT / "deploy")
        cls.stub("groma", GROMA.format(files=" ".join(names_in_code.files_of_init())))
        cls.stub("kubectl", KUBECTL.format(**programs))
        cls.stub("helm", HELM.format(**programs))
        cls.stub("podman", 'echo "$@" >>podman.txt')
        cls.stub("aws", 'echo "$@" >>aws.txt\necho https://oidc.example.com/id/1')
        cls.stub("openssl", 'test -e "${@: -1}"')
        pages = [page.read_text(encoding="utf-8") for page in (README, OPERATIONS)]
        # A block in a list is indented.
        commands = [textwrap.dedent(it) for it in re.findall(r"```sh\n(.*?)```", "\n".join(pages), re.DOTALL)]
        environment = {**os.environ, "PATH": f"{cls.folder}/bin:{os.environ['PATH']}"}
        script = ["bash", "-euo", "pipefail", "-c", "".join(commands)]
        done = subprocess.run(script, cwd=cls.folder, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    @classmethod
    def stub(cls, name: str, script: str) -> None:
        program = cls.folder / "bin" / name
        program.parent.mkdir(exist_ok=True)
        program.write_text("#!/bin/bash\nset -eu\n" + textwrap.dedent(script).strip() + "\n", encoding="utf-8")
        program.chmod(0o755)

    def said(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def test_they_make_every_secret_of_the_chart_and_install_it(self) -> None:
        made = {it["metadata"]["name"]: it for it in chart.loaded(self.said("secrets.yaml"))}
        self.assertEqual({it["metadata"]["namespace"] for it in made.values()}, {chart.NAMESPACE})
        keys = {name: set({**it.get("data", {}), **it.get("stringData", {})}) for name, it in made.items()}
        installed = tuple(chart.loaded(self.said("objects.yaml")))
        self.assertEqual(needed(installed), keys)
        # As installed, with the same names.
        names = {it["metadata"]["name"] for it in installed}
        self.assertEqual(names, {it["metadata"]["name"] for it in chart.rendered()})
        (account,) = (it for it in installed if it["kind"] == "ServiceAccount")
        self.assertIn("eks.amazonaws.com/role-arn", account["metadata"]["annotations"])

    def test_the_roles_are_made_for_the_accounts_of_the_values(self) -> None:
        # Tags such as !Sub are of CloudFormation.
        text = HUB.read_text(encoding="utf-8").split("\nConditions:")[0]
        parameters = yaml.safe_load(text)["Parameters"]
        deployed = [
            line.split(" --parameter-overrides ")[1] for line in self.said("aws.txt").splitlines() if " deploy " in line
        ]
        chosen = [dict(word.split("=", 1) for word in words.split()) for words in deployed]
        self.assertEqual([it["TrustedBy"] for it in chosen], ["PodIdentity", "WebIdentity"])
        self.assertEqual(chosen[1]["OidcProviderHost"], "oidc.example.com/id/1")
        for given in chosen:
            self.assertEqual(given["ListOrganization"], "true", "the chart surveys the organization")
            for name, value in given.items():
                self.assertIn(value, parameters[name].get("AllowedValues", [value]), name)
        account = parameters["ServiceAccount"]["Default"].replace(":", " --service-account ")
        self.assertIn(f"--namespace {account} ", self.said("aws.txt"))
        self.assertIn(f"role/{parameters['RoleName']['Default']}", self.said("aws.txt"))

    def test_a_new_certificate_is_in_every_secret_that_had_the_old_one(self) -> None:
        made = {it["metadata"]["name"]: set(it["data"]) for it in chart.loaded(self.said("secrets.yaml"))}
        applied = list(chart.loaded(self.said("applied.yaml")))
        # Both authorities with the old certificate, then with the new one; then Neo4j's password.
        for part in (applied[: len(made) - 1], applied[len(made) - 1 : -1], applied[-1:]):
            for it in part:
                self.assertEqual(set(it["data"]), made[it["metadata"]["name"]])
        names = sorted(it["metadata"]["name"] for it in applied)
        self.assertEqual(names, sorted([*(set(made) - {"groma-neo4j"}), *made]))

    def test_commands_name_objects_of_the_chart(self) -> None:
        objects = {(it["kind"].lower(), it["metadata"]["name"]) for it in chart.rendered()}
        named = set(re.findall(r"\b(statefulset|deployment)[ /](groma[\w-]*)", self.said("kubectl.txt")))
        self.assertEqual(named, {("statefulset", "groma-nats"), ("deployment", "groma-graph-writer")})
        self.assertLessEqual(named, objects)
        (workload,) = chart.of_kind("StatefulSet")
        (claim,) = workload["spec"]["volumeClaimTemplates"]
        claims = [f"{claim['metadata']['name']}-groma-nats-{nth}" for nth in range(workload["spec"]["replicas"])]
        self.assertEqual(re.findall(r"patch persistentvolumeclaim (\S+)", self.said("kubectl.txt")), claims)

    def test_an_upgrade_has_the_values_of_the_installation(self) -> None:
        commands = self.said("helm.txt").splitlines()
        (upgrade,) = [line for line in commands if " upgrade " in line]
        (install,) = re.findall(r"^helm (.* install .*)$", README.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(upgrade, install.replace(" install ", " upgrade "))
        self.assertIn("-f my-values.yaml", upgrade)

    def test_the_certificate_has_the_names_of_the_servers(self) -> None:
        words = self.said("groma.txt").split()
        names = {words[nth + 1] for nth, word in enumerate(words) if word == "--tls-name"}
        self.assertEqual(names, {"groma-nats", "*.groma-nats", "groma-nats.groma.svc"})
        flags = [word for word in words if word.startswith("--")]
        self.assertEqual(names_in_code.unknown_words(["nats init", *flags], []), [])

    def test_they_push_the_image_that_they_install(self) -> None:
        (image,) = {
            pod.container["image"]
            for pod in chart.each_pod(tuple(chart.loaded(self.said("objects.yaml"))))
            if pod.component != "nats"
        }
        self.assertIn(f"push {image}\n", self.said("podman.txt"))
        self.assertIn(f"--tag {image} ", self.said("podman.txt"))


def needed(objects: tuple[Json, ...]) -> dict[str, set[str]]:
    """Keys of Secrets that pods mount or read, by Secret."""
    found: dict[str, set[str]] = {}
    for pod in chart.each_pod(objects):
        for volume in pod.spec["volumes"]:
            for source in volume.get("projected", {}).get("sources", []):
                keys = {item["key"] for item in source["secret"]["items"]}
                found.setdefault(source["secret"]["name"], set()).update(keys, {"ca.pem"})
            if secret := volume.get("secret"):
                # All of it; the configuration names the files.
                (text,) = (it["data"]["nats.conf"] for it in objects if it["kind"] == "ConfigMap")
                found[secret["secretName"]] = set(re.findall(r'"(?:/etc/groma-nats|accounts)/(\S+)"', text))
        for variable in pod.container["env"]:
            if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
                found.setdefault(reference["name"], set()).add(reference["key"])
    return found


if __name__ == "__main__":
    unittest.main()
