"""kube-apiserver and etcd, built from the Go modules of `control-plane`; its go.sum has their checksums."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import provision
from provision import Missing

# That of control-plane/go.mod.
VERSION = "1.36.3"
SOURCE = HERE / "control-plane"
FOLDER = provision.TOOLS / "control-plane"
PROGRAMS = {name: FOLDER / name for name in ("etcd", "kube-apiserver")}
FLAGS = ("-trimpath", "-ldflags", f"-s -w -X k8s.io/component-base/version.gitVersion=v{VERSION}")


def are_there() -> bool:
    """Whether both were built."""
    return all(program.exists() for program in PROGRAMS.values())


def build() -> None:
    """Builds both. Does nothing the second time. Raises Missing if they cannot be built."""
    if are_there():
        return
    go = shutil.which("go")
    if go is None:
        raise Missing("go is not on the PATH: install Go 1.26 or newer")
    FOLDER.mkdir(parents=True, exist_ok=True)
    command = ["env", "CGO_ENABLED=0", "GOFLAGS=-mod=readonly", go, "build", "-C", str(SOURCE), *FLAGS]
    command += ["-o", f"{FOLDER}{os.sep}", "./etcd", "k8s.io/kubernetes/cmd/kube-apiserver"]
    with provision.step("kube-apiserver and etcd from their sources"):
        provision.run("control-plane", command, lambda last: f"go could not build them: {last}")
