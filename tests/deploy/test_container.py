"""The image, and deploy/compose.yaml with all roles on one machine."""

from __future__ import annotations

import json
import re
import sys
import unittest
from pathlib import Path
from typing import Any

import jsonschema
import names_in_code
import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import catalog

Json = dict[str, Any]

ROOT = HERE.parents[1]
COMPOSE = ROOT / "deploy" / "compose.yaml"
SCHEMA = HERE / "schemas" / "compose-spec.json"
ROLES = ("broker", "collectors", "graph-writer", "scheduler")


class Image(unittest.TestCase):
    def setUp(self) -> None:
        self.file = (ROOT / "deploy" / "container" / "Containerfile").read_text(encoding="utf-8")

    def test_it_has_the_program_with_every_role(self) -> None:
        self.assertIn("--bin groma ", self.file)
        self.assertIn('ENTRYPOINT ["/groma"]', self.file)

    def test_it_is_built_with_the_compiler_of_the_workspace(self) -> None:
        toolchain = (ROOT / "rust-toolchain.toml").read_text(encoding="utf-8")
        (wanted,) = re.findall(r'channel = "(\d+\.\d+)', toolchain)
        (used,) = re.findall(r"library/rust:(\d+\.\d+)-", self.file)
        self.assertEqual(used, wanted)

    def test_it_copies_folders_that_exist(self) -> None:
        copied = re.findall(r"^COPY (?!--from)(.*) \S+$", self.file, re.MULTILINE)
        names = {name for line in copied for name in line.split()}
        self.assertIn("crates", names)
        self.assertEqual([name for name in names if not (ROOT / name).exists()], [])


class Compose(unittest.TestCase):
    def setUp(self) -> None:
        self.file: Json = yaml.safe_load(COMPOSE.read_text(encoding="utf-8"))
        self.services: Json = self.file["services"]

    def test_it_has_the_form_of_the_specification(self) -> None:
        schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
        jsonschema.validate(self.file, schema, jsonschema.Draft7Validator)
        with self.assertRaises(jsonschema.ValidationError):
            jsonschema.validate(
                {**self.file, "services": {"nats": {"imag": "nats"}}}, schema, jsonschema.Draft7Validator
            )

    def test_all_roles_run_with_arguments_of_the_program(self) -> None:
        self.assertEqual(set(self.services), {"nats", "neo4j", *ROLES})
        for name in ROLES:
            service = self.services[name]
            self.assertEqual(names_in_code.unknown_words(service["command"], list(service["environment"])), [], name)
        self.assertEqual(sorted(self.services["collectors"]["command"][1:]), sorted(catalog.names()))

    def test_the_image_is_built_once(self) -> None:
        built = [name for name, service in self.services.items() if "build" in service]
        self.assertEqual(built, ["broker"])
        version = names_in_code.one(r'\[workspace\.package\]\nversion = "(.+)"', ROOT / "Cargo.toml")
        self.assertEqual({self.services[name]["image"] for name in ROLES}, {f"groma:{version}"})
        context, file = (self.services["broker"]["build"][key] for key in ("context", "dockerfile"))
        self.assertTrue((COMPOSE.parent / context / file).exists())

    def test_nats_and_the_roles_have_time_to_end(self) -> None:
        # SIGTERM ends a server immediately, and its clients lose what is under way.
        self.assertEqual(self.services["nats"]["stop_signal"], "SIGUSR2")
        for name, least in {"nats": 130, **dict.fromkeys(ROLES, 45)}.items():
            self.assertGreaterEqual(int(self.services[name]["stop_grace_period"].removesuffix("s")), least, name)

    def test_other_machines_reach_no_port(self) -> None:
        for name, service in self.services.items():
            for port in service.get("ports", []):
                self.assertRegex(port, r"^127\.0\.0\.1:\d+:\d+$", name)
            self.assertNotIn("network_mode", service, name)
        self.assertNotIn("ports", self.services["nats"])

    def test_only_the_broker_has_the_identity_and_only_the_writer_reaches_neo4j(self) -> None:
        with_identity = {name for name, service in self.services.items() if "AWS_" in json.dumps(service)}
        self.assertEqual(with_identity, {"broker"})
        reaching = {name for name, service in self.services.items() if "graph" in service.get("networks", [])}
        self.assertEqual(reaching, {"neo4j", "graph-writer"})
        self.assertEqual(self.services["neo4j"]["networks"], ["graph"])

    def test_what_a_service_waits_for_can_happen(self) -> None:
        for name, service in self.services.items():
            for other, wanted in service.get("depends_on", {}).items():
                if wanted["condition"] == "service_healthy":
                    self.assertIn("healthcheck", self.services[other], name)


if __name__ == "__main__":
    unittest.main()
