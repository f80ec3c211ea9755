"""How Neo4j Community is run from its jars: command line, configuration, and whether it answers."""

import json
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

from ports import free_port

MAIN = "org.neo4j.server.CommunityEntryPoint"
OPENED = ("java.nio", "java.io", "sun.nio.ch")
# The handshake of Bolt: a magic number and four versions wished for; the answer is the one chosen.
HANDSHAKE = bytes.fromhex("6060b017") + bytes.fromhex("00000404") + bytes(12)
CHOSEN = bytes.fromhex("00000404")


def command(java, classpath, home, options):
    opened = [f"--add-opens=java.base/{package}=ALL-UNNAMED" for package in OPENED]
    folders = [f"--home-dir={home}", f"--config-dir={home}", "--console-mode"]
    return [str(java), *options, "-cp", classpath, *opened, MAIN, *folders]


def configuration(bolt, http, page_cache="256m"):
    settings = {
        "server.config.strict_validation.enabled": "true",
        "server.default_listen_address": "127.0.0.1",
        "server.bolt.listen_address": f"127.0.0.1:{bolt}",
        "server.http.listen_address": f"127.0.0.1:{http}",
        "server.https.enabled": "false",
        "server.memory.pagecache.size": page_cache,
        "dbms.security.auth_enabled": "true",
        "dbms.usage_report.enabled": "false",
        # Without it each stop waits ten seconds for clients that may come yet.
        "internal.dbms.bolt.netty_server_shutdown_quiet_period": "0",
    }
    return "".join(f"{name}={value}\n" for name, value in settings.items())


def speaks_bolt(connection):
    connection.sendall(HANDSHAKE)
    return connection.recv(4) == CHOSEN


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=2) as connection:
            return speaks_bolt(connection)
    except OSError:
        return False


def archive_classes(java, classpath, archive, patience=180):
    """Runs it once on an empty database, so that Java notes the classes: later starts take half the time.

    Raises RuntimeError when it does not start, which is good to know now.
    """
    with tempfile.TemporaryDirectory(prefix="groma-neo4j-") as home:
        bolt = free_port()
        Path(home, "neo4j.conf").write_text(configuration(bolt, free_port(), "64m"), encoding="utf-8")
        options = ["-Xmx512m", "-XX:+UseSerialGC", f"-XX:ArchiveClassesAtExit={archive}"]
        log = Path(home, "log")
        with open(log, "w", encoding="utf-8") as output:
            server = subprocess.Popen(
                command(java, classpath, home, options), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            try:
                wait_for(server, bolt, log, time.monotonic() + patience)
                server.send_signal(signal.SIGTERM)
                server.wait(patience)
            finally:
                server.kill()
                server.wait()


def wait_for(server, bolt, log, deadline):
    while not answers(bolt):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"Neo4j does not start: {json.dumps(log.read_text(encoding='utf-8')[-600:])}")
        time.sleep(0.1)
    # The HTTP server comes after Bolt and has classes of its own.
    while "Started." not in log.read_text(encoding="utf-8") and time.monotonic() < deadline and server.poll() is None:
        time.sleep(0.1)
