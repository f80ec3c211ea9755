"""What a parity run needs for a while: a simulated AWS with an organization, and an empty Neo4j. Both end with the run."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

LOCAL = Path(__file__).resolve().parents[2] / "deploy" / "local"
sys.path.insert(0, str(LOCAL))

import neo4j_server  # noqa: E402
import provision  # noqa: E402
from ports import free_port  # noqa: E402
from provision import ROOT  # noqa: E402

PATIENCE = 120
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))


class Failed(Exception):
    """A server that did not do what was asked of it; the message is the whole story."""


def provision_tools():
    provision.provision(provision.wanted())


def end_on_sigterm():
    """SIGTERM ends this program as an error does, so that it ends the servers and roles that it has started."""

    def end(*_):
        # A second one would break off the ending.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        sys.exit(128 + signal.SIGTERM)

    signal.signal(signal.SIGTERM, end)


class Aws:
    """A simulated AWS that holds an organization."""

    def __init__(self, endpoint):
        self.endpoint = endpoint
        self.environment = {}

    def seed(self, size, folder):
        command = [python(), str(LOCAL / "organization.py"), "--endpoint", self.endpoint, "--size", size]
        seeding = subprocess.run(
            [*command, "--dir", str(folder)], stdout=subprocess.PIPE, text=True, env=plain_environment(), check=False
        )
        if seeding.returncode:
            raise Failed("the simulated AWS could not be filled")
        env = json.loads(seeding.stdout)["env"]
        self.environment = {**plain_environment(), **json.loads(Path(env).read_text(encoding="utf-8"))}

    def control(self, name, body=None, method="GET"):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.endpoint}/_groma/{name}", data=data, method=method)
        with DIRECT.open(request, timeout=60) as response:
            return json.load(response)

    def take_calls(self):
        """The calls since the last time, as [account, region, service, action]."""
        calls = self.control("calls")
        self.control("calls", method="DELETE")
        return calls


@contextlib.contextmanager
def aws(folder):
    port_file = Path(folder, "moto.port")
    command = [python(), str(LOCAL / "moto_server.py"), "--quiet", "--until-stdin-closes", "--port-file", str(port_file)]
    with server("moto", command, folder) as process:
        wait_for("the simulated AWS", process, Path(folder, "moto.log"), port_file.exists)
        yield Aws(f"http://127.0.0.1:{port_file.read_text(encoding='utf-8').strip()}")


@contextlib.contextmanager
def neo4j(folder):
    """An empty one that asks for no password and listens for Bolt on 127.0.0.1 only."""
    port = free_port()
    command = neo4j_command(Path(folder, "neo4j"), port)
    with server("neo4j", command, folder) as process:
        wait_for("Neo4j", process, Path(folder, "neo4j.log"), lambda: neo4j_server.answers(port))
        yield f"bolt://127.0.0.1:{port}"


SMALL = ("-Xms128m", "-Xmx768m", "-XX:+UseSerialGC")


def neo4j_command(home, port, settings="", options=SMALL, page_cache="64m"):
    """Command of a Neo4j that keeps its data in `home`; `settings` are further lines of its configuration, `options` are Java's."""
    home.mkdir(exist_ok=True)
    (home / "neo4j.conf").write_text(
        f"server.default_listen_address=127.0.0.1\nserver.bolt.listen_address=127.0.0.1:{port}\n"
        f"server.http.enabled=false\nserver.https.enabled=false\nserver.memory.pagecache.size={page_cache}\n"
        "db.tx_log.preallocate=false\ndbms.usage_report.enabled=false\ndbms.security.auth_enabled=false\n" + settings,
        encoding="utf-8",
    )
    classpath = ":".join(str(ROOT / entry) for entry in manifest()["neo4j_classpath"])
    return neo4j_server.command(tool("java"), classpath, home, list(options))


@contextlib.contextmanager
def server(name, command, folder):
    with open(Path(folder, f"{name}.log"), "wb") as log:
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=log, stderr=log, env=plain_environment())
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def wait_for(what, process, log, ready):
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            end = log.read_text(encoding="utf-8", errors="replace").strip()[-500:]
            raise Failed(f"{what} did not start: {end}")
        time.sleep(0.1)


def python():
    return tool("python")


def tool(name):
    return str(ROOT / manifest()[name])


def manifest():
    """Where provisioning put, or found, each program."""
    return json.loads(provision.MANIFEST.read_text(encoding="utf-8"))


def plain_environment():
    """The caller's environment without the way into the caller's AWS, NATS and Neo4j, and without a proxy in between."""
    prefixes = ("AWS_", "NATS_", "NEO4J_", "GROMA_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(prefixes)}
    # The same order of sets in each run of moto, so that the same organization comes out.
    return {**kept, "NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost", "PYTHONHASHSEED": "0"}
