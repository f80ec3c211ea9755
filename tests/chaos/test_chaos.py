"""What of the harness can be wrong without a disturbed survey noticing."""

import os
import random
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "parity"), str(HERE.parents[1] / "deploy" / "local")]

import judge  # noqa: E402
import limits  # noqa: E402
import selection  # noqa: E402
from clocks import Clocks  # noqa: E402
from disk import Disk  # noqa: E402
from disturbances import KINDS, Disturbance, Timeline, plan  # noqa: E402
from links import Links  # noqa: E402
from scene import Scene  # noqa: E402
from seed import Seed  # noqa: E402
from system import ROLES  # noqa: E402

PATIENCE = 20


class Planning(unittest.TestCase):
    def test_the_selection_has_every_kind(self):
        selected = {kind for _, kinds in selection.SELECTION.values() for kind in kinds}
        self.assertEqual(set(KINDS), selected | set(selection.LONG))

    def test_a_seed_draws_the_same_twice(self):
        first, second = (Seed.drawn(17, (), "older") for _ in range(2))
        self.assertEqual(first.scene, second.scene)
        self.assertEqual(list(map(str, first.disturbances)), list(map(str, second.disturbances)))

    def test_a_disturbance_that_lasts_holds_up_no_other(self):
        happened = []

        def lasting(*_):
            happened.append("begun")
            yield 0
            happened.append("ended")

        def short(*_):
            happened.append("short")

        timeline = Timeline(None, [Disturbance(0, lasting, None), Disturbance(0, short, None)])
        while not timeline.is_over():
            timeline.step()
        self.assertEqual(happened, ["begun", "short", "ended"])

    def test_kinds_that_are_asked_for_all_happen(self):
        names = ["kill_nats", "repeats"]
        self.assertEqual(sorted(it.disturb.__name__ for it in plan(random.Random(1), names)), names)


class Machine(unittest.TestCase):
    """What needs a compiler or root is left out where there is none, as a disturbed survey leaves it out."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_clock_jumps_for_one_process_while_it_runs(self):
        clocks = Clocks(self.folder)
        if clocks.why_not:
            self.skipTest(clocks.why_not)
        environment = {**os.environ, **clocks.environment("one")}
        script = "import time; print(time.time(), flush=True); input(); print(time.time())"
        command = [sys.executable, "-c", script]
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        with subprocess.Popen(command, env=environment, **pipes) as process:
            before = float(process.stdout.readline())
            clocks.shift("one", -86400)
            self.assertEqual(clocks.state(), ["one: -86400 s"])
            after = float(process.communicate("go on\n")[0])
        self.assertLess(after, before - 80000)

    def test_a_disk_fills_up_and_is_freed(self):
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

    def test_a_process_that_outgrows_its_limit_is_killed_and_counted(self):
        group = limits.best("test")
        self.addCleanup(group.close)
        if not isinstance(group, limits.Cgroups):
            self.skipTest(group.kind)
        command = [sys.executable, "-c", "bytearray(200 << 20)"]
        done = subprocess.run(group.command("one", command, 50 << 20), check=False)
        self.assertLess(done.returncode, 0)
        self.assertEqual(group.killed("one"), 1)


class Limits(unittest.TestCase):
    def test_the_chart_limits_every_role(self):
        containers = {container for _, container in ROLES.values()} | {"scheduler"}
        self.assertLessEqual(containers, set(limits.of_the_chart()))


class Echo:
    """A server that says what it is told."""

    def __init__(self):
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                connection, _ = self.socket.accept()
            except OSError:
                return
            threading.Thread(target=self.echo, args=(connection,), daemon=True).start()

    def echo(self, connection):
        with connection:
            try:
                while data := connection.recv(65536):
                    connection.sendall(data)
            except OSError:
                return


class LinksTest(unittest.TestCase):
    def setUp(self):
        self.echo, self.links = Echo(), Links()
        self.addCleanup(self.echo.socket.close)
        self.addCleanup(self.links.close)
        self.port = self.links.port("a>b", self.echo.port)

    def connect(self, patience=PATIENCE):
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=patience)
        self.addCleanup(connection.close)
        return connection

    def until_there_are(self, connections):
        """The link takes them in a while after they are made."""
        while f"{connections} connections" not in "".join(self.links.state()):
            time.sleep(0.01)

    def test_a_link_carries_everything_in_order(self):
        sent = bytes(range(256)) * 8192
        self.links.latency(["a>b"], 0.002)
        connection = self.connect()
        threading.Thread(target=connection.sendall, args=(sent,), daemon=True).start()
        received = b""
        while len(received) < len(sent):
            received += connection.recv(1 << 20)
        self.assertEqual(received, sent)

    def test_a_silent_link_carries_what_it_held_when_it_speaks_again(self):
        connection = self.connect(0.3)
        self.links.silence(["a>b"])
        connection.sendall(b"held")
        with self.assertRaises(socket.timeout):
            connection.recv(4)
        self.links.speak(["a>b"])
        connection.settimeout(PATIENCE)
        self.assertEqual(connection.recv(4), b"held")

    def test_a_link_that_forgets_leaves_old_connections_silent_and_carries_new_ones(self):
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

    def test_a_cut_resets_connections(self):
        connection = self.connect()
        connection.sendall(b"here")
        self.assertEqual(connection.recv(4), b"here")
        self.links.cut(["a>b"])
        with self.assertRaises(ConnectionResetError):
            connection.recv(4)


class Judging(unittest.TestCase):
    class System:
        def __init__(self, said, versions):
            self.said, self.scene = said, Scene(versions=versions)

        def log_of(self, _):
            return self.said

        def last_words(self):
            return self.said

    def graph(self, *nodes):
        return {"nodes": {name: {"labels": [], "properties": {}} for name in nodes}, "edges": {}, "faults": []}

    def judged(self, status, graph, said="us-east-1 could not be seen", before=True, versions=False):
        return judge.of_status(self.System(said, versions), status, self.graph("AWSVpc a", "AWSVpc b"), graph, before)

    def test_a_complete_survey_has_to_leave_the_same_graph(self):
        self.assertEqual(self.judged(0, self.graph("AWSVpc a", "AWSVpc b")), [])
        self.assertTrue(self.judged(0, self.graph("AWSVpc a")))
        self.assertTrue(self.judged(0, self.graph("AWSVpc a", "AWSVpc b", "AWSEC2KeyPair chaos-1")))

    def test_collectors_of_two_versions_may_keep_what_is_gone_but_not_remove(self):
        kept = self.graph("AWSVpc a", "AWSVpc b", "AWSEC2KeyPair chaos-1")
        self.assertEqual(self.judged(0, kept, versions=True), [])
        self.assertTrue(self.judged(0, self.graph("AWSVpc a"), versions=True))

    def test_an_incomplete_survey_may_keep_and_miss_but_not_remove(self):
        self.assertEqual(self.judged(3, self.graph("AWSVpc a", "AWSVpc b", "AWSEC2KeyPair chaos-1")), [])
        self.assertEqual(self.judged(3, self.graph("AWSVpc a"), before=False), [])
        self.assertTrue(self.judged(3, self.graph("AWSVpc a")))
        self.assertTrue(self.judged(3, self.graph("AWSVpc a", "AWSVpc b", "AWSVpc c")))

    def test_an_incomplete_survey_has_to_name_what_it_missed(self):
        self.assertTrue(self.judged(3, self.graph("AWSVpc a", "AWSVpc b"), said="done"))

    def test_a_survey_that_gave_up_has_failed(self):
        self.assertTrue(self.judged(1, self.graph("AWSVpc a", "AWSVpc b")))


if __name__ == "__main__":
    unittest.main()
