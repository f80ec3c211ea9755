"""What provisioning decides before it fetches anything, and what it says when something is missing."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
import zipfile
from pathlib import Path
from typing import Any
from unittest import mock

import provision
from provision import Missing

POINTERS = ("GROMA_NATS_SERVER", "GROMA_JAVA_HOME", "GROMA_NEO4J_HOME", "GROMA_HELM", "GROMA_KUBECTL", "JAVA_HOME")


class Provision(unittest.TestCase):
    def setUp(self) -> None:
        held = contextlib.ExitStack()
        self.addCleanup(held.close)
        self.folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        held.enter_context(mock.patch.dict(os.environ))
        for name in POINTERS:
            os.environ.pop(name, None)
        held.enter_context(mock.patch.object(provision, "runs_layer", return_value=True))
        paths = {"ROOT": "", "TOOLS": ".tools", "VENV": ".tools/venv", "NEO4J": ".tools/neo4j", "LOGS": ".tools/log",
                 "KUBERNETES": ".tools/kubernetes", "MANIFEST": ".tools/tools.json"}  # fmt: skip
        for name, path in paths.items():
            held.enter_context(mock.patch.object(provision, name, self.folder / path))

    def java(self, version: str) -> str:
        home = self.folder / f"java {version}"
        (home / "bin").mkdir(parents=True)
        (home / "bin" / "java").touch()
        (home / "release").write_text(f'IMPLEMENTOR="X"\nJAVA_VERSION="{version}"\n', encoding="utf-8")
        return str(home)

    def program(self, path: str | Path) -> str:
        program = self.folder / path
        program.parent.mkdir(parents=True, exist_ok=True)
        program.touch(0o755)
        return str(program)

    def test_everything_is_wanted_and_pinned(self) -> None:
        want = provision.wanted()
        always = [*provision.MOTO, *provision.HCL, *provision.PROMQL, *provision.SCHEMAS]
        self.assertEqual(want["packages"], [*always, *provision.NATS, *provision.JAVA, *provision.JGO])
        self.assertRegex(want["layer"], r"^[\w-]+==\S+ --hash=sha256:[0-9a-f]{64}$")
        self.assertTrue(all("==" in package for package in want["packages"]))
        self.assertEqual(want["neo4j"], provision.NEO4J_COORDINATES)

    def test_what_the_user_has_is_not_fetched(self) -> None:
        os.environ["GROMA_NATS_SERVER"] = self.program("nats-server")
        os.environ["GROMA_JAVA_HOME"] = self.java("21.0.8")
        os.environ["GROMA_NEO4J_HOME"] = str(Path(self.program("neo4j/lib/neo4j-server-5.26.12.jar")).parents[1])
        for name in ("helm", "kubectl"):
            os.environ[f"GROMA_{name.upper()}"] = self.program(name)
        want = provision.wanted()
        self.assertEqual(want["packages"], [*provision.MOTO, *provision.HCL, *provision.PROMQL, *provision.SCHEMAS])
        self.assertIsNone(want["neo4j"])
        self.assertIsNone(want["layer"])
        self.assertEqual(provision.found_program(want, "helm"), "helm")

    def test_java_home_counts_when_it_is_new_enough(self) -> None:
        for version, taken in (("17.0.15", True), ("25", True), ("11.0.2", False), ("1.8.0_402", False)):
            with self.subTest(version):
                os.environ["JAVA_HOME"] = self.java(version)
                self.assertEqual(provision.wanted()["java_home"] is not None, taken)

    def test_a_pointer_to_nothing_is_one_sentence(self) -> None:
        for name in ("GROMA_NATS_SERVER", "GROMA_JAVA_HOME", "GROMA_NEO4J_HOME", "GROMA_HELM"):
            with self.subTest(name), mock.patch.dict(os.environ, {name: "/nowhere"}):
                with self.assertRaises(Missing) as error:
                    provision.wanted()
                self.assertIn(f"{name} is /nowhere", str(error.exception))

    def test_a_second_run_does_nothing(self) -> None:
        want = self.provisioned()
        self.assertTrue(provision.is_current(want))
        with mock.patch.object(provision, "only_one", side_effect=AssertionError("it works again")):
            provision.provision(want)

    def test_other_pins_and_lost_files_are_noticed(self) -> None:
        want = self.provisioned()
        self.assertFalse(provision.is_current({**want, "packages": ["moto[server]==9"]}))
        for path in ("venv/bin/nats-server", "kubernetes/helm"):
            file = self.folder / ".tools" / path
            file.unlink()
            self.assertFalse(provision.is_current(want), path)
            self.program(file)

    def test_elsewhere_helm_is_that_on_the_path_or_none(self) -> None:
        with mock.patch.object(provision, "runs_layer", return_value=False):
            want = provision.wanted()
        self.assertIsNone(want["layer"])
        for found in ("/usr/bin/helm", None):
            with mock.patch.object(provision.shutil, "which", return_value=found):
                self.assertEqual(provision.found_program(want, "helm"), found)

    def test_helm_and_kubectl_are_taken_out_of_their_wheel(self) -> None:
        inner, package, wheel = io.BytesIO(), io.BytesIO(), self.folder / "layer.whl"
        with zipfile.ZipFile(inner, "w") as zipped:
            for name in provision.layer.PROGRAMS:
                zipped.writestr(f"{name}/{name}", f"#!/bin/sh\necho {name}\n")
        with tarfile.open(fileobj=package, mode="w:gz") as archive:
            entry = tarfile.TarInfo("package/lib/layer.zip")
            entry.size = len(inner.getvalue())
            archive.addfile(entry, io.BytesIO(inner.getvalue()))
        with zipfile.ZipFile(wheel, "w") as zipped:
            zipped.writestr("aws_cdk/x/_jsii/x.jsii.tgz", package.getvalue())
        provision.layer.unpack(wheel, self.folder)
        for name in provision.layer.PROGRAMS:
            said = subprocess.run([str(self.folder / name)], capture_output=True, text=True, check=True).stdout
            self.assertEqual(said, f"{name}\n")

    def provisioned(self) -> dict[str, Any]:
        """As after a run, without one."""
        want = provision.wanted()
        java = Path(self.program(".tools/java/bin/java")).parents[1]
        made = ("venv/bin/python", "venv/bin/nats-server", "neo4j/lib/neo4j.jar", "neo4j/classes.jsa")
        for path in (*made, "kubernetes/helm", "kubernetes/kubectl"):
            self.program(f".tools/{path}")
        with mock.patch.object(provision, "java_home_of", return_value=java):
            provision.write_manifest(want)
        return want

    def test_paths_are_relative_to_the_workspace(self) -> None:
        self.provisioned()
        manifest = json.loads(provision.MANIFEST.read_text(encoding="utf-8"))
        self.assertEqual(manifest["nats_server"], ".tools/venv/bin/nats-server")
        self.assertEqual(manifest["neo4j_classpath"], [".tools/neo4j/lib/neo4j.jar"])

    def test_a_full_disk_is_said_before_the_work(self) -> None:
        provision.TOOLS.mkdir()
        with mock.patch.object(provision, "NEEDED_BYTES", 1 << 62), self.assertRaises(Missing) as error:
            provision.check_disk()
        self.assertIn("MiB of disk", str(error.exception))

    def test_a_failing_step_ends_in_a_sentence_with_the_log(self) -> None:
        provision.TOOLS.mkdir()
        fails = [sys.executable, "-c", "print('Traceback'); print('no route to host'); raise SystemExit(1)"]
        with self.assertRaises(Missing) as error:
            provision.run("pip", fails, provision.no_package)
        self.assertIn("It says: no route to host", str(error.exception))
        self.assertIn("pip.log", str(error.exception))

    def test_two_runs_take_turns(self) -> None:
        waits = "import provision\nwith provision.only_one(): print('in', flush=True); input()"
        with mock.patch.object(provision, "TOOLS", provision.TOOLS), provision.only_one():
            script = f"import provision, pathlib; provision.TOOLS = pathlib.Path({str(provision.TOOLS)!r})\n{waits}"
            here = str(Path(provision.__file__).parent)
            second = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                      text=True, cwd=here)  # fmt: skip
            assert second.stdout
            self.assertIn("waiting", second.stdout.readline())
        self.assertEqual(second.stdout.readline(), "in\n")
        second.communicate("\n", timeout=20)


if __name__ == "__main__":
    unittest.main()
