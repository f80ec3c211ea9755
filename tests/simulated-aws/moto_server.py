#!/usr/bin/env python3
"""Starts moto as a simulated AWS, with what moto lacks and with faults on demand.

    moto_server.py --port 0 --port-file FILE

needs a Python environment with `moto[server]`. FILE holds the port once the server answers. Besides AWS it serves:

    GET    /_groma/calls                 [[account, region, service, action], ...] since the start or the last DELETE
    DELETE /_groma/calls
    GET    /_groma/sessions              [[access key id, secret, token], ...] of every session of a role so far
    GET    /_groma/faults                the rules still in force
    POST   /_groma/faults                [{account?, region?, service?, action?, skip?, times?, delay_seconds?,
                                           status?, code?, message?}, ...], the first rule that matches a call answers it
    DELETE /_groma/faults
    GET    /_groma/deletions             those that have not happened yet
    POST   /_groma/deletions             [{account, region, load_balancer: NAME}, ...]: deleted once a survey has listed it
    POST   /_groma/overlay               [{service, action, where, set, account?, region?}, ...]: fields that moto lacks
    POST   /_groma/latency               {"milliseconds": N}: every call waits this long
    POST   /_groma/clock                 {"start": "2024-01-01T00:00:00Z"}: what is made from now on bears such dates
    DELETE /_groma/clock                 back to the real time
    POST   /_groma/page-size             {"items": N}: no page has more than N items; null for AWS's own sizes
    POST   /_groma/inspector2            {account, region, findings: [...]}, in place of those there
    POST   /_groma/inspector2/add        {account, region, findings: [...]}, besides those there
    POST   /_groma/inspector2/members    {account, region, members: [account, ...]}
    POST   /_groma/inspector2/status     {account, region, status: "ENABLED" or "DISABLED"}
    POST   /_groma/reserved-instances    {account, region, reserved_instances: [...]}
    POST   /_groma/service-last-accessed {arn: [ServicesLastAccessed, ...]}
    POST   /_groma/account-ids           [id, ...]: what CreateAccount gives out next
    POST   /_groma/functions             {account, region, function, configuration?: {...}, policy?: [statement, ...]}
    POST   /_groma/ssm/nodes             {account, region, nodes: [{InstanceId, ..., Patches?: [...], IsGone?}]}
    POST   /_groma/iam                   {account, users: {name: {create_date?, password_last_used?}},
                                          access_keys: {id: {create_date?, last_used?: {date, service, region}}},
                                          roles: {name: {create_date?, last_used?}}}

A rule with a `code` answers with that error in the protocol of the service; one without only delays.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import threading
import urllib.request
from typing import Any

from simulated_aws.app import SimulatedAws
from simulated_aws.server import make_server

# What DescribeRegions calls enabled.
DEFAULT_REGIONS = ["us-east-1", "eu-west-1"]


def main() -> None:
    arguments = parse_arguments()
    without_proxy()
    regions = [region for region in arguments.regions.split(",") if region]
    server = make_server(arguments.host, arguments.port, SimulatedAws(regions), arguments.quiet)
    if arguments.until_stdin_closes:
        threading.Thread(target=lambda: (sys.stdin.buffer.read(), server.shutdown()), daemon=True).start()
    threading.Thread(target=announce, args=(server, arguments), daemon=True).start()
    serve(server)


def serve(server: Any) -> None:
    """Answers until SIGINT or SIGTERM."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
    server.serve_forever()


def without_proxy() -> None:
    """A proxy, which HTTP_PROXY may name, has no business between processes of this machine."""
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = "127.0.0.1,localhost"


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="A simulated AWS: moto, what it lacks, and faults on demand.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one (default)")
    parser.add_argument("--port-file", help="written with the port once the server answers")
    parser.add_argument(
        "--regions",
        default=",".join(DEFAULT_REGIONS),
        help="what DescribeRegions calls enabled; empty for all that moto knows (default: %(default)s)",
    )
    parser.add_argument("--quiet", action="store_true", help="no line for each request")
    parser.add_argument(
        "--until-stdin-closes", action="store_true", help="end with the process that holds the other end of stdin"
    )
    return parser.parse_args()


def announce(server: Any, arguments: argparse.Namespace) -> None:
    """Writes the port file when a first request was answered, in one step so that no reader sees half of it."""
    url = f"http://{arguments.host}:{server.port}"
    with urllib.request.urlopen(f"{url}/_groma/calls", timeout=30) as response:
        response.read()
    if arguments.port_file:
        half = f"{arguments.port_file}.{os.getpid()}"
        with open(half, "w", encoding="utf-8") as file:
            file.write(f"{server.port}\n")
        os.replace(half, arguments.port_file)
    print(f"simulated AWS on {url}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
