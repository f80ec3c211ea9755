#!/usr/bin/env python3
"""Makes simulated AWSs with an organization, as fast as a process forks.

    stock.py

Loading moto and filling an organization takes seconds of CPU. So one process does it once for each size, and each AWS is a
fork of that process, with its own copy of everything.

A request is a line of JSON on standard input, and its answer a line on standard output:

    {"size": "small", "dir": DIR, "log": FILE}    ->    {"port": 40001, "pid": 4711, "summary": {...}}

`dir` gets the AWS files, `summary` is that of `organization.py`. An AWS leads its own process group, and runs until it gets
SIGTERM or SIGKILL. It outlives this program, which ends with its standard input. Errors are `{"error": TEXT}`.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import socket
import sys
import threading
import time
import traceback
from pathlib import Path
from typing import IO, Any

import moto_server
import organization
from simulated_aws.app import SimulatedAws
from simulated_aws.server import make_server

Json = dict[str, Any]

HOST = "127.0.0.1"
SEED = 1
# Seconds for the threads that served the filling to end.
ALONE = 10


def main() -> None:
    moto_server.without_proxy()
    # Ended AWSs and templates leave nothing to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    templates: dict[str, IO[str]] = {}
    for line in sys.stdin:
        size = json.loads(line)["size"]
        if size not in templates:
            templates[size] = fork_template(size)
        answer = ask(templates[size], line)
        if answer is None:
            del templates[size]
            answer = json.dumps({"error": f"no organization of size {size}: see the output of {Path(__file__).name}"})
        try:
            print(answer, flush=True)
        except BrokenPipeError:
            # Nobody takes charge of what was just made.
            end(json.loads(answer).get("pid"))
            return


def ask(template: IO[str], request: str) -> str | None:
    """The template's answer; None if it has ended."""
    try:
        print(request.strip(), file=template, flush=True)
        return template.readline().strip() or None
    except OSError:
        return None


def end(pid: int | None) -> None:
    if pid:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)


def fork_template(size: str) -> IO[str]:
    """Starts the process of a size. Returns the connection to it, which takes requests like this program."""
    ours, theirs = socket.socketpair()
    if os.fork() == 0:
        ours.close()
        # Requests and answers are the parent's alone; moto prints to standard output.
        os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        run_and_exit(lambda: Template(size, theirs.makefile("rw", encoding="utf-8")).serve())
    theirs.close()
    return ours.makefile("rw", encoding="utf-8")


class Template:
    """A filled AWS that serves nobody and is forked for each request."""

    def __init__(self, size: str, connection: IO[str]) -> None:
        self.connection = connection
        self.app = SimulatedAws(moto_server.DEFAULT_REGIONS)
        server = make_server(HOST, 0, self.app, quiet=True)
        serving = threading.Thread(target=server.serve_forever, daemon=True)
        serving.start()
        self.filled = organization.fill(f"http://{HOST}:{server.port}", size, SEED)
        server.shutdown()
        serving.join()
        server.server_close()
        self.filled.aws.close()
        self.be_alone()

    def be_alone(self) -> None:
        """Waits until no other thread is left, which could hold a lock during a fork."""
        deadline = time.monotonic() + ALONE
        while threading.active_count() > 1:
            if time.monotonic() > deadline:
                raise RuntimeError(f"threads that do not end: {threading.enumerate()}")
            time.sleep(0.01)

    def serve(self) -> None:
        for line in self.connection:
            request = json.loads(line)
            try:
                answer = self.fork(request)
            except Exception as error:  # the template outlives a request that it cannot fulfil
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), file=self.connection, flush=True)

    def fork(self, request: Json) -> Json:
        # Bound before the fork, so that it answers as soon as the caller has the port.
        server = make_server(HOST, 0, self.app, quiet=True)
        with contextlib.closing(server.socket):
            port = server.port
            summary = organization.describe(self.filled, request["dir"], f"http://{HOST}:{port}")
            with open(request["log"], "ab") as log:
                pid = os.fork()
                if pid == 0:
                    run_and_exit(lambda: self.become_server(server, log.fileno()))
            lead_group(pid)
        return {"port": port, "pid": pid, "summary": summary}

    def become_server(self, server: Any, log: int) -> None:
        # The program must see the end of the template, whatever runs on.
        self.connection.close()
        become_server(server, log)


def become_server(server: Any, log: int) -> None:
    lead_group(0)
    for stream in (sys.stdout, sys.stderr):
        os.dup2(log, stream.fileno())
    moto_server.serve(server)


def lead_group(pid: int) -> None:
    """Both the process and its parent do it, so that it is done when either goes on."""
    with contextlib.suppress(OSError):
        os.setpgid(pid, pid)


def run_and_exit(work: Any) -> None:
    """Runs a forked process to its end, without what its parent would do at its own."""
    status = 1
    with contextlib.suppress(KeyboardInterrupt):
        try:
            work()
            status = 0
        except Exception:
            traceback.print_exc()
    sys.stderr.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
