"""Memory limits of processes: those of `deploy/helm/groma`, kept by cgroups, or by rlimits where there are none to be had."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
from pathlib import Path
from typing import Protocol

VALUES = Path(__file__).resolve().parents[2] / "deploy" / "helm" / "groma" / "values.yaml"
# A role or a group of services, and the memory that its limits allow. Any Python runs this, so YAML is read by its form.
ROLE = re.compile(
    r"^(broker|graphWriter|scheduler|nats):\n(?:[ #].*\n|\n)*?    limits: \{memory: (\d+)(Mi|Gi)\}", re.MULTILINE
)
GROUP = re.compile(r"^    services: \[(.*)\]\n(?:    .*\n)*?      limits: \{memory: (\d+)(Mi|Gi)\}", re.MULTILINE)
UNITS = {"Mi": 1 << 20, "Gi": 1 << 30}
CGROUPS = Path("/sys/fs/cgroup")


def of_the_chart() -> dict[str, int]:
    """Bytes by role, such as `graph-writer` or `collector-ec2`, which has those of its group."""
    text = VALUES.read_text(encoding="utf-8")
    found = {}
    for name, number, unit in ROLE.findall(text):
        found[{"graphWriter": "graph-writer"}.get(name, name)] = int(number) * UNITS[unit]
    for services, number, unit in GROUP.findall(text):
        found.update({f"collector-{service}": int(number) * UNITS[unit] for service in services.split(", ")})
    return found


def best(name: str) -> Limits:
    """The best way to limit memory that this machine has: cgroup v2, v1, or rlimits. `name` is unique to the run."""
    for kind in (CgroupV2, CgroupV1):
        with contextlib.suppress(OSError):
            return kind(name)
    return Rlimits()


class Limits(Protocol):
    """A way to limit the memory of processes."""

    kind: str

    def command(self, name: str, command: list[str], limit: int, /) -> list[str]: ...

    def killed(self, name: str, /) -> int: ...

    def peak(self, name: str, /) -> int: ...

    def close(self) -> None: ...


class Cgroups:
    """A cgroup for each process below one of this run."""

    def __init__(self, parent: Path, name: str) -> None:
        self.folder = parent / f"groma-{name}-{os.getpid()}"
        self.folder.mkdir()

    def make(self, name: str, limit: int) -> Path:
        """The folder of a cgroup that allows so many bytes."""
        group = self.folder / name
        group.mkdir(exist_ok=True)
        self.limit(group, limit)
        return group

    def command(self, name: str, command: list[str], limit: int) -> list[str]:
        """The command that runs `command` under a limit of so many bytes."""
        group = self.make(name, limit)
        # The shell joins the group, and becomes the program.
        return ["/bin/sh", "-c", 'echo $$ > "$0/cgroup.procs" && exec "$@"', str(group), *map(str, command)]

    def limit(self, group: Path, limit: int) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Removes the groups, whose processes must have ended."""
        for group in [*self.folder.glob("*/"), self.folder]:
            with contextlib.suppress(OSError):
                group.rmdir()

    def read(self, name: str, file: str) -> str:
        with contextlib.suppress(OSError):
            return (self.folder / name / file).read_text(encoding="ascii")
        return ""


class CgroupV2(Cgroups):
    kind = "cgroup v2"

    def __init__(self, name: str) -> None:
        if "memory" not in (CGROUPS / "cgroup.subtree_control").read_text(encoding="ascii").split():
            raise OSError("no memory controller for groups below the root")
        super().__init__(CGROUPS, name)
        (self.folder / "cgroup.subtree_control").write_text("+memory", encoding="ascii")

    def limit(self, group: Path, limit: int) -> None:
        (group / "memory.max").write_text(str(limit), encoding="ascii")

    def killed(self, name: str) -> int:
        """How often the kernel has killed a process of this group for its memory."""
        found = re.search(r"^oom_kill (\d+)", self.read(name, "memory.events"), re.MULTILINE)
        return int(found.group(1)) if found else 0

    def peak(self, name: str) -> int:
        """The most bytes that the group has had; 0 when this is not known."""
        return int(self.read(name, "memory.peak") or 0)


class CgroupV1(Cgroups):
    kind = "cgroup v1"

    def __init__(self, name: str) -> None:
        if not (CGROUPS / "memory" / "memory.limit_in_bytes").exists():
            raise OSError("no memory controller of version 1")
        super().__init__(CGROUPS / "memory", name)

    def limit(self, group: Path, limit: int) -> None:
        (group / "memory.limit_in_bytes").write_text(str(limit), encoding="ascii")

    def killed(self, name: str) -> int:
        found = re.search(r"^oom_kill (\d+)", self.read(name, "memory.oom_control"), re.MULTILINE)
        return int(found.group(1)) if found else 0

    def peak(self, name: str) -> int:
        return int(self.read(name, "memory.max_usage_in_bytes") or 0)


class Rlimits:
    """The heap of a process is limited, so that it ends on its own instead of being killed."""

    kind = "rlimits (no cgroup may be made here)"

    def command(self, _: object, command: list[str], limit: int) -> list[str]:
        if not shutil.which("prlimit"):
            return command
        return ["prlimit", f"--data={limit}", *map(str, command)]

    def killed(self, _: object) -> int:
        return 0

    def peak(self, _: object) -> int:
        return 0

    def close(self) -> None:
        pass
