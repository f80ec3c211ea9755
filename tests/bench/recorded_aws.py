#!/usr/bin/env python3
"""AWS from memory: each answer of a simulated AWS is recorded once and replayed after a set latency.

    recorded_aws.py --behind http://127.0.0.1:5000 --port-file FILE

What is not known yet is passed on to the AWS behind, so that a first run of a program fills the memory. One thread and
one event loop, connections kept alive; a latency delays its own call and no other. It ends when its standard input
does. Besides AWS it serves

    POST /_bench/reset?milliseconds=N   begins to count anew, and from now on each call waits N milliseconds; with
                                        &buckets=published it refuses calls beyond the quotas that AWS publishes
    GET  /_bench/counts                 {"calls", "most_in_flight", "unrecorded", "failed", "refused", "cpu_seconds"} since then
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import re
import resource
import sys
import time
import urllib.parse
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from buckets import Buckets

SCOPE = re.compile(rb"Credential=([^/,\s]+)/\d+/([^/]+)/([^/]+)/aws4_request")
ACCESS_KEY = re.compile(rb"<AccessKeyId>([^<]+)</AccessKeyId>")
EXPIRATION = re.compile(rb"(<Expiration>)[^<]+(</Expiration>)")
ROLE_ACCOUNT = re.compile(rb"RoleArn=arn%3Aaws[^%]*%3Aiam%3A%3A(\d+)%3A")
# What differs from session to session although the answer may be the same. What is asked of the session stays.
VOLATILE = (b"RoleSessionName=", b"Name=", b"SourceIdentity=", b"Tags.", b"TransitiveTagKeys.", b"DurationSeconds=")
NEW_SESSION = (b"Action=AssumeRole", b"Action=GetFederationToken")
HEADERS_BEHIND = (b"authorization", b"content-type", b"host", b"x-amz-date", b"x-amz-target", b"x-amz-security-token")
SESSION = 3600
CONTROLS = b"/_bench/"


@dataclass
class Request:
    method: bytes
    path: bytes
    headers: dict
    body: bytes


class Answer:
    def __init__(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
        self.status, self.headers, self.body = status, headers, body
        self.failed = status >= 500
        # Of a session that it hands out: filled in again at each replay.
        self.expires = False
        self.written = written(status, headers, body)

    def now(self) -> bytes:
        if not self.expires:
            return self.written
        end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + SESSION)).encode()
        return written(self.status, self.headers, EXPIRATION.sub(rb"\g<1>" + end + rb"\g<2>", self.body))


@dataclass
class Counts:
    calls: int = 0
    in_flight: int = 0
    most_in_flight: int = 0
    unrecorded: list = field(default_factory=list)
    failed: int = 0
    refused: int = 0
    cpu: float = field(default_factory=time.process_time)


class RecordedAws:
    def __init__(self, behind: str) -> None:
        self.behind = urllib.parse.urlsplit(behind)
        self.latency = 0.0
        self.answers = {}
        self.accounts = {}
        self.buckets = None
        self.counts = Counts()
        self.one_at_a_time = ThreadPoolExecutor(max_workers=1)

    async def answer(self, request: Request) -> bytes:
        if request.path.startswith(CONTROLS):
            return self.control(request)
        began = time.monotonic()
        counts = self.counts
        counts.calls += 1
        counts.in_flight += 1
        counts.most_in_flight = max(counts.most_in_flight, counts.in_flight)
        try:
            key = self.key(request)
            refusal = self.buckets and self.buckets.take(key[0], key[1], key[2], request.body)
            if refusal:
                counts.refused += 1
                await asyncio.sleep(self.latency)
                status, body = refusal
                return written(status, [("Content-Type", "text/xml")], body)
            known = self.answers.get(key) or await self.record(key, request)
            counts.failed += known.failed
            rest = self.latency - (time.monotonic() - began)
            if rest > 0:
                await asyncio.sleep(rest)
            return known.now()
        finally:
            counts.in_flight -= 1

    def key(self, request: Request) -> tuple[bytes, ...]:
        """Account, region, service and what is asked; a session counts as the account that it is in."""
        scope = SCOPE.search(request.headers.get(b"authorization", b""))
        access_key, region, service = scope.groups() if scope else (b"", b"", b"")
        account = self.accounts.get(access_key, access_key)
        target = request.headers.get(b"x-amz-target", b"")
        return (account, region, service, target, request.method, request.path, normalized(request.body))

    async def record(self, key: tuple[bytes, ...], request: Request) -> Answer:
        self.counts.unrecorded.append(b" ".join((*key[:4], key[5], key[6][:200])).decode(errors="replace"))
        # The simulated AWS is asked one call at a time, as it was filled.
        answer = await self.ask(request)
        for access_key in ACCESS_KEY.findall(answer.body) if key[2] == b"sts" else ():
            role = ROLE_ACCOUNT.search(request.body)
            self.accounts[access_key] = role.group(1) if role else key[0]
            answer.expires = True
        if not answer.failed:
            self.answers[key] = answer
        return answer

    async def ask(self, request: Request) -> Answer:
        """The AWS behind, one call at a time."""
        return await asyncio.get_running_loop().run_in_executor(self.one_at_a_time, self.ask_behind, request)

    def ask_behind(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self.behind.hostname or "", self.behind.port, timeout=120)
        try:
            passed_on = [name for name in HEADERS_BEHIND if name in request.headers]
            headers = {name.decode(): request.headers[name].decode() for name in passed_on}
            connection.request(request.method.decode(), request.path.decode(), request.body, headers)
            response = connection.getresponse()
            body = response.read()
        finally:
            connection.close()
        kept = [(name, value) for name, value in response.getheaders() if is_of_the_answer(name.lower())]
        return Answer(response.status, kept, body)

    def control(self, request: Request) -> bytes:
        name, _, query = request.path[len(CONTROLS) :].decode().partition("?")
        if name == "reset":
            wanted = urllib.parse.parse_qs(query)
            self.latency = float(wanted["milliseconds"][0]) / 1000
            self.buckets = Buckets() if "buckets" in wanted else None
            self.counts = Counts()
        counts = self.counts
        shown = {name: getattr(counts, name) for name in ("calls", "most_in_flight", "unrecorded", "failed", "refused")}
        shown["cpu_seconds"] = time.process_time() - counts.cpu
        return written(200, [("Content-Type", "application/json")], json.dumps(shown).encode())


def normalized(body: bytes) -> bytes:
    """The fields of a form in one order, without those that are new in each session; any other body as it is."""
    if b"Action=" not in body:
        return body
    fields = body.split(b"&")
    if any(action in fields for action in NEW_SESSION):
        fields = [one for one in fields if not one.startswith(VOLATILE)]
    return b"&".join(sorted(fields))


def is_of_the_answer(name: str) -> bool:
    return name == "content-type" or name.startswith("x-amz")


def written(status: int, headers: list[tuple[str, str]], body: bytes) -> bytes:
    reason = http.client.responses.get(status, "")
    lines = [f"HTTP/1.1 {status} {reason}", f"Content-Length: {len(body)}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


class Connection(asyncio.Protocol):
    """HTTP/1.1, kept alive; one request after the other, as clients send them."""

    def __init__(self, aws: RecordedAws) -> None:
        self.aws = aws
        self.received = bytearray()
        self.answering = None

    def connection_made(self, transport: Any) -> None:
        self.transport: asyncio.Transport = transport  # asyncio has set TCP_NODELAY

    def data_received(self, data: bytes) -> None:
        self.received += data
        self.go_on()

    def connection_lost(self, error: Exception | None) -> None:
        if self.answering:
            self.answering.cancel()

    def go_on(self) -> None:
        request = None if self.answering else take(self.received)
        if request:
            self.answering = asyncio.get_running_loop().create_task(self.answer(request))

    async def answer(self, request: Request) -> None:
        try:
            self.transport.write(await self.aws.answer(request))
        except Exception as error:  # a call that nobody answers would be waited for
            print(f"no answer to {request.path!r} {request.body[:100]!r}: {error!r}", file=sys.stderr, flush=True)
            self.transport.write(written(503, [], b""))
        self.answering = None
        self.go_on()


def take(received: bytearray) -> Request | None:
    """The first request, taken out of what was received; none when it is not whole."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return None
    first, *lines = bytes(received[:end]).split(b"\r\n")
    pairs = (line.partition(b":") for line in lines)
    headers = {name.lower(): value.strip() for name, _, value in pairs}
    after = end + 4 + int(headers.get(b"content-length", 0))
    if len(received) < after:
        return None
    body = bytes(received[end + 4 : after])
    del received[:after]
    method, path, _ = first.split(b" ", 2)
    return Request(method, path, headers, body)


async def serve(aws: RecordedAws, port_file: str) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(aws), "127.0.0.1", 0, backlog=1024)
    half = Path(f"{port_file}.half")
    half.write_text(str(server.sockets[0].getsockname()[1]), encoding="utf-8")
    half.rename(port_file)
    await loop.run_in_executor(None, sys.stdin.buffer.read)


def raise_limits() -> None:
    """A program that keeps many connections alive must not be refused one."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def parser(description: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"{description}, in front of a simulated one.")
    parser.add_argument("--behind", required=True, help="where the simulated AWS is")
    parser.add_argument("--port-file", required=True, help="written with the port once the server answers")
    return parser


def run(aws: RecordedAws, port_file: str) -> None:
    """Serves until the standard input ends, and with it the process."""
    raise_limits()
    asyncio.run(serve(aws, port_file))
    os._exit(0)


def main() -> None:
    arguments = parser("AWS from memory").parse_args()
    run(RecordedAws(arguments.behind), arguments.port_file)


if __name__ == "__main__":
    main()
