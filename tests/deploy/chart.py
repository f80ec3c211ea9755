"""The chart `deploy/helm/groma`, rendered by helm as in an installation, and what its objects run."""

from __future__ import annotations

import dataclasses
import functools
import subprocess
import sys
import unittest
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import servers

Json = dict[str, Any]

ROOT = HERE.parents[1]
CHART = ROOT / "deploy" / "helm" / "groma"
RELEASE = NAMESPACE = "groma"
COMPONENT = "app.kubernetes.io/component"
# Port of health and metrics.
MONITOR = 9464


@dataclasses.dataclass(frozen=True)
class Pod:
    """A pod that some object runs."""

    kind: str
    name: str
    metadata: Json
    spec: Json

    @property
    def component(self) -> str:
        return self.metadata["labels"][COMPONENT]

    @property
    def container(self) -> Json:
        (only,) = self.spec["containers"]
        return only

    @property
    def variables(self) -> dict[str, str]:
        return {it["name"]: it.get("value", "") for it in self.container["env"]}


def helm(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs helm. Skips the test on a machine that has none."""
    program = servers.tools.found("helm")
    if program is None:
        raise unittest.SkipTest("helm is not installed, so the chart was not rendered")
    return subprocess.run([program, *arguments], capture_output=True, text=True, check=False)


def template(*settings: str) -> subprocess.CompletedProcess[str]:
    """Renders the chart with these values, each as for `--set`."""
    values = [word for setting in settings for word in ("--set", setting)]
    return helm("template", RELEASE, str(CHART), "--namespace", NAMESPACE, *values)


@functools.cache
def rendered(*settings: str) -> tuple[Json, ...]:
    """All objects of the chart with these values. Fails if helm does."""
    done = template(*settings)
    assert done.returncode == 0, done.stderr
    return tuple(loaded(done.stdout))


def loaded(text: str) -> list[Json]:
    """Objects of a text, with libyaml where it is there."""
    return [it for it in yaml.load_all(text, getattr(yaml, "CSafeLoader", yaml.SafeLoader)) if it]


def of_kind(kind: str, *settings: str) -> list[Json]:
    return [it for it in rendered(*settings) if it["kind"] == kind]


def pods(*settings: str) -> dict[str, Pod]:
    """Pods of all objects by component."""
    return {pod.component: pod for pod in each_pod(rendered(*settings))}


def each_pod(objects: tuple[Json, ...]) -> Iterator[Pod]:
    for it in objects:
        kind, name = it["kind"], it["metadata"]["name"]
        if kind == "Pod":
            yield Pod(kind, name, it["metadata"], it["spec"])
        elif kind == "CronJob":
            made = it["spec"]["jobTemplate"]["spec"]["template"]
            yield Pod(kind, name, made["metadata"], made["spec"])
        elif "template" in it.get("spec", {}):
            made = it["spec"]["template"]
            yield Pod(kind, name, made["metadata"], made["spec"])


def groups() -> dict[str, Json]:
    """Default groups of collectors by name."""
    return yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))["collectors"]
