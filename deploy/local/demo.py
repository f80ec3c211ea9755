#!/usr/bin/env python3
"""The demo behind `just demo`: provisions and builds, surveys a simulated organization, and asks the graph.

Ends by itself with status 0 and leaves NATS and Neo4j up (`just down` stops them). Nothing of your own AWS
configuration is read or passed on.
"""

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import provision
import stack
from provision import ROOT, Missing

HERE = Path(__file__).resolve().parent
# Exit status of a sync that finished and could not see everything.
INCOMPLETE = 3


class Failed(Exception):
    """A step that did not work; it has said why itself."""


def main():
    started = time.monotonic()
    try:
        groma = tools_and_groma()
        title("NATS and Neo4j")
        if stack.up(for_demo=True):
            raise Failed("the servers did not start")
        servers = stack.environment(stack.read_stack())
        prepared = prepare(groma, {**without_aws(), **servers})
        with simulated_organization() as aws:
            if prepared.wait():
                raise Failed("Neo4j could not be prepared")
            survey(groma, {**without_aws(), **servers, **aws})
            title("Three findings a security engineer cares about")
            run([groma, "findings"], {**without_aws(), **servers})
            awkward(groma, {**without_aws(), **servers}, aws)
    except (Failed, Missing, stack.Failed) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    farewell(time.monotonic() - started)
    return 0


def title(text):
    print(f"\n== {text}", flush=True)


def tools_and_groma():
    """Provisions while cargo builds: the one waits for the network, the other for the processor."""
    if provision.is_current(provision.wanted()):
        return build()
    title("Provisioning beside the build; its output follows the build's")
    tools = subprocess.Popen(
        [sys.executable, str(HERE / "provision.py")], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    # Read all the time: a full pipe would stop it.
    output = []
    reader = threading.Thread(target=lambda: output.extend(tools.stdout), daemon=True)
    reader.start()
    try:
        groma = build()
        tools.wait()
    except BaseException:
        tools.terminate()
        raise
    reader.join()
    print("".join(output), end="", flush=True)
    if tools.returncode:
        raise Failed("provisioning failed")
    return groma


def build(*options):
    """The path of the program, which cargo knows best: a target directory can be set in several places."""
    title("Building groma")
    command = ["cargo", "build", "--locked", "--bin", "groma", "--message-format=json-render-diagnostics", *options]
    try:
        build = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    except FileNotFoundError as error:
        raise Failed("cargo is not on the PATH: install Rust (rustup)") from error
    if build.returncode:
        raise Failed("the build failed")
    for line in build.stdout.splitlines():
        message = json.loads(line)
        if message.get("target", {}).get("name") == "groma" and message.get("executable"):
            return message["executable"]
    raise Failed("cargo built no groma")


@contextlib.contextmanager
def simulated_organization():
    """The environment that reaches it; it is gone afterwards."""
    title("A simulated AWS organization: hub and three spokes in two regions")
    python = str(ROOT / stack.manifest()["python"])
    with tempfile.TemporaryDirectory(prefix="groma-demo-") as folder:
        port_file = Path(folder, "port")
        server = [python, str(HERE / "moto_server.py"), "--quiet", "--until-stdin-closes"]
        server += ["--port-file", str(port_file)]
        with open(Path(folder, "moto.log"), "w+", encoding="utf-8") as log:
            moto = subprocess.Popen(server, stdin=subprocess.PIPE, stdout=log, stderr=log, env=without_aws())
            try:
                endpoint = f"http://127.0.0.1:{port_of(moto, port_file, log)}"
                yield seeded(python, endpoint, folder)
            finally:
                moto.terminate()
                moto.wait()


def port_of(moto, port_file, log):
    deadline = time.monotonic() + 60
    while not port_file.exists():
        if moto.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            raise Failed(f"the simulated AWS did not start: {log.read().strip()[-500:]}")
        time.sleep(0.05)
    return port_file.read_text(encoding="utf-8").strip()


def seeded(python, endpoint, folder):
    command = [python, str(HERE / "organization.py"), "--endpoint", endpoint, "--size", "demo", "--dir", folder]
    seeding = subprocess.run(command, stdout=subprocess.PIPE, text=True, env=without_aws(), check=False)
    if seeding.returncode:
        raise Failed("the simulated AWS could not be filled")
    summary = json.loads(seeding.stdout)
    names = ", ".join(f"{account['name']} {account['id']}" for account in summary["accounts"])
    print(f"{names}; filled in {summary['seconds']} s")
    return json.loads(Path(summary["env"]).read_text(encoding="utf-8"))


def prepare(groma, environment):
    """Has Neo4j, which has only just started, plan its statements while the simulated AWS is filled."""
    return subprocess.Popen([groma, "neo4j", "init"], env=environment, stdout=subprocess.DEVNULL)


def survey(groma, environment):
    title("groma sync --accounts profiles")
    run([groma, "sync", "--accounts", "profiles"], environment)


def awkward(groma, environment, aws):
    """What a sync says of an organization in which not everything can be seen."""
    title("The same organization with a suspended account, missing roles, a denied region, and Inspector in one of three")
    folder = Path(aws["AWS_CONFIG_FILE"]).parent
    python = str(ROOT / stack.manifest()["python"])
    script = [python, str(HERE / "awkward.py"), "--endpoint", aws["AWS_ENDPOINT_URL"], "--dir", str(folder)]
    made = subprocess.run(script, stdout=subprocess.PIPE, text=True, env=without_aws(), check=False)
    if made.returncode:
        raise Failed("the simulated AWS could not be changed")
    made = json.loads(made.stdout)
    command = [groma, "--log", "warn", "sync", *made["arguments"]]
    status = subprocess.run(command, env={**environment, **made["env"]}, check=False).returncode
    print(f"exit status {status}: the sync finished, and some scopes could not be seen")
    if status != INCOMPLETE:
        raise Failed(f"`groma {' '.join(command[1:])}` ended with status {status}, not {INCOMPLETE}")


def run(command, environment):
    status = subprocess.run(command, env=environment, check=False).returncode
    if status:
        raise Failed(f"`groma {' '.join(command[1:])}` ended with status {status}")


def without_aws():
    """The caller's environment without the way into the caller's AWS."""
    return {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}


def farewell(seconds):
    title(f"Done in {seconds:.0f} s; NATS and Neo4j stay up")
    stack.tell(stack.read_stack())
    if not stack.external("neo4j", stack.read_stack()):
        print(f"       password: cat {stack.PASSWORD_FILE.relative_to(ROOT)}")
    print("Stop them with `just down`.")


if __name__ == "__main__":
    sys.exit(main())
