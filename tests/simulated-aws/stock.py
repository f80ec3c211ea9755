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
import traceback
from typing import IO, Any

import moto_server
import organization
from simulated_aws.app import SimulatedAws
from simulated_aws.server import make_server

Json = dict[str, Any]

HOST = "127.0.0.1"
SEED = 1


def main() -> None:
    moto_server.without_proxy()
    # Ended AWSs and templates leave nothing to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    templates: dict[str, IO[str]] = {}
    for line in sys.stdin:
        request = json.loads(line)
        template = templates.get(request["size"])
        if template is None:
            template = templates[request["size"]] = fork_template(request["size"])
        print(line.strip(), file=template, flush=True)
        print(template.readline() or json.dumps({"error": "the template ended; see its log"}), end="", flush=True)


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

    def serve(self) -> None:
        for line in self.connection:
            request = json.loads(line)
            try:
                answer = self.fork(request)
            except (OSError, ValueError) as error:
                answer = {"error": f"{type(error).__name__}: {error}"}
            print(json.dumps(answer), file=self.connection, flush=True)

    def fork(self, request: Json) -> Json:
        # Bound before the fork, so that it answers as soon as the caller has the port.
        server = make_server(HOST, 0, self.app, quiet=True)
        port = server.port
        summary = organization.describe(self.filled, request["dir"], f"http://{HOST}:{port}")
        with open(request["log"], "ab") as log:
            pid = os.fork()
            if pid == 0:
                run_and_exit(lambda: become_server(server, log.fileno()))
        lead_group(pid)
        server.server_close()
        return {"port": port, "pid": pid, "summary": summary}


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
