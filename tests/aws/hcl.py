"""Evaluates the Terraform modules of deploy/aws, as far as they go: variables, locals, and resources with what they refer to.

The AWS provider of Terraform cannot be had everywhere that tests run, so the tests render a module with this and make its
resources with boto3. Where a terraform is installed, its own evaluation of the policies is compared (see `terraform`).
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hcl2

Json = dict[str, Any]

TOKEN = re.compile(r'\s*(==|!=|"|[A-Za-z_][A-Za-z0-9_.-]*|[0-9]+|[?:,=(){}\[\]])')
META = ("__is_block__", "__comments__")


class Module:
    """One module with its variables; `known` gives what only a provider knows, such as a resource's ARN."""

    def __init__(self, folder: Path, variables: Json, known: Json) -> None:
        self.folder = Path(folder)
        parsed = [hcl2.loads(path.read_text(encoding="utf-8")) for path in sorted(self.folder.glob("*.tf"))]
        self.variables = {}
        for name, body in named_blocks(parsed, "variable"):
            if name not in variables and "default" not in body:
                raise ValueError(f"{self.folder.name} needs the variable {name}")
            self.variables[name] = variables[name] if name in variables else self.value(body["default"])
        unknown = set(variables) - set(self.variables)
        if unknown:
            raise ValueError(f"{self.folder.name} has no variables {unknown}")
        self.locals = {key: node for file in parsed for block in file.get("locals", []) for key, node in block.items()}
        self.known = known
        self.parsed = parsed

    def resources(self) -> Iterator[tuple[str, str, Json]]:
        """(type, name, attributes) of every resource, those of count and for_each one by one."""
        for file in self.parsed:
            for block in file.get("resource", []):
                for kind, instances in block.items():
                    for name, body in instances.items():
                        yield from self.instances(unquoted(kind), unquoted(name), body)

    def instances(self, kind: str, name: str, body: Json) -> Iterator[tuple[str, str, Json]]:
        body = {key: node for key, node in body.items() if key not in META and key != "lifecycle"}
        each = self.value(body.pop("for_each")) if "for_each" in body else [None]
        count = self.value(body.pop("count")) if "count" in body else 1
        for item in list(each) * count:
            yield kind, name, {key: self.value(node, {"each.value": item}) for key, node in body.items()}

    def local(self, name: str) -> Any:
        return self.value(self.locals[name])

    def value(self, node: Any, scope: Json | None = None) -> Any:
        if isinstance(node, dict):
            return {self.key(key, scope): self.value(item, scope) for key, item in node.items() if key not in META}
        if isinstance(node, list):
            return [self.value(item, scope) for item in node]
        if not isinstance(node, str):
            return node
        text = node[2:-1] if node.startswith("${") and node.endswith("}") else node
        return Expression(self, text, scope or {}).whole()

    def key(self, key: str, scope: Json | None) -> Any:
        return self.value(key, scope) if key.startswith(('"', "$")) else key

    def name(self, name: str, scope: Json) -> Any:
        if name in scope:
            return scope[name]
        head, _, rest = name.partition(".")
        if name == "path.module":
            return str(self.folder)
        if head == "var":
            return self.variables[rest]
        if head == "local":
            return self.local(rest)
        if name in ("true", "false", "null"):
            return {"true": True, "false": False, "null": None}[name]
        return self.known[name]


class Expression:
    """Recursive descent over one expression; what it does not know is an error."""

    def __init__(self, module: Module, text: str, scope: Json) -> None:
        self.module, self.text, self.scope, self.at = module, text, scope, 0

    def whole(self) -> Any:
        value = self.choice()
        if self.text[self.at :].strip():
            raise ValueError(f"cannot evaluate {self.text!r} from {self.at}")
        return value

    def peek(self) -> str | None:
        match = TOKEN.match(self.text, self.at)
        return match.group(1) if match else None

    def take(self, expected: str | None = None) -> str:
        match = TOKEN.match(self.text, self.at)
        if not match or (expected and match.group(1) != expected):
            raise ValueError(f"cannot evaluate {self.text!r} from {self.at}: {expected or 'something'} is missing")
        self.at = match.end()
        return match.group(1)

    def choice(self) -> Any:
        condition = self.comparison()
        if self.peek() != "?":
            return condition
        self.take("?")
        yes = self.choice()
        self.take(":")
        no = self.choice()
        return yes if condition else no

    def comparison(self) -> Any:
        left = self.operand()
        if self.peek() not in ("==", "!="):
            return left
        equal = self.take() == "=="
        return (left == self.operand()) == equal

    def operand(self) -> Any:
        token = self.take()
        if token == '"':
            return self.template()
        if token == "[":
            return self.items("]", self.choice)
        if token == "{":
            return dict(self.items("}", self.entry))
        if token == "(":
            value = self.choice()
            self.take(")")
            return value
        if token.isdigit():
            return int(token)
        if self.peek() == "(":
            self.take("(")
            return call(token, self.items(")", self.choice))
        return self.module.name(token, self.scope)

    def entry(self) -> tuple[str, Any]:
        key = self.take()
        key = self.template() if key == '"' else key
        self.take("=")
        return key, self.choice()

    def items(self, end: str, item: Callable[[], Any]) -> list[Any]:
        values = []
        while self.peek() != end:
            values.append(item())
            if self.peek() == ",":
                self.take(",")
        self.take(end)
        return values

    def template(self) -> str:
        parts = []
        while self.text[self.at] != '"':
            if self.text.startswith("${", self.at):
                self.at += 2
                parts.append(str(self.choice()))
                self.take("}")
            else:
                parts.append(self.text[self.at])
                self.at += 1
        self.at += 1
        return "".join(parts)


def call(name: str, arguments: list[Any]) -> str | list[Any] | Json:
    if name == "jsonencode":
        return json.dumps(arguments[0], sort_keys=True, separators=(",", ":"))
    if name == "concat":
        return [item for items in arguments for item in items]
    if name == "merge":
        return {key: value for items in arguments if items for key, value in items.items()}
    if name == "toset":
        return sorted(set(arguments[0]))
    if name == "file":
        return Path(arguments[0]).read_text(encoding="utf-8")
    raise ValueError(f"no function {name}")


def named_blocks(parsed: list[Json], kind: str) -> Iterator[tuple[str, Any]]:
    for file in parsed:
        for block in file.get(kind, []):
            for name, body in block.items():
                yield unquoted(name), body


def unquoted(text: str) -> str:
    return text.strip('"')


def terraform(folder: Path, variables: Json, partition: str, names: list[str]) -> Json | None:
    """What an installed terraform makes of these locals of policies.tf; None where there is no terraform."""
    program = shutil.which("terraform")
    if program is None:
        return None
    with tempfile.TemporaryDirectory() as scratch:
        for file in ("variables.tf", "policies.tf"):
            shutil.copy(Path(folder, file), scratch)
        outputs = "".join(f'output "{name}" {{\n  value = local.{name}\n}}\n' for name in names)
        needs_partition = "local.partition" in Path(folder, "policies.tf").read_text(encoding="utf-8")
        more = f'locals {{\n  partition = "{partition}"\n}}\n' if needs_partition else ""
        Path(scratch, "test.tf").write_text(outputs + more, encoding="utf-8")
        Path(scratch, "terraform.tfvars.json").write_text(json.dumps(variables), encoding="utf-8")
        for command in (["init"], ["apply", "-auto-approve"]):
            subprocess.run(
                [program, *command, "-no-color", "-input=false"], cwd=scratch, check=True, capture_output=True
            )
        shown = subprocess.run([program, "output", "-json"], cwd=scratch, check=True, capture_output=True)
        return {name: output["value"] for name, output in json.loads(shown.stdout).items()}
