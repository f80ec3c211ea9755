"""Servers that demo, stack, measurements and tests run on: the only Python that starts nats-server, Neo4j and the simulated AWS.

`neo4j`, `nats` and `aws` know one program each, `process` how a server is started, waited for and ended, `ports` which ports
are free, and `tools` where `provision.py` has put the programs. Rust tests start the same Neo4j through `run_neo4j.py`.
"""

from servers import aws, http, nats, neo4j, ports, process, tools
from servers.errors import Failed
from servers.process import end_on_sigterm, plain_environment
from servers.tools import ROOT, python, tool

__all__ = [
    "ROOT",
    "Failed",
    "aws",
    "end_on_sigterm",
    "http",
    "nats",
    "neo4j",
    "plain_environment",
    "ports",
    "process",
    "python",
    "tool",
    "tools",
]
