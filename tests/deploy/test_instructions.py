"""The commands of deploy/helm/README.md: run as they are written, except that no cluster changes."""

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

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import servers

Json = dict[str, Any]

README = chart.ROOT / "deploy" / "helm" / "README.md"
# Stands for `groma nats init`: the files that it writes, without their content.
GROMA = """
    mkdir -p closed/keys closed/tls
    cd closed && touch {files}
    echo "$@" >>../groma.txt
"""
# Prints Secrets instead of creating them.
KUBECTL = """
    case "$*" in
    *" create secret "*) {kubectl} "$@" --dry-run=client --output yaml >>secrets.yaml && echo --- >>secrets.yaml ;;
    *) echo "$@" >>kubectl.txt ;;
    esac
"""
# Renders the chart instead of installing it.
HELM = """
    case "$*" in
    *" install "*) {helm} "${{@/install/template}}" >objects.yaml ;;
    *) echo "$@" >>helm.txt ;;
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
        commands = re.findall(r"```sh\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
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
