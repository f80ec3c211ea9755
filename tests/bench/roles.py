"""The roles of Groma as processes of their own, with a nats-server and a Neo4j, for measuring."""

import contextlib
import subprocess
import time
from pathlib import Path

import servers
from servers import neo4j
from servers.ports import free_port


class Roles:
    """Starts its servers and the roles in `roles`, by name with their arguments, and ends them all."""

    # Seconds that a survey may take.
    PATIENCE = 3600
    SCHEDULER = ["scheduler"]

    def __init__(self, groma, aws, folder, roles=()):
        self.groma, self.aws, self.folder = groma, aws, folder
        self.nats_port, self.neo4j_port = free_port(), free_port()
        self.neo4j = f"bolt://127.0.0.1:{self.neo4j_port}"
        self.roles = dict(roles)
        self.running = {}

    def __enter__(self):
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            self.start("nats")
            self.start("neo4j")
            self.wait("Neo4j", lambda: neo4j.answers(self.neo4j_port))
            for name in self.roles:
                self.start(name)
            undo.pop_all()
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        # The roles first: they would only complain.
        for name in reversed(list(self.running)):
            self.end(name)

    def end(self, name):
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def start(self, name):
        environment = servers.plain_environment()
        if name == "nats":
            command = servers.nats.command(self.nats_configuration())
        elif name == "neo4j":
            command = self.neo4j_command()
        else:
            command = [self.groma, *(self.SCHEDULER if name == "scheduler" else self.roles[name])]
            environment = self.environment()
        with open(self.log(name), "ab") as log:
            self.running[name] = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment)

    def neo4j_command(self):
        return neo4j.Neo4j(self.folder / "neo4j", self.neo4j_port).configured()

    def environment(self):
        return {
            **self.aws.environment,
            "NATS_URL": f"nats://127.0.0.1:{self.nats_port}",
            "NEO4J_URI": self.neo4j,
            "NEO4J_USER": "neo4j",
            "NEO4J_PASSWORD": "none",
        }

    def nats_configuration(self):
        configuration = self.folder / "nats.conf"
        text = servers.nats.configuration(self.nats_port, self.folder / "jetstream")
        configuration.write_text(text, encoding="utf-8")
        return configuration

    def wait(self, what, ready):
        deadline = time.monotonic() + self.PATIENCE
        while not ready():
            if time.monotonic() > deadline:
                raise servers.Failed(f"{what} does not answer: {self.last_words()}")
            time.sleep(0.05)

    def ended(self):
        """Exit status of the scheduler, or nothing while it runs."""
        return self.running["scheduler"].poll()

    def log(self, name):
        return Path(self.folder, f"{name}.log")

    def last_words(self):
        log = self.log("scheduler")
        return log.read_text(encoding="utf-8", errors="replace")[-600:] if log.exists() else "nothing was surveyed yet"
