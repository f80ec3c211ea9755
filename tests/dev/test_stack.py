"""Whose process a process is, whose server a server, and what the servers are told."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import signal
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from unittest import mock

import stack
from servers import neo4j


class Stack(unittest.TestCase):
    def setUp(self) -> None:
        held = contextlib.ExitStack()
        self.addCleanup(held.close)
        self.folder = Path(held.enter_context(tempfile.TemporaryDirectory()))
        held.enter_context(mock.patch.dict(os.environ))
        for name in ("NATS_URL", "NEO4J_URI", "NEO4J_USER", "NEO4J_PASSWORD"):
            os.environ.pop(name, None)
        for name, path in {"STATE": "", "STACK": "stack.json", "PASSWORD_FILE": "neo4j-password"}.items():
            held.enter_context(mock.patch.object(stack, name, self.folder / path))

    def sleeper(self) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
        self.addCleanup(lambda: (process.kill(), process.wait()))
        return process

    def test_stops_its_own_process_and_no_other(self) -> None:
        process = self.sleeper()
        held = stack.identity(process.pid)
        self.assertFalse(stack.stop("nats", {"nats": {**held, "started": "of another"}}))
        self.assertIsNone(process.poll())
        self.assertTrue(stack.stop("nats", {"nats": held}))
        self.assertFalse(stack.is_ours(held))
        self.assertFalse(stack.stop("nats", {"nats": held}))

    def test_a_process_that_sigterm_has_ended_gets_no_sigkill(self) -> None:
        held = stack.identity(self.sleeper().pid)
        with mock.patch.object(os, "kill", wraps=os.kill) as kill:
            self.assertTrue(stack.stop("nats", {"nats": held}))
        kill.assert_called_once_with(held["pid"], signal.SIGTERM)

    def test_a_file_that_says_nothing_stops_nothing(self) -> None:
        for held in (None, {}, {"pid": 1}, {"pid": os.getpid(), "started": None}):
            self.assertFalse(stack.stop("neo4j", {"neo4j": held}))

    def test_a_server_of_the_users_is_used_and_ours_is_not_taken_for_one(self) -> None:
        held = {"nats": {"port": 4222}, "neo4j": {"bolt": 7687}}
        os.environ["NATS_URL"] = "nats://127.0.0.1:4222"
        self.assertIsNone(stack.external("nats", held))
        os.environ["NATS_URL"] = "tls://nats.example.com:4222"
        self.assertEqual(stack.address("nats", held), "tls://nats.example.com:4222")
        os.environ.update(NEO4J_URI="bolt://db.example.com", NEO4J_USER="groma")
        environment = stack.environment(held)
        self.assertEqual(environment["NEO4J_USER"], "groma")
        self.assertNotIn("NEO4J_PASSWORD", environment)

    def test_an_own_server_that_does_not_answer_is_an_error(self) -> None:
        os.environ["NATS_URL"] = "nats://127.0.0.1:1"
        with self.assertRaises(stack.Failed) as error:
            stack.use_external("nats", {})
        self.assertIn("does not answer", str(error.exception))

    def test_only_the_demo_delays_javas_second_compiler(self) -> None:
        for for_demo in (True, False):
            with contextlib.ExitStack() as held:
                held.enter_context(mock.patch.object(stack, "identity", return_value={}))
                launch = held.enter_context(mock.patch.object(stack, "launch", return_value=1))
                started = stack.start_neo4j({}, for_demo)
            command = launch.call_args.args[1]
            self.assertEqual(any("Tier4" in word for word in command), for_demo)
            # The demo takes either server; other commands get one without these options.
            self.assertTrue(stack.fits(started, for_demo=True))
            self.assertEqual(stack.fits(started, for_demo=False), not for_demo)

    def test_status_is_3_when_something_is_down(self) -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            self.assertEqual(stack.status(), 3)

    def test_a_taken_port_is_left_alone(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assertNotEqual(stack.usable_port(port), port)
        self.assertEqual(stack.usable_port(None, port), port)

    def test_the_password_is_kept_private_and_stays(self) -> None:
        home = self.folder / "neo4j"
        stack.set_password(home)
        password = stack.PASSWORD_FILE.read_text(encoding="utf-8").strip()
        self.assertEqual(stack.PASSWORD_FILE.stat().st_mode & 0o777, 0o600)
        line = (home / "data/dbms/auth.ini").read_text(encoding="utf-8").strip()
        self.assertNotIn(password, line)
        user, credentials, _ = line.split(":")
        algorithm, digest, salt, rounds = credentials.split(",")
        again = bytes.fromhex(salt) + password.encode()
        for _ in range(int(rounds)):
            again = hashlib.sha256(again).digest()
        self.assertEqual((user, algorithm, digest), ("neo4j", "SHA-256", again.hex().upper()))
        (home / "data" / "databases").mkdir()
        stack.set_password(home)
        self.assertEqual(stack.PASSWORD_FILE.read_text(encoding="utf-8").strip(), password)

    def test_a_lost_password_is_said(self) -> None:
        home = self.folder / "neo4j"
        (home / "data" / "databases").mkdir(parents=True)
        with self.assertRaises(stack.Failed) as error:
            stack.set_password(home)
        self.assertIn("is gone", str(error.exception))

    def test_neo4j_listens_here_only_and_reports_nothing(self) -> None:
        ours = neo4j.Neo4j(self.folder, 1, 2, asks_for_password=True, size=neo4j.LAPTOP, settings={})
        settings = dict(line.split("=", 1) for line in ours.configuration().splitlines())
        self.assertEqual(settings["server.bolt.listen_address"], "127.0.0.1:1")
        self.assertEqual(settings["server.http.listen_address"], "127.0.0.1:2")
        self.assertEqual(settings["dbms.usage_report.enabled"], "false")
        self.assertEqual(settings["server.config.strict_validation.enabled"], "true")
        self.assertEqual(settings["dbms.security.auth_enabled"], "true")


if __name__ == "__main__":
    unittest.main()
