"""How servers are started and ended, and what they are told."""

from __future__ import annotations

import os
import sys
import tempfile
import unittest
import urllib.request
from pathlib import Path
from unittest import mock

import lint
from servers import Failed, nats, neo4j, process

# Announces itself as the simulated AWS does.
ANNOUNCES = """
import http.server, pathlib, sys
server = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
pathlib.Path(sys.argv[-1]).write_text(str(server.server_port))
server.serve_forever()
"""


class Processes(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def test_a_server_that_ends_is_an_error_with_its_last_words(self) -> None:
        command = [sys.executable, "-c", "raise SystemExit('no room')"]
        with (
            self.assertRaisesRegex(Failed, "Neo4j did not start: no room"),
            process.running("neo4j", "Neo4j", command, self.folder) as server,
        ):
            server.wait_until(lambda: False)

    def test_a_server_that_is_never_ready_is_an_error(self) -> None:
        command = [sys.executable, "-c", "import time; time.sleep(600)"]
        with (
            self.assertRaisesRegex(Failed, "did not start"),
            process.running("slow", "a slow one", command, self.folder) as server,
        ):
            server.wait_until(lambda: False, patience=0.2)

    def test_a_server_is_found_by_its_port_file_and_ends_with_the_block(self) -> None:
        with process.announcing("aws", "the simulated AWS", [sys.executable, "-c", ANNOUNCES], self.folder) as url:
            self.assertEqual(urllib.request.urlopen(url, timeout=20).status, 200)
        with self.assertRaises(OSError):
            urllib.request.urlopen(url, timeout=20)

    def test_a_server_that_ignores_sigterm_is_killed(self) -> None:
        ignores = (
            "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(flush=True); time.sleep(600)"
        )
        with process.running("deaf", "a deaf one", [sys.executable, "-c", ignores], self.folder, grace=0.2) as server:
            server.wait_until(lambda: bool(server.log.stat().st_size))
        self.assertEqual(server.process.returncode, -9)

    def test_servers_get_no_way_into_the_callers_systems(self) -> None:
        secret = {"AWS_PROFILE": "p", "NATS_URL": "n", "NEO4J_PASSWORD": "s", "GROMA_LOG": "trace", "HTTP_PROXY": "p"}
        with mock.patch.dict(os.environ, secret):
            environment = process.plain_environment()
        self.assertEqual(set(secret) & set(environment), {"HTTP_PROXY"})
        self.assertIn("127.0.0.1", environment["NO_PROXY"])


class Configurations(unittest.TestCase):
    def settings(self, server: neo4j.Neo4j) -> dict[str, str]:
        return dict(line.split("=", 1) for line in server.configuration().splitlines())

    def test_a_neo4j_for_tests_is_a_throwaway_without_http_and_password(self) -> None:
        settings = self.settings(neo4j.Neo4j(Path("home"), 7687))
        self.assertEqual(settings["server.bolt.listen_address"], "127.0.0.1:7687")
        self.assertEqual(settings["server.http.enabled"], "false")
        self.assertEqual(settings["dbms.security.auth_enabled"], "false")
        self.assertEqual(settings["db.tx_log.preallocate"], "false")

    def test_further_settings_replace_those_of_all(self) -> None:
        own = {**neo4j.THROWAWAY, "server.memory.pagecache.size": "9m", "db.memory.transaction.max": "4m"}
        settings = self.settings(neo4j.Neo4j(Path("home"), 1, settings=own))
        self.assertEqual(settings["server.memory.pagecache.size"], "9m")
        self.assertEqual(settings["db.memory.transaction.max"], "4m")

    def test_a_nats_server_flushes_only_where_the_machine_may_fail(self) -> None:
        self.assertIn("sync_interval: always", nats.configuration(4222, Path("store"), flushes=True))
        told = nats.configuration(4222, Path("store"), ["server_name: one"])
        self.assertNotIn("sync_interval", told)
        self.assertIn("listen: 127.0.0.1:4222\n", told)
        self.assertIn("\nserver_name: one\n", told)


class Lint(unittest.TestCase):
    def test_tools_are_pinned(self) -> None:
        self.assertTrue(all("==" in package for package in lint.PACKAGES))


if __name__ == "__main__":
    unittest.main()
