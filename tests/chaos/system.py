"""All roles of Groma as processes, with the servers between them; each can be killed and comes back."""

import contextlib
import json
import subprocess
import time
from pathlib import Path

import neo4j_server
import servers

ROLES = {
    "broker": ["broker", "--accounts", "profiles"],
    "collector-sts": ["collector", "sts"],
    "collector-ec2-1": ["collector", "ec2"],
    "collector-ec2-2": ["collector", "ec2"],
    "collector-iam": ["collector", "iam"],
    "collector-inspector2": ["collector", "inspector2"],
    "collector-organizations": ["collector", "organizations"],
    "graph-writer-1": ["graph-writer"],
    "graph-writer-2": ["graph-writer"],
}


class System:
    # Seconds that anything may take to come.
    PATIENCE = 60
    # A server that is killed must find all that it has acknowledged.
    JETSTREAM = "sync_interval: always"
    SCHEDULER = ["scheduler"]

    def __init__(self, groma, aws, folder):
        self.groma, self.aws, self.folder = groma, aws, folder
        self.nats_port, self.neo4j_port = neo4j_server.free_port(), neo4j_server.free_port()
        self.neo4j = f"bolt://127.0.0.1:{self.neo4j_port}"
        self.roles = dict(ROLES)
        self.running = {}
        # What was killed, with the moment at which it comes back.
        self.due = {}

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            self.start("nats")
            self.start("neo4j")
            self.wait("Neo4j", lambda: neo4j_server.answers(self.neo4j_port))
            for name in self.roles:
                self.start(name)
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        # The roles first: they would only complain.
        for process in reversed(self.running.values()):
            process.kill()
            process.wait()

    # Starting

    def launch(self, name, command, environment):
        with open(self.folder / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def start(self, name):
        servers_of = {"nats": self.start_nats, "neo4j": self.start_neo4j}
        if name in servers_of:
            servers_of[name]()
        else:
            role = self.SCHEDULER if name == "scheduler" else self.roles[name]
            self.launch(name, [self.groma, *role], self.environment())

    def environment(self):
        return {
            **self.aws.environment,
            "NATS_URL": f"nats://127.0.0.1:{self.nats_port}",
            "NEO4J_URI": self.neo4j,
            "NEO4J_USER": "neo4j",
            "NEO4J_PASSWORD": "none",
        }

    def start_nats(self):
        configuration = self.folder / "nats.conf"
        store = json.dumps(str(self.folder / "jetstream"))
        configuration.write_text(
            f"listen: 127.0.0.1:{self.nats_port}\njetstream {{ store_dir: {store}\n{self.JETSTREAM} }}\n",
            encoding="utf-8",
        )
        command = [servers.tool("nats_server"), "--config", str(configuration)]
        self.launch("nats", command, servers.plain_environment())

    def start_neo4j(self):
        command = servers.neo4j_command(self.folder / "neo4j", self.neo4j_port)
        self.launch("neo4j", command, servers.plain_environment())

    # Killing

    def kill(self, name, pause):
        if name in self.due:
            return  # It is dead already.
        process = self.running[name]
        process.kill()
        process.wait()
        self.due[name] = time.monotonic() + pause

    # Watching

    def come_back(self):
        """Starts what was killed a while ago, and roles that gave up while a server was away."""
        now = time.monotonic()
        for name in [name for name, moment in self.due.items() if moment <= now]:
            del self.due[name]
            self.start(name)
        if not self.due:
            for name in self.roles:
                if self.running[name].poll() is not None:
                    self.start(name)

    def scheduler_status(self):
        """Its exit status, once it has ended by itself; nothing while it runs, or is about to run again."""
        self.come_back()
        if self.due:
            return None
        status = self.running["scheduler"].poll()
        if status is None or status >= 0 and status != 1:
            return status
        # Killed, or at its beginning a server was away: what an operator would do.
        time.sleep(0.5)
        self.start("scheduler")
        return None

    def revive(self):
        """Waits until everything is there again."""
        while self.due:
            self.come_back()
            time.sleep(0.1)
        self.wait("Neo4j", lambda: neo4j_server.answers(self.neo4j_port))

    def wait(self, what, ready):
        deadline = time.monotonic() + self.PATIENCE
        while not ready():
            if time.monotonic() > deadline:
                raise servers.Failed(f"{what} does not answer: {self.last_words()}")
            time.sleep(0.05)

    def last_words(self):
        log = Path(self.folder, "scheduler.log")
        return log.read_text(encoding="utf-8", errors="replace")[-600:] if log.exists() else "nothing was surveyed yet"
