"""All roles of Groma as processes, with servers and links between them; each can be disturbed and comes back."""

from __future__ import annotations

import contextlib
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import catalog
import limits
import parity
import servers
from clocks import Clocks
from disk import Disk
from links import Links
from nats_servers import NatsServers
from scene import Scene
from servers import neo4j
from servers.ports import free_port

# The service that two collectors share, one of which may be of an older version.
TWICE = "ec2"


def collectors() -> Iterator[tuple[str, str]]:
    """Service and name of each collector."""
    for service in catalog.names():
        names = [f"collector-{service}-1", f"collector-{service}-2"] if service == TWICE else [f"collector-{service}"]
        yield from ((service, name) for name in names)


# What each role runs, and the container of the chart whose limits are its own.
ROLES = {
    "broker": (["broker", "--accounts", "profiles", "--lease-own-identity"], "broker"),
    **{name: (["collector", service], f"collector-{service}") for service, name in collectors()},
    "graph-writer-1": (["graph-writer"], "graph-writer"),
    "graph-writer-2": (["graph-writer"], "graph-writer"),
}
# The one that is of another version when a scene has two.
OLDER = f"collector-{TWICE}-2"
# Minutes that the scheduler waits for a word before it gives up what it does not hear of.
SCHEDULER = ["scheduler", "--patience", "3"]
# A disk that was full leaves half a transaction at the end of Neo4j's log, which it does not skip by itself.
NEO4J = {"internal.dbms.tx_log.fail_on_corrupted_log_files": "false"}
# In its log, once it has begun to survey.
BEGUN = re.compile(rb"reachable\W*=")
# The end of its log when it makes way for another one's survey.
REFUSED = re.compile(rb"^error: (a sync of the same .* is running|.* of the same scope has taken over)", re.MULTILINE)
# Of the log of a server that ended.
LINES = 3
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


# Neo4j 5.26 reads lengths from the torn end of its log, and runs out of memory.
UNRECOVERABLE = "Unable to retrieve last append index"


class System:
    # Seconds that anything may take to come.
    PATIENCE: float = 180
    # Seconds after which a role that ended by itself is started again, as an orchestrator does.
    PAUSE = 1
    # Seconds that a role has to end by itself before it is killed.
    GRACE = 40

    def __init__(self, groma: str, aws: servers.aws.Aws, folder: Path, older: str | Path | None = None) -> None:
        self.groma, self.aws, self.folder, self.older = groma, aws, folder, older
        self.logs = folder
        self.scene = Scene()
        self.links, self.clocks, self.disk = Links(), Clocks(folder), Disk(folder / "neo4j")
        self.limits: limits.Limits = limits.best("chaos")
        # Each scene has its own.
        self.nats = NatsServers(folder, 0, self.links)
        self.neo4j_port = free_port()
        self.neo4j = f"bolt://127.0.0.1:{self.neo4j_port}"
        self.running: dict[str, subprocess.Popen[bytes]] = {}
        # What was killed, with the moment at which it comes back, and what was told to end, with the moment of its death.
        self.due: dict[str, float] = {}
        self.ending: dict[str, float] = {}
        self.frozen: set[str] = set()
        # Where in its log a process began, and when.
        self.began_at: dict[str, tuple[int, float]] = {}
        # Other schedulers than the first, by name, with their flags.
        self.others: dict[str, list[str]] = {}
        # When one of them ran last.
        self.beside = float("-inf")
        self.gave_up: list[str] = []
        # What a disturbance found wrong.
        self.complaints: list[str] = []

    def __enter__(self) -> System:
        with contextlib.ExitStack() as undo:
            undo.callback(self.__exit__)
            self.start("neo4j")
            self.wait("Neo4j", ["neo4j"], self.neo4j_answers)
            undo.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self.end_process("neo4j")
        self.disk.close()
        self.limits.close()

    # A scene from its beginning to its end

    def begin(self, scene: Scene, logs: Path) -> None:
        """Fresh servers of NATS and fresh roles, whose logs go into a folder."""
        self.end()
        self.scene, self.logs, self.gave_up, self.complaints = scene, logs, [], []
        self.nats = NatsServers(logs, scene.nats, self.links)
        for name in self.nats.names:
            self.start(name)
        self.wait("NATS", self.nats.names, lambda: all(map(self.nats.healthy, self.nats.names)))
        for name in ROLES:
            self.start(name)
        self.links.latency(list(self.links.links), scene.latency)

    def adopt(self, scene: Scene) -> None:
        """Goes on as another scene with the same NATS: one role is replaced when there are two versions now, or no longer."""
        replaced = [OLDER] if scene.versions != self.scene.versions else []
        self.scene = scene
        self.links.latency(list(self.links.links), scene.latency)
        for name in replaced:
            self.end_process(name)
            self.start(name)

    def end(self) -> None:
        """Ends roles and NATS; Neo4j stays."""
        # The roles first: they would only complain.
        for name in [name for name in reversed(list(self.running)) if name != "neo4j"]:
            self.end_process(name)
        self.due = {name: moment for name, moment in self.due.items() if name == "neo4j"}
        self.others = {}
        self.links.close()

    def end_process(self, name: str) -> None:
        process = self.running.pop(name, None)
        self.ending.pop(name, None)
        self.frozen.discard(name)
        if process:
            process.kill()
            process.wait()

    # Starting

    def start(self, name: str) -> None:
        if name == "neo4j":
            command = neo4j.Neo4j(self.disk.folder, self.neo4j_port, settings={**neo4j.THROWAWAY, **NEO4J}).configured()
            environment = servers.plain_environment()
        elif name.startswith("nats"):
            command = servers.nats.command(self.nats.write(name))
            command = self.limited(name, command, "nats")
            environment = servers.plain_environment()
        else:
            command, environment = self.role_command(name), self.role_environment(name)
        log = (self.folder if name == "neo4j" else self.logs) / f"{name}.log"
        with open(log, "ab") as output:
            self.began_at[name] = (output.tell(), time.monotonic())
            self.running[name] = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment
            )

    def role_command(self, name: str) -> list[str]:
        if name in ROLES:
            arguments, container = ROLES[name]
        else:
            arguments, container = [*SCHEDULER, *self.others.get(name, [])], "scheduler"
        command = [self.groma, *arguments]
        if name == OLDER and self.scene.versions:
            command = [str(self.older)]
        return self.limited(name, command, container)

    def limited(self, name: str, command: list[str], container: str) -> list[str]:
        """The command under the memory limit of a container of the chart, where the scene has limits."""
        if not self.scene.limited:
            return command
        return self.limits.command(name, command, limits.of_the_chart()[container])

    def role_environment(self, name: str) -> dict[str, str]:
        urls = [f"nats://127.0.0.1:{self.link(name, server)}" for server in self.nats.names]
        environment = {
            **servers.plain_environment(),
            **self.clocks.environment(name),
            "NATS_URL": ",".join(urls),
            "GROMA_NATS_REPLICAS": str(self.scene.nats),
            "NO_COLOR": "1",
        }
        if name.startswith("graph-writer"):
            uri = f"bolt://127.0.0.1:{self.link(name, 'neo4j')}"
            environment.update(NEO4J_URI=uri, NEO4J_USER="neo4j", NEO4J_PASSWORD="none")
        if name == "broker":
            # Collectors learn from their leases where AWS is, so that this link is everybody's.
            environment.update(self.aws.environment)
            environment["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{self.link('roles', 'aws')}"
        return environment

    def link(self, name: str, server: str) -> int:
        """The port at which a role finds a server."""
        if server == "aws":
            target = int(self.aws.endpoint.rpartition(":")[2])
        else:
            target = self.neo4j_port if server == "neo4j" else self.nats.client[server]
        known = f"{name}>{server}" in self.links.links
        port = self.links.port(f"{name}>{server}", target)
        if not known:
            self.links.latency([f"{name}>{server}"], self.scene.latency)
        return port

    def start_scheduler(self, flags: list[str]) -> None:
        """Starts another scheduler with its own flags."""
        name = f"scheduler-{len(self.others) + 2}"
        self.others[name] = flags
        self.start(name)
        self.beside = time.monotonic()

    def neo4j_is_lost(self) -> bool:
        """Whether Neo4j says that it cannot recover its database: sometimes after a full disk, with its log torn."""
        for log in self.disk.folder.rglob("debug.log"):
            if UNRECOVERABLE in log.read_text(encoding="utf-8", errors="replace"):
                return True
        return False

    def renew_neo4j(self) -> None:
        """Starts an empty one in the place of one that does not recover."""
        self.end_process("neo4j")
        self.due.pop("neo4j", None)
        for path in self.disk.folder.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.start("neo4j")
        self.wait("Neo4j", ["neo4j"], self.neo4j_writes)

    # Disturbing

    def kill(self, name: str, pause: float) -> None:
        """SIGKILL; it comes back after a pause in seconds."""
        if name in self.due or name not in self.running:
            return  # It is dead already.
        self.running[name].kill()
        self.running[name].wait()
        self.ending.pop(name, None)
        self.frozen.discard(name)
        self.due[name] = time.monotonic() + pause

    def terminate(self, name: str) -> None:
        """SIGTERM; it comes back when it has ended."""
        if name in self.due or name in self.ending or name not in self.running:
            return
        self.running[name].send_signal(signal.SIGTERM)
        self.ending[name] = time.monotonic() + self.GRACE

    def freeze(self, name: str) -> None:
        """SIGSTOP, until `thaw`."""
        if name in self.running and self.running[name].poll() is None:
            self.running[name].send_signal(signal.SIGSTOP)
            self.frozen.add(name)

    def thaw(self, name: str) -> None:
        if name in self.frozen:
            self.frozen.discard(name)
            self.running[name].send_signal(signal.SIGCONT)

    # Watching

    def roles(self, prefix: str = "") -> list[str]:
        return [name for name in ROLES if name.startswith(prefix)]

    def is_away(self, name: str) -> bool:
        return name in self.due or name in self.ending

    def come_back(self) -> None:
        """Starts what was killed or told to end, and roles that gave up while a server was away.

        Raises Failed when a server ended that nobody has ended: it could not start.
        """
        now = time.monotonic()
        for name, moment in list(self.ending.items()):
            if self.running[name].poll() is not None:
                del self.ending[name]
                self.due[name] = now
            elif moment <= now:
                self.gave_up.append(f"{name} did not end within {self.GRACE} s of SIGTERM")
                self.kill(name, 0)
        for name in [name for name, moment in self.due.items() if moment <= now]:
            del self.due[name]
            self.start(name)
        for name in self.ended_by_itself(ROLES):
            self.gave_up.append(f"{name} ended with status {self.running[name].returncode}")
            self.due[name] = now + self.PAUSE
        for name in self.ended_by_itself(["neo4j", *self.nats.names]):
            if name != "neo4j" or not self.disk.was_full_since(self.began_at[name][1]):
                raise servers.Failed(self.end_of(name))
            self.gave_up.append(f"{name} ended on a full disk")
            self.due[name] = now + self.PAUSE

    def ended_by_itself(self, names: Iterable[str]) -> list[str]:
        present = [name for name in names if name in self.running and not self.is_away(name)]
        return [name for name in present if self.running[name].poll() is not None]

    def scheduler_status(self) -> int | None:
        """Its exit status, once it has ended by itself; nothing while it runs, or is about to run again."""
        self.come_back()
        if self.others_run():
            self.beside = time.monotonic()
        if self.is_away("scheduler"):
            return None
        status = self.running["scheduler"].poll()
        if status is None or (status >= 0 and not (status == 1 and self.may_begin_again("scheduler"))):
            return status
        # Killed, or it could not begin: what an orchestrator would do.
        self.due["scheduler"] = time.monotonic() + self.PAUSE
        return None

    def may_begin_again(self, name: str) -> bool:
        """Whether a scheduler that gave up did so at its beginning because a server was away, or beside another one."""
        offset, began = self.began_at[name]
        with open(self.logs / f"{name}.log", "rb") as log:
            log.seek(offset)
            said = log.read()
        if REFUSED.search(said):
            self.gave_up.append(f"{name} made way for another one")
            # Else there is none whose survey could be running.
            return self.beside >= began
        return not BEGUN.search(said)

    def others_run(self) -> list[str]:
        """Other schedulers that have not ended yet."""
        return [name for name in self.others if name in self.running and self.running[name].poll() is None]

    def calm(self) -> None:
        """Ends all disturbances and starts what is away. May be called again and again until `is_calm`."""
        self.disk.free()
        self.clocks.right()
        self.links.calm()
        self.links.latency(list(self.links.links), self.scene.latency)
        for name in list(self.frozen):
            self.thaw(name)
        self.come_back()

    def is_calm(self) -> bool:
        """Whether everything is there again."""
        if self.due or self.ending:
            return False
        return self.neo4j_answers() and all(map(self.nats.healthy, self.nats.names))

    def neo4j_answers(self) -> bool:
        return neo4j.answers(self.neo4j_port)

    def neo4j_writes(self) -> bool:
        """Whether a transaction can be committed at this moment."""
        with contextlib.suppress(servers.Failed):
            parity.run_with_driver(Path(__file__).resolve().parent / "graph.py", self.neo4j, "writes", within=20)
            return True
        return False

    def healthy_port(self) -> int:
        """The port of a nats-server that answers. Raises OSError if there is none at this moment."""
        for name in self.nats.names:
            if self.nats.healthy(name):
                return self.nats.client[name]
        raise OSError("no nats-server answers")

    def wait(self, what: str, names: list[str], ready: Callable[[], bool]) -> None:
        """Until the servers of these names are ready. Raises Failed, at once when one of them has ended."""
        deadline = time.monotonic() + self.PATIENCE
        while not ready():
            for name in self.ended_by_itself(names):
                raise servers.Failed(self.end_of(name))
            if time.monotonic() > deadline:
                raise servers.Failed(f"{what} does not answer within {self.PATIENCE} s")
            time.sleep(0.05)

    def log_of(self, name: str) -> str:
        """All that it has said, without colours."""
        path = (self.folder if name == "neo4j" else self.logs) / f"{name}.log"
        text = path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""
        return ESCAPES.sub("", text)

    def end_of(self, name: str) -> str:
        said = "\n".join(self.log_of(name).splitlines()[-LINES:])
        return f"{name} ended with status {self.running[name].returncode}: {said}"

    def said_since_start(self, name: str) -> str:
        """What a process has said since its last start, without colours."""
        offset, _ = self.began_at[name]
        with open(self.logs / f"{name}.log", "rb") as log:
            log.seek(offset)
            return ESCAPES.sub("", log.read().decode(errors="replace"))

    def last_words(self) -> str:
        return self.log_of("scheduler")[-600:] or "nothing was surveyed yet"
