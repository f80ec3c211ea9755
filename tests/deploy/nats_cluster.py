"""nats-servers with the configuration that the chart renders, on 127.0.0.1: addresses, folders and certificates are replaced."""

from __future__ import annotations

import contextlib
import datetime
import http.client
import ipaddress
import json
import socket
import ssl
import sys
import time
from pathlib import Path
from typing import Any

import chart
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "dev")]

import servers

Json = dict[str, Any]

NAME = "groma-nats"
PORTS = (4222, 6222, 8222)
PATIENCE = 60


class Cluster:
    """The servers of the chart with these values, until the end of the `with` block. `accounts` is their accounts.conf."""

    def __init__(self, folder: Path, accounts: str, *settings: str) -> None:
        self.folder = folder
        (config,) = (it["data"]["nats.conf"] for it in chart.of_kind("ConfigMap", *settings))
        (workload,) = chart.of_kind("StatefulSet", *settings)
        self.names = [f"{NAME}-{nth}" for nth in range(workload["spec"]["replicas"])]
        # Port of this machine by the server's name and the port that it has in the chart.
        self.ports = {(name, port): servers.ports.free_port() for name in self.names for port in PORTS}
        write_certificates(folder)
        (folder / "accounts").mkdir()
        (folder / "accounts" / "accounts.conf").write_text(accounts, encoding="utf-8")
        for name in self.names:
            (folder / f"{name}.conf").write_text(self.replaced(config, name), encoding="utf-8")
        self.held = contextlib.ExitStack()

    def replaced(self, config: str, name: str) -> str:
        """The configuration of one server, with places of this machine."""
        for port in PORTS:
            config = config.replace(f'"0.0.0.0:{port}"', f'"127.0.0.1:{self.ports[name, port]}"')
        for other in self.names:
            config = config.replace(f"{other}.{NAME}:6222", f"127.0.0.1:{self.ports[other, 6222]}")
        config = config.replace('"/data"', json.dumps(str(self.folder / name)))
        # In its container, the name is a variable of the environment.
        return f"SERVER_NAME: {name}\n" + config.replace("/etc/groma-nats", str(self.folder))

    def __enter__(self) -> Cluster:
        """Starts the servers, and waits until all of them pass their startup probe."""
        with self.held:
            begun = [(name, self.begin(name)) for name in self.names]
            for name, server in begun:
                server.wait_until(lambda name=name: self.get(name, 8222, "/healthz")[0] == 200)
            self.held = self.held.pop_all()
        return self

    def begin(self, name: str) -> servers.process.Server:
        command = servers.nats.command(self.folder / f"{name}.conf")
        return self.held.enter_context(servers.process.running(name, name, command, self.folder))

    def __exit__(self, *_: object) -> None:
        self.held.close()

    def client(self, user: str, password: str) -> Client:
        """Connects to the first server."""
        return Client(self.ports[self.names[0], 4222], self.folder / "ca.pem", user, password)

    def get(self, name: str, port: int, path: str) -> tuple[int, str]:
        """Status and text of a page; status 0 if the server does not answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.ports[name, port], timeout=10)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()
        except OSError:
            return 0, ""
        finally:
            connection.close()


class Client:
    """As much of the NATS protocol over TLS as requests to JetStream take."""

    INBOX = "_INBOX.contract"

    def __init__(self, port: int, authority: Path, user: str, password: str) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=10)
        # The greeting comes before TLS; it is read without a buffer that would swallow more.
        while not plain.recv(4096, socket.MSG_PEEK).endswith(b"\r\n"):
            time.sleep(0.01)
        plain.recv(4096)
        self.socket = ssl.create_default_context(cafile=str(authority)).wrap_socket(plain, server_hostname=NAME)
        self.lines = self.socket.makefile("rb")
        options = {"verbose": False, "pedantic": False, "user": user, "pass": password, "headers": True}
        self.send(f"CONNECT {json.dumps(options)}\r\nSUB {self.INBOX} 1\r\nPING\r\n")
        while (line := self.lines.readline()) != b"PONG\r\n":
            if not line or line.startswith(b"-ERR"):
                raise AssertionError(f"NATS refuses the client: {line!r}")

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self.lines.close()
        self.socket.close()

    def send(self, text: str) -> None:
        self.socket.sendall(text.encode())

    def request(self, subject: str, body: Json | None = None) -> Json:
        """The answer to a request, or an error of 503 as long as no server answers."""
        payload = json.dumps(body) if body else ""
        self.send(f"PUB {subject} {self.INBOX} {len(payload)}\r\n{payload}\r\n")
        while True:
            words = self.lines.readline().split()
            if not words:
                raise OSError("the server hung up")
            if words[0] == b"PING":
                self.send("PONG\r\n")
            elif words[0] == b"MSG":
                data = self.lines.read(int(words[-1]) + 2)
                # An item of work has another content than an answer.
                return json.loads(data) if data.startswith(b"{") else {}
            elif words[0] == b"HMSG":
                self.lines.read(int(words[-1]) + 2)
                return {"error": {"code": 503}}

    def until_done(self, subject: str, body: Json) -> Json:
        """Repeats a request until the servers have a leader and room."""
        deadline = time.monotonic() + PATIENCE
        while (answer := self.request(subject, body)).get("error", {}).get("code") == 503:
            if time.monotonic() > deadline:
                raise AssertionError(f"{subject}: {answer}")
            time.sleep(0.1)
        assert "error" not in answer, answer
        return answer


def write_certificates(folder: Path) -> None:
    """Writes ca.pem, server.pem and server.key, as `groma nats init` does."""
    authority_key, server_key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    now = datetime.datetime.now(datetime.timezone.utc)
    hosts = [x509.DNSName(NAME), x509.DNSName(f"*.{NAME}"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]

    def certificate(name: str, key: Any, extension: Any) -> x509.Certificate:
        subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, it)]) for it in (name, "authority"))
        builder = x509.CertificateBuilder(issuer, subject, key.public_key(), x509.random_serial_number())
        builder = builder.not_valid_before(now - datetime.timedelta(days=1))
        builder = builder.not_valid_after(now + datetime.timedelta(days=1))
        return builder.add_extension(extension, critical=False).sign(authority_key, hashes.SHA256())

    pem = serialization.Encoding.PEM
    ca = certificate("authority", authority_key, x509.BasicConstraints(ca=True, path_length=0))
    (folder / "ca.pem").write_bytes(ca.public_bytes(pem))
    server = certificate("server", server_key, x509.SubjectAlternativeName(hosts))
    (folder / "server.pem").write_bytes(server.public_bytes(pem))
    secret = server_key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    (folder / "server.key").write_bytes(secret)
