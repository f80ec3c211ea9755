"""As much of the NATS protocol as it takes to read messages of a stream, to put them into it again, and to remove things."""

from __future__ import annotations

import base64
import json
import socket
from typing import Any

Json = dict[str, Any]

INBOX = "_INBOX.chaos"
PATIENCE = 5


class Nats:
    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        self.lines = self.socket.makefile("rb")
        self.lines.readline()
        self.send(f'CONNECT {{"verbose":false,"headers":true}}\r\nSUB {INBOX} 1\r\n'.encode())

    def __enter__(self) -> Nats:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def request(self, subject: str, body: Json | None = None) -> Json:
        payload = json.dumps(body).encode() if body else b""
        self.send(f"PUB {subject} {INBOX} {len(payload)}\r\n".encode() + payload + b"\r\n")
        while True:
            words = self.lines.readline().split()
            if not words:
                raise OSError("the server hung up")
            if words[0] == b"PING":
                self.send(b"PONG\r\n")
            elif words[0] == b"MSG":
                return json.loads(self.lines.read(int(words[-1]) + 2))
            elif words[0] == b"HMSG":
                raise OSError("no such stream at this moment")

    def streams(self) -> list[str]:
        return self.request("$JS.API.STREAM.NAMES").get("streams") or []

    def consumers(self, stream: str) -> list[str]:
        return self.request(f"$JS.API.CONSUMER.NAMES.{stream}").get("consumers") or []

    def delete_stream(self, stream: str) -> None:
        self.request(f"$JS.API.STREAM.DELETE.{stream}")

    def delete_consumer(self, stream: str, consumer: str) -> None:
        self.request(f"$JS.API.CONSUMER.DELETE.{stream}.{consumer}")

    def messages(self, stream: str) -> int:
        """How many it holds; none when there is no such stream."""
        return self.state(stream).get("messages", 0)

    def last_sequence(self, stream: str) -> int:
        return self.state(stream).get("last_seq", 0)

    def state(self, stream: str) -> Json:
        return self.request(f"$JS.API.STREAM.INFO.{stream}").get("state", {})

    def stored(self, stream: str, sequence: int) -> tuple[str, bytes] | None:
        """Subject and body of a message, or nothing when it is no longer there."""
        message = self.request(f"$JS.API.STREAM.MSG.GET.{stream}", {"seq": sequence}).get("message")
        return message and (message["subject"], base64.b64decode(message.get("data", "")))

    def publish(self, subject: str, payload: bytes) -> None:
        """Without a message id, so that the server does not know it for a repeat."""
        self.send(f"PUB {subject} {len(payload)}\r\n".encode() + payload + b"\r\n")
