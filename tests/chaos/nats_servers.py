"""nats-server, alone or three in a cluster: how each is configured, and whether it answers."""

import functools
import json
import urllib.error
import urllib.request

from ports import free_port

# A server that is killed must find all that it has acknowledged.
JETSTREAM = "sync_interval: always"
DIRECT = urllib.request.build_opener(urllib.request.ProxyHandler({}))
PATIENCE = 3


class NatsServers:
    """The configuration of `count` servers that keep their streams below `folder`, by name: `nats-1`, ...

    Each reaches each other one by a link, `nats-1>nats-2`.
    """

    def __init__(self, folder, count, links):
        self.folder, self.links = folder, links
        self.names = [f"nats-{number}" for number in range(1, count + 1)]
        uses = ("client", "monitor", "route")
        self.client, self.monitor, self.route = ({name: port_of(name, use) for name in self.names} for use in uses)

    def write(self, name):
        """The path of its configuration."""
        store = json.dumps(str(self.folder / f"{name}-streams"))
        text = (
            f"server_name: {name}\nlisten: 127.0.0.1:{self.client[name]}\nhttp: 127.0.0.1:{self.monitor[name]}\n"
            f"jetstream {{ store_dir: {store}\n{JETSTREAM} }}\n"
        )
        if len(self.names) > 1:
            routes = ", ".join(f'"nats-route://127.0.0.1:{port}"' for port in self.routes(name))
            # Clients know the servers by the links that lead to them, and so do servers: those that a server hears of
            # from others are where nothing listens.
            text += (
                f"cluster {{ name: chaos\nlisten: 127.0.0.1:{self.route[name]}\nadvertise: \"127.0.0.1:{port_of('nats', 'nothing')}\"\n"
                f"no_advertise: true\nroutes: [{routes}] }}\n"
            )
        path = self.folder / f"{name}.conf"
        path.write_text(text, encoding="utf-8")
        return path

    def routes(self, name):
        """Where a server finds the others."""
        return [self.links.port(f"{name}>{other}", self.route[other]) for other in self.names if other != name]

    def between(self, name):
        """The links between a server and the others, in both directions."""
        others = [other for other in self.names if other != name]
        return [link for other in others for link in (f"{name}>{other}", f"{other}>{name}")]

    def healthy(self, name):
        """Whether it answers and has caught up with all that it holds."""
        answer = self.look(name, "healthz")
        return bool(answer) and answer.get("status") == "ok"

    def look(self, name, page):
        """A page of its monitoring, or nothing when it does not answer."""
        try:
            with DIRECT.open(f"http://127.0.0.1:{self.monitor[name]}/{page}", timeout=PATIENCE) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return {"status": str(error)}
        except (OSError, ValueError):
            return None


@functools.lru_cache(maxsize=None)
def port_of(server, use):
    """The same from scene to scene: a process keeps each port that it takes, with a file that is open."""
    return free_port()
