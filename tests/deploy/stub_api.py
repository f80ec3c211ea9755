"""As much of Kubernetes's API as helm asks when it renders templates that look for objects."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Iterable, Iterator
from typing import Any

Json = dict[str, Any]

VERSION = {"major": "1", "minor": "34", "gitVersion": "v1.34.0"}


@contextlib.contextmanager
def serving(known: Iterable[Json], *there: Json) -> Iterator[str]:
    """The address of an API that knows the kinds of some objects, and has others, until the end of the `with` block."""
    pages: dict[str, Json] = {"/version": VERSION, "/api": {"kind": "APIVersions", "versions": ["v1"]}}
    groups: dict[str, Json] = {}
    for version, kind in sorted({(it["apiVersion"], it["kind"]) for it in known}):
        named = {"name": plural(kind), "kind": kind, "namespaced": True, "verbs": ["get", "create"]}
        listed = pages.setdefault(root(version), {"kind": "APIResourceList", "groupVersion": version, "resources": []})
        listed["resources"].append(named)
        group, _, short = version.partition("/")
        if short:
            served = {"groupVersion": version, "version": short}
            groups[group] = {"name": group, "versions": [served], "preferredVersion": served}
    pages["/apis"] = {"kind": "APIGroupList", "groups": list(groups.values())}
    for it in there:
        name, namespace = it["metadata"]["name"], it["metadata"]["namespace"]
        pages[f"{root(it['apiVersion'])}/namespaces/{namespace}/{plural(it['kind'])}/{name}"] = it

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = pages.get(self.path.partition("?")[0])
            body = json.dumps(
                page or {"kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}
            ).encode()
            self.send_response(404 if page is None else 200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *_: object) -> None:
            """Says nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def root(version: str) -> str:
    """Path of an API, such as apps/v1."""
    return f"/apis/{version}" if "/" in version else f"/api/{version}"


def plural(kind: str) -> str:
    lower = kind.lower()
    return f"{lower[:-1]}ies" if lower.endswith("y") else f"{lower}s"
