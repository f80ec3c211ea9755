"""How many calls a second AWS from memory answers, so that it is known not to be what is measured."""

from __future__ import annotations

import socket
import threading
import time
import urllib.parse
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench import Recorded

SECONDS = 2.0
CONNECTIONS = 8
FORM = b"Action=DescribeVpcs&MaxResults=1000&Version=2016-11-15"


def of(aws: Recorded, environment: dict[str, str]) -> float:
    """Calls a second over some connections, of an ordinary call that it has recorded."""
    aws.reset(0)
    where = urllib.parse.urlsplit(aws.endpoint)
    call = request(access_key(environment))
    ask(where, call, time.monotonic())  # recorded by this one
    ends = time.monotonic() + SECONDS
    counts = []
    threads = [threading.Thread(target=lambda: counts.append(ask(where, call, ends))) for _ in range(CONNECTIONS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / SECONDS


def access_key(environment: dict[str, str]) -> str:
    with open(environment["AWS_SHARED_CREDENTIALS_FILE"], encoding="utf-8") as file:
        return next(line.split("=")[1].strip() for line in file if line.startswith("aws_access_key_id"))


def request(key: str) -> bytes:
    scope = f"AWS4-HMAC-SHA256 Credential={key}/20240301/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0"
    lines = [
        "POST / HTTP/1.1",
        "Host: ec2.us-east-1.amazonaws.com",
        f"Authorization: {scope}",
        "Content-Type: application/x-www-form-urlencoded",
        f"Content-Length: {len(FORM)}",
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + FORM


def ask(where: urllib.parse.SplitResult, call: bytes, ends: float) -> int:
    """The same call again and again over one connection until then, at least once; how often."""
    count = 0
    with socket.create_connection((where.hostname or "", where.port or 80)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while not count or time.monotonic() < ends:
            connection.sendall(call)
            read_answer(connection)
            count += 1
    return count


def read_answer(connection: socket.socket) -> None:
    received = b""
    while b"\r\n\r\n" not in received:
        received += more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split(b"\r\n")[0])
    while len(body) < length:
        body += more(connection)


def more(connection: socket.socket) -> bytes:
    data = connection.recv(1 << 16)
    if not data:
        raise ConnectionError("AWS from memory ended the connection")
    return data
