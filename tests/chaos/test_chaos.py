"""What of the harness can be wrong without a disturbed survey noticing."""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / name) for name in ("chaos", "dev", "parity", "simulated-aws")]

import judge
import limits
import nats_servers
import network
import overlap
import selection
import servers
from clocks import Clocks
from disk import Disk
from disturbances import KINDS, Disturbance, Timeline, name_of, plan
from links import Links
from nats_servers import NatsServers
from scene import Scene
from seed import Seed
from servers import ports
from system import ROLES, System

PATIENCE = 20
# Of a system whose broker does not run.
NO_AWS: Any = None


class Planning(unittest.TestCase):
    def test_the_selection_has_every_kind(self) -> None:
        selected = {kind for _, kinds in selection.SELECTION.values() for kind in kinds}
        self.assertEqual(set(KINDS), selected | set(selection.LONG))

    def test_a_seed_draws_the_same_twice(self) -> None:
        first, second = (Seed.drawn(17, (), "older") for _ in range(2))
        self.assertEqual(first.scene, second.scene)
        self.assertEqual(list(map(str, first.disturbances)), list(map(str, second.disturbances)))

    def test_a_silence_that_lasts_is_not_held_against_the_survey(self) -> None:
        usual, longer = (Seed.drawn(17, (kind,), "older").bound for kind in ("silent_link", "a_long_silence"))
        self.assertEqual(longer, usual + network.LONGEST_SILENCE)

    def test_a_split_happens_among_three(self) -> None:
        self.assertEqual({Seed.drawn(number, ("split_nats",), "older").scene.nats for number in range(9)}, {3})

    def test_a_disturbance_that_lasts_holds_up_no_other(self) -> None:
        happened = []

        def lasting(*_: object) -> Iterator[float]:
            happened.append("begun")
            yield 0
            happened.append("ended")

        def short(*_: object) -> None:
            happened.append("short")

        no_system: Any = None
        draw = random.Random(1)
        timeline = Timeline(no_system, [Disturbance(0, lasting, draw), Disturbance(0, short, draw)])
        while not timeline.is_over():
            timeline.step()
        self.assertEqual(happened, ["begun", "short", "ended"])

    def test_kinds_that_are_asked_for_all_happen(self) -> None:
        names = ["kill_nats", "repeats"]
        self.assertEqual(sorted(name_of(it.disturb) for it in plan(random.Random(1), names)), names)


class Machine(unittest.TestCase):
    """What needs a compiler or root is left out where there is none, as a disturbed survey leaves it out."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_clock_jumps_for_one_process_while_it_runs(self) -> None:
        clocks = Clocks(self.folder)
        if clocks.why_not:
            self.skipTest(clocks.why_not)
        environment = {**os.environ, **clocks.environment("one")}
        script = "import time; print(time.time(), flush=True); input(); print(time.time())"
        command = [sys.executable, "-c", script]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, env=environment, **pipes) as process:
            assert process.stdout
            before = float(process.stdout.readline())
            clocks.shift("one", -86400)
            self.assertEqual(clocks.state(), ["one: -86400 s"])
            after = float(process.communicate("go on\n")[0])
        self.assertLess(after, before - 80000)

    def test_a_disk_fills_up_and_is_freed(self) -> None:
        disk = Disk(self.folder / "disk")
        self.addCleanup(disk.close)
        if disk.why_not:
            self.skipTest(disk.why_not)
        file = disk.folder / "file"
        disk.fill()
        with self.assertRaises(OSError):
            file.write_bytes(b"x" * 4096)
        disk.free()
        file.write_bytes(b"x" * 4096)

    def test_a_process_that_outgrows_its_limit_is_killed_and_counted(self) -> None:
        group = limits.best("test")
        self.addCleanup(group.close)
        if not isinstance(group, limits.Cgroups):
            self.skipTest(group.kind)
        command = [sys.executable, "-c", "bytearray(200 << 20)"]
        done = subprocess.run(group.command("one", command, 50 << 20), check=False)
        self.assertLess(done.returncode, 0)
        self.assertEqual(group.killed("one"), 1)


class Ports(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        for patch in (mock.patch.object(tempfile, "tempdir", folder.name), mock.patch.dict(ports.taken, clear=True)):
            patch.start()
            self.addCleanup(patch.stop)

    def test_a_process_draws_no_port_twice(self) -> None:
        self.assertEqual(len({ports.free_port() for _ in range(50)}), 50)

    def test_a_port_is_its_process_s_until_that_ends(self) -> None:
        script = "from servers import ports; print(ports.free_port(), flush=True); input()"
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent / "dev"), "TMPDIR": tempfile.tempdir}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen([sys.executable, "-c", script], env=environment, **pipes) as other:
            assert other.stdout
            port = int(other.stdout.readline())
            self.assertFalse(ports.take(port))
            other.kill()
        self.assertTrue(ports.take(port))

    def test_a_child_that_lives_on_keeps_no_port(self) -> None:
        script = "import subprocess; from servers import ports; port = ports.free_port()"
        script += "; print(port, subprocess.Popen(['sleep', '600'], stdout=subprocess.DEVNULL).pid)"
        environment = {**os.environ, "PYTHONPATH": str(HERE.parent / "dev"), "TMPDIR": tempfile.tempdir}
        done = subprocess.run(
            [sys.executable, "-c", script], env=environment, stdout=subprocess.PIPE, text=True, check=True
        )
        port, child = map(int, done.stdout.split())
        self.addCleanup(os.kill, child, signal.SIGKILL)
        self.assertTrue(ports.take(port))

    def test_a_port_on_which_somebody_listens_is_not_taken(self) -> None:
        port = ports.free_port()
        lock = ports.taken.pop(port)
        assert lock is not None
        os.close(lock)
        with socket.create_server(("127.0.0.1", port)):
            self.assertFalse(ports.take(port))

    def test_without_a_folder_at_least_this_process_takes_no_port_twice(self) -> None:
        file = Path(tempfile.gettempdir(), ports.FOLDER)
        file.touch()
        port = ports.free_port()
        self.assertIsNone(ports.taken[port])
        self.assertFalse(ports.take(port))


class Ending(unittest.TestCase):
    SCRIPT = """
import ending, signal, subprocess, time
with ending.all_that_was_started():
    subprocess.Popen(["sleep", "600"])
    print("started", flush=True)
    time.sleep(600)
"""

    def test_a_signal_ends_what_was_started_even_when_nobody_noted_it(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            # As a shell starts what runs in the background.
            program = subprocess.Popen(
                ["/bin/sh", "-c", 'trap "" INT; exec "$@"', "sh", sys.executable, "-c", self.SCRIPT],
                env={**os.environ, "PYTHONPATH": str(HERE)},
                stdout=subprocess.PIPE,
                text=True,
            )
            with program:
                assert program.stdout
                self.assertEqual(program.stdout.readline(), "started\n")
                program.send_signal(number)
                # It ends when all have ended that have the other end of the pipe.
                program.communicate(timeout=PATIENCE)
            self.assertEqual(program.returncode, 128 + number)


class Watching(unittest.TestCase):
    """What the system makes of processes that ended."""

    BEGUN = "INFO scheduler::role: accounts reachable=4 unreachable=0\n"
    RUNNING = (
        "error: a sync of the same accounts, regions and services is running: 01M8, which last made progress 0s ago\n"
    )
    TAKEN_OVER = (
        "error: sync 01M8 of the same scope has taken over from 01M7, "
        "because this scheduler did not answer for a while\n"
    )

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.system = System("groma", NO_AWS, self.folder)
        self.addCleanup(self.system.__exit__)
        self.system.PATIENCE = PATIENCE

    def process(self, name: str, *command: str, log: str = "") -> subprocess.Popen[bytes]:
        self.system.began_at[name] = (0, time.monotonic())
        (self.folder / f"{name}.log").write_text(log, encoding="utf-8")
        self.system.running[name] = subprocess.Popen(command)
        return self.system.running[name]

    def status_of_scheduler(self, said: str, beside: bool) -> int | None:
        """What is known of one that ended with status 1, before it is started again."""
        if beside:
            self.system.others["scheduler-2"] = []
            self.process("scheduler-2", "sleep", "600")
        self.process("scheduler", sys.executable, "-c", "raise SystemExit(1)", log=said).wait()
        status = self.system.scheduler_status()
        self.assertEqual(status is None, "scheduler" in self.system.due)
        self.system.end()
        self.system.due.clear()
        return status

    def test_a_scheduler_that_could_not_begin_begins_again(self) -> None:
        for said, beside, status in (
            ("error: cannot connect\n", False, None),
            (self.BEGUN + "error: cannot check what earlier syncs left\n", True, 1),
            (self.BEGUN + self.RUNNING, True, None),
            (self.BEGUN + self.TAKEN_OVER, True, None),
            # There is none that could be running.
            (self.BEGUN + self.RUNNING, False, 1),
            (self.BEGUN + self.TAKEN_OVER, False, 1),
        ):
            self.assertEqual(self.status_of_scheduler(said, beside), status, said)

    def test_a_server_that_cannot_start_is_reported_with_its_last_words(self) -> None:
        told = "nats-1 ended with status 1: (?s:.*)address already in use"
        taken = socket.create_server(("127.0.0.1", nats_servers.port_of("nats-1", "client")))
        with taken, self.assertRaisesRegex(servers.Failed, told):
            self.system.begin(Scene(), self.folder)

    def test_a_server_that_ends_later_is_reported_unless_its_disk_was_full(self) -> None:
        self.process("neo4j", "false", log="no space\n").wait()
        with self.assertRaisesRegex(servers.Failed, "neo4j ended with status 1: no space"):
            self.system.come_back()
        self.system.disk.freed_at = time.monotonic()
        self.system.come_back()
        self.assertIn("neo4j", self.system.due)


class Limits(unittest.TestCase):
    def test_the_chart_limits_every_role_and_nats(self) -> None:
        containers = {container for _, container in ROLES.values()} | {"scheduler", "nats"}
        self.assertLessEqual(containers, set(limits.of_the_chart()))

    def test_the_limits_of_a_scene_are_those_of_all_that_the_chart_runs(self) -> None:
        class Spy:
            kind = "spy"
            limited: dict[str, int] = {}

            def command(self, name: str, command: list[str], limit: int) -> list[str]:
                self.limited[name] = limit
                return ["true"]

            def killed(self, _: str) -> int:
                return 0

            def peak(self, _: str) -> int:
                return 0

            def close(self) -> None:
                pass

        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        system = System("groma", NO_AWS, Path(folder.name))
        self.addCleanup(system.__exit__)
        system.limits, system.scene = Spy(), Scene(nats=3, limited=True)
        system.nats = NatsServers(Path(folder.name), 3, system.links)
        for name in [*system.nats.names, "graph-writer-1"]:
            system.start(name)
        expected = {**dict.fromkeys(system.nats.names, 2048), "graph-writer-1": 512}
        self.assertEqual({name: limit >> 20 for name, limit in Spy.limited.items()}, expected)


class Cluster(unittest.TestCase):
    """Three servers whose routes are links."""

    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder, self.running = Path(folder.name), {}
        self.links = Links()
        self.addCleanup(self.links.close)
        self.servers = NatsServers(self.folder, 3, self.links)
        self.addCleanup(lambda: [self.end(name) for name in list(self.running)])
        for name in self.servers.names:
            self.start(name)
        self.until(lambda: all(map(self.servers.healthy, self.servers.names)))

    def start(self, name: str) -> None:
        command = servers.nats.command(self.servers.write(name))
        with open(self.folder / f"{name}.log", "ab") as log:
            self.running[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def end(self, name: str) -> None:
        process = self.running.pop(name)
        process.kill()
        process.wait()

    def until(self, ready: Callable[[], bool], patience: float = 120) -> None:
        deadline = time.monotonic() + patience
        while not ready():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.05)

    def reached_by(self, name: str) -> set[str]:
        return {route.get("remote_name") for route in (self.servers.look(name, "routez") or {}).get("routes", [])}

    def test_a_server_that_lost_the_others_has_no_leader_until_the_links_speak(self) -> None:
        lost, *others = reversed(self.servers.names)
        self.links.silence(self.servers.between(lost))
        self.until(lambda: not self.servers.healthy(lost))
        self.assertTrue(all(map(self.servers.healthy, others)))
        self.links.speak(self.servers.between(lost))
        self.until(lambda: self.servers.healthy(lost))

    def test_no_server_finds_a_way_around_its_links(self) -> None:
        first, second, third = self.servers.names
        between = [f"{first}>{third}", f"{third}>{first}"]
        self.links.silence(between)
        self.end(third)
        self.start(third)
        self.until(lambda: self.servers.healthy(third))
        # The second has told it of the first by now, and the first of it.
        self.assertEqual(self.reached_by(third), {second})
        self.links.speak(between)
        self.until(lambda: self.reached_by(third) == {first, second})


class Echo:
    """A server that says what it is told."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self) -> None:
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(connection,), daemon=True).start()

    def echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                return


class LinksTest(unittest.TestCase):
    def setUp(self) -> None:
        self.echo, self.links = Echo(), Links()
        self.addCleanup(self.echo.socket.close)
        self.addCleanup(self.links.close)
        self.port = self.links.port("a>b", self.echo.port)

    def connect(self, patience: float = PATIENCE) -> socket.socket:
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=patience)
        self.addCleanup(connection.close)
        return connection

    def until_there_are(self, connections: int) -> None:
        """The link takes them in a while after they are made."""
        while f"{connections} connections" not in "".join(self.links.state()):
            time.sleep(0.01)

    def test_a_link_carries_everything_in_order(self) -> None:
        sent = bytes(range(256)) * 8192
        self.links.latency(["a>b"], 0.002)
        connection = self.connect()
        threading.Thread(target=connection.sendall, args=(sent,), daemon=True).start()
        received = b""
        while len(received) < len(sent):
            received += connection.recv(1 << 20)
        self.assertEqual(received, sent)

    def test_a_silent_link_carries_what_it_held_when_it_speaks_again(self) -> None:
        connection = self.connect(0.3)
        self.links.silence(["a>b"])
        connection.sendall(b"held")
        with self.assertRaises(socket.timeout):
            connection.recv(4)
        self.links.speak(["a>b"])
        connection.settimeout(PATIENCE)
        self.assertEqual(connection.recv(4), b"held")

    def test_a_link_that_forgets_leaves_old_connections_silent_and_carries_new_ones(self) -> None:
        old = self.connect(0.3)
        self.links.silence(["a>b"])
        old.sendall(b"lost")
        new_in_silence = self.connect(0.3)
        self.until_there_are(2)
        self.links.speak(["a>b"], forget=True)
        new_in_silence.sendall(b"lost too")
        for connection in (old, new_in_silence):
            with self.assertRaises(socket.timeout):
                connection.recv(4)
        new = self.connect()
        new.sendall(b"new")
        self.assertEqual(new.recv(3), b"new")
        self.links.calm()
        old.settimeout(PATIENCE)
        with self.assertRaises(ConnectionResetError):
            old.recv(4)

    def test_a_cut_resets_connections(self) -> None:
        connection = self.connect()
        connection.sendall(b"here")
        self.assertEqual(connection.recv(4), b"here")
        self.links.cut(["a>b"])
        with self.assertRaises(ConnectionResetError):
            connection.recv(4)


class Repeating(unittest.TestCase):
    class System:
        def __init__(self) -> None:
            self.said: list[str] = []
            self.complaints: list[str] = []

        def log_of(self, _: str) -> str:
            return "\n".join(self.said)

    def waits(self, *said: str) -> tuple[bool, list[str]]:
        """Whether one that says this in turn is still waited for, and what is said of it."""
        system: Any = self.System()
        system.said = ["survey started", "sync finished"]
        steps = overlap.until_it_surveys(system, "scheduler-2")
        for line in said:
            next(steps)
            system.said.append(line)
        return next(steps, None) is not None, system.complaints

    def test_a_scheduler_is_waited_for_until_its_next_survey_has_ended(self) -> None:
        self.assertEqual(self.waits(), (True, []))
        self.assertEqual(self.waits("survey started"), (True, []))
        for end in ("sync finished", "ERROR sync failed", "skipped: a sync"):
            self.assertEqual(self.waits("survey started", end), (False, []))

    def test_one_that_rests_for_too_long_is_reported(self) -> None:
        with mock.patch.object(overlap, "LONGEST_PAUSE", -1):
            waits, complaints = self.waits("something else")
        self.assertFalse(waits)
        self.assertEqual(len(complaints), 1)


class Judging(unittest.TestCase):
    class System:
        def __init__(self, said: str) -> None:
            self.said = said

        def said_since_start(self, _: object) -> str:
            return self.said

        def last_words(self) -> str:
            return self.said

    def graph(self, *nodes: str) -> dict[str, Any]:
        return {"nodes": {name: {"labels": [], "properties": {}} for name in nodes}, "edges": {}, "faults": []}

    def judged(
        self,
        status: int,
        graph: dict[str, Any],
        said: str = "us-east-1 could not be seen",
        before: bool = True,
        aws_may_be_away: bool = True,
    ) -> list[str]:
        system: Any = self.System(said)
        return judge.of_status(system, status, self.graph("AWSVpc a", "AWSVpc b"), graph, before, aws_may_be_away)

    def test_a_complete_survey_has_to_leave_the_same_graph(self) -> None:
        self.assertEqual(self.judged(0, self.graph("AWSVpc a", "AWSVpc b")), [])
        self.assertTrue(self.judged(0, self.graph("AWSVpc a")))
        self.assertTrue(self.judged(0, self.graph("AWSVpc a", "AWSVpc b", "AWSEC2KeyPair chaos-1")))

    def test_an_incomplete_survey_may_keep_and_miss_but_not_remove(self) -> None:
        self.assertEqual(self.judged(3, self.graph("AWSVpc a", "AWSVpc b", "AWSEC2KeyPair chaos-1")), [])
        self.assertEqual(self.judged(3, self.graph("AWSVpc a"), before=False), [])
        self.assertTrue(self.judged(3, self.graph("AWSVpc a")))
        self.assertTrue(self.judged(3, self.graph("AWSVpc a", "AWSVpc b", "AWSVpc c")))

    def test_a_survey_that_reached_no_account_says_so_and_changes_nothing(self) -> None:
        graph, said = self.graph("AWSVpc a", "AWSVpc b"), "error: no account can be surveyed: 111111111111 (hub) …"
        self.assertEqual(self.judged(1, graph, said=said), [])
        self.assertTrue(self.judged(1, self.graph("AWSVpc a"), said=said))
        self.assertTrue(self.judged(1, graph, said="error: cannot read the streams"))
        self.assertTrue(self.judged(1, graph, said=said, aws_may_be_away=False))

    def test_an_incomplete_survey_has_to_name_what_it_missed(self) -> None:
        self.assertTrue(self.judged(3, self.graph("AWSVpc a", "AWSVpc b"), said="done"))

    def test_a_survey_that_gave_up_has_failed(self) -> None:
        self.assertTrue(self.judged(1, self.graph("AWSVpc a", "AWSVpc b")))


if __name__ == "__main__":
    unittest.main()
