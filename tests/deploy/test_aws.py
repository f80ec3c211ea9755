"""The roles in deploy/aws: templates that AWS would take, modules that are formatted and render."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

from cfnlint.api import lint_all

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "aws")]

import hcl

ROOT = HERE.parents[1]


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
