"""The simulated AWS (`tests/simulated-aws`), for as long as a block lasts."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from servers import http, process, tools
from servers.errors import Failed

SCRIPTS = tools.ROOT / "tests" / "simulated-aws"


class Aws:
    """A simulated AWS, empty until `seed`."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        # Variables with which AWS SDKs reach the organization, and the whole environment of a program that uses them.
        self.access: dict[str, str] = {}
        self.environment: dict[str, str] = {}

    def seed(self, size: str, folder: Path) -> dict[str, Any]:
        """Fills it with an organization, whose AWS files go into `folder`, and returns the summary."""
        summary = json.loads(self.script("organization.py", "--size", size, "--dir", str(folder)))
        self.access = json.loads(Path(summary["env"]).read_text(encoding="utf-8"))
        self.environment = {**process.plain_environment(), **self.access}
        return summary

    def script(self, name: str, *arguments: str) -> str:
        """What a script of the simulated AWS prints. Raises Failed if it fails; it has said why on standard error."""
        command = [tools.python(), str(SCRIPTS / name), "--endpoint", self.endpoint, *arguments]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=process.plain_environment(), check=False)
        if done.returncode:
            raise Failed(f"the simulated AWS could not be filled or changed: {name} ended with {done.returncode}")
        return done.stdout

    def control(self, name: str, body: object = None, method: str = "GET") -> Any:
        return http.ask(f"{self.endpoint}/_groma/{name}", method, body)

    def take_calls(self) -> list[list[str]]:
        """The calls since the last time, as [account, region, service, action]."""
        calls = self.control("calls")
        self.control("calls", method="DELETE")
        return calls


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Aws]:
    command = [tools.python(), str(SCRIPTS / "moto_server.py"), "--quiet", "--until-stdin-closes"]
    with process.announcing("moto", "the simulated AWS", command, folder) as endpoint:
        yield Aws(endpoint)
