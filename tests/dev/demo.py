#!/usr/bin/env python3
"""The demo behind `just demo`: provisions and builds, surveys a simulated organization, and asks the graph.

Ends by itself with status 0 and leaves NATS and Neo4j up (`just down` stops them). Nothing of your own AWS
configuration is read or passed on.
"""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import cargo
import provision
import servers
import stack
from provision import Missing
from servers import ROOT, Failed

HERE = Path(__file__).resolve().parent
# Exit status of a sync that finished and could not see everything.
INCOMPLETE = 3


def main() -> int:
    started = time.monotonic()
    try:
        groma = tools_and_groma()
        title("NATS and Neo4j")
        if stack.up(for_demo=True):
            raise Failed("the servers did not start")
        # Without the way into the caller's AWS.
        environment = {**servers.process.without("AWS_"), **stack.environment(stack.read_stack())}
        prepared = prepare(groma, environment)
        with simulated_organization() as aws:
            if prepared.wait():
                raise Failed("Neo4j could not be prepared")
            survey(groma, {**environment, **aws.access})
            title("Three findings a security engineer cares about")
            run([groma, "findings"], environment)
            awkward(groma, environment, aws)
    except (Failed, Missing) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    farewell(time.monotonic() - started)
    return 0


def title(text: str) -> None:
    print(f"\n== {text}", flush=True)


def tools_and_groma() -> str:
    """Provisions while cargo builds: the one waits for the network, the other for the processor."""
    if provision.is_current(provision.wanted()):
        return build_groma()
    title("Provisioning beside the build; its output follows the build's")
    tools = subprocess.Popen(
        [sys.executable, str(HERE / "provision.py")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    # Read all the time: a full pipe would stop it.
    output = []
    reader = threading.Thread(target=lambda: output.extend(tools.stdout or ()), daemon=True)
    reader.start()
    try:
        groma = build_groma()
        tools.wait()
    except BaseException:
        tools.terminate()
        raise
    reader.join()
    print("".join(output), end="", flush=True)
    if tools.returncode:
        raise Failed("provisioning failed")
    return groma


def build_groma() -> str:
    title("Building groma")
    return cargo.build_groma()


@contextlib.contextmanager
def simulated_organization() -> Iterator[servers.aws.Aws]:
    """The simulated AWS with an organization; it is gone afterwards."""
    title("A simulated AWS organization: hub and three spokes in two regions")
    with tempfile.TemporaryDirectory(prefix="groma-demo-") as folder, servers.aws.running(Path(folder)) as aws:
        summary = aws.seed("demo", Path(folder))
        names = ", ".join(f"{account['name']} {account['id']}" for account in summary["accounts"])
        print(f"{names}; filled in {summary['seconds']} s")
        yield aws


def prepare(groma: str, environment: dict[str, str]) -> subprocess.Popen[bytes]:
    """Has Neo4j, which has only just started, plan its statements while the simulated AWS is filled."""
    return subprocess.Popen([groma, "neo4j", "init"], env=environment, stdout=subprocess.DEVNULL)


def survey(groma: str, environment: dict[str, str]) -> None:
    title("groma sync --accounts profiles")
    run([groma, "sync", "--accounts", "profiles"], environment)


def awkward(groma: str, environment: dict[str, str], aws: servers.aws.Aws) -> None:
    """What a sync says of an organization in which not everything can be seen."""
    title(
        "The same organization with a suspended account, missing roles, a denied region, and Inspector in one of three"
    )
    folder = Path(aws.access["AWS_CONFIG_FILE"]).parent
    made = json.loads(aws.script("awkward.py", "--dir", str(folder)))
    command = [groma, "--log", "warn", "sync", *made["arguments"]]
    status = subprocess.run(command, env={**environment, **made["env"]}, check=False).returncode
    print(f"exit status {status}: the sync finished, and some scopes could not be seen")
    if status != INCOMPLETE:
        raise Failed(f"`groma {' '.join(command[1:])}` ended with status {status}, not {INCOMPLETE}")


def run(command: list[str], environment: dict[str, str]) -> None:
    status = subprocess.run(command, env=environment, check=False).returncode
    if status:
        raise Failed(f"`groma {' '.join(command[1:])}` ended with status {status}")


def farewell(seconds: float) -> None:
    title(f"Done in {seconds:.0f} s; NATS and Neo4j stay up")
    stack.tell(stack.read_stack())
    if not stack.external("neo4j", stack.read_stack()):
        print(f"       password: cat {stack.PASSWORD_FILE.relative_to(ROOT)}")
    print("Stop them with `just down`.")


if __name__ == "__main__":
    sys.exit(main())
