"""nats-server, alone or three in a cluster: how each is configured, and whether it answers."""

from __future__ import annotations

import functools
import urllib.error
from pathlib import Path
from typing import TYPE_CHECKING, Any

from servers import http, nats
from servers.ports import free_port

if TYPE_CHECKING:
    from links import Links

PATIENCE = 3


class NatsServers:
    """The configuration of `count` servers that keep their streams below `folder`, by name: `nats-1`, ...

    Each reaches each other one by a link, `nats-1>nats-2`.
    """

    def __init__(self, folder: Path, count: int, links: Links) -> None:
        self.folder, self.links = folder, links
        self.names = [f"nats-{number}" for number in range(1, count + 1)]
        uses = ("client", "monitor", "route")
        self.client, self.monitor, self.route = ({name: port_of(name, use) for name in self.names} for use in uses)

    def write(self, name: str) -> Path:
        """The path of its configuration."""
        settings = [f"server_name: {name}", f"http: 127.0.0.1:{self.monitor[name]}"]
        if len(self.names) > 1:
            settings.append(self.cluster(name))
        path = self.folder / f"{name}.conf"
        # A server that is killed must find all that it has acknowledged.
        text = nats.configuration(self.client[name], self.folder / f"{name}-streams", settings, flushes=True)
        path.write_text(text, encoding="utf-8")
        return path

    def cluster(self, name: str) -> str:
        routes = ", ".join(f'"nats-route://127.0.0.1:{port}"' for port in self.routes(name))
        # Clients know the servers by the links that lead to them, and so do servers: those that a server hears of from
        # others are where nothing listens.
        nowhere = f"127.0.0.1:{port_of('nats', 'nothing')}"
        return (
            f'cluster {{ name: chaos\nlisten: 127.0.0.1:{self.route[name]}\nadvertise: "{nowhere}"\n'
            f"no_advertise: true\nroutes: [{routes}] }}"
        )

    def routes(self, name: str) -> list[int]:
        """Where a server finds the others."""
        return [self.links.port(f"{name}>{other}", self.route[other]) for other in self.names if other != name]

    def between(self, name: str) -> list[str]:
        """The links between a server and the others, in both directions."""
        others = [other for other in self.names if other != name]
        return [link for other in others for link in (f"{name}>{other}", f"{other}>{name}")]

    def healthy(self, name: str) -> bool:
        """Whether it answers and has caught up with all that it holds."""
        answer = self.look(name, "healthz")
        return bool(answer) and answer.get("status") == "ok"

    def look(self, name: str, page: str) -> dict[str, Any] | None:
        """A page of its monitoring, or nothing when it does not answer."""
        try:
            return http.ask(f"http://127.0.0.1:{self.monitor[name]}/{page}", patience=PATIENCE)
        except urllib.error.HTTPError as error:
            return {"status": str(error)}
        except (OSError, ValueError):
            return None


@functools.cache
def port_of(server: str, use: str) -> int:
    """The same from scene to scene: a process keeps each port that it takes, with a file that is open."""
    return free_port()
