"""The WSGI application: the controls under `/_groma/`, then trust and faults, then moto."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.wrappers import Response

from . import (
    balancers,
    buckets,
    calls,
    clock,
    functions,
    gaps,
    keys,
    memory,
    overlay,
    pages,
    queues,
    secrets_manager,
    stacks,
    systems_manager,
    topics,
    trust,
)
from .deletions import Deletions
from .faults import Faults

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication as App

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIEnvironment as Environ

    from simulated_aws.calls import Call

Json = dict[str, Any]

CONTROLS = "/_groma/"


class SimulatedAws:
    def __init__(self, regions: list[str]) -> None:
        self.moto = DomainDispatcherApplication(create_backend_app)
        # As moto's own server sets it, for which no class declares it.
        self.moto.debug = True  # pyright: ignore[reportAttributeAccessIssue]
        self.pages = pages.Pages()
        self.extras = gaps.Extras(regions, self.pages)
        self.faults = Faults()
        self.deletions = Deletions()
        self.overlay = overlay.Overlay()
        self.calls = []
        self.calls_lock = threading.Lock()
        self.latency = 0.0
        memory.fill()
        gaps.fill(self.extras)
        pages.fill(self.pages)
        balancers.fill()
        buckets.fill(self.pages)
        functions.fill(self.pages)
        keys.fill()
        queues.fill()
        secrets_manager.fill()
        systems_manager.fill(self.extras)
        topics.fill()
        stacks.fill()

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(CONTROLS):
            return self.control(environ, path[len(CONTROLS) :])(environ, start_response)
        call = calls.read(environ)
        if call is None or "HTTP_X_MOTO_ACCOUNT_ID" in environ:
            return self.moto(environ, start_response)  # the seeding itself: neither counted nor refused
        return (self.refusal(call) or self.fulfil(environ, call))(environ, start_response)

    def refusal(self, call: Call) -> Response | None:
        """Notes the call and decides whether moto gets to see it."""
        with self.calls_lock:
            self.calls.append(call[:4])
        if self.latency:
            time.sleep(self.latency)
        return self.faults.answer(call) or trust.refuse(call)

    def fulfil(self, environ: Environ, call: Call) -> App:
        self.pages.take_over(environ, call)
        rules = self.overlay.of(call)
        answer = self.overlay.answer(self.moto, environ, rules) if rules else self.moto
        return self.deletions.around(answer, call)

    def control(self, environ: Environ, name: str) -> Response:
        handler = self.controls().get((environ["REQUEST_METHOD"], name))
        if handler is None:
            return answer({"error": f"no control {environ['REQUEST_METHOD']} {name}"}, 404)
        body = calls.buffer_body(environ)
        try:
            return answer(handler(json.loads(body) if body else None))
        except (KeyError, TypeError, ValueError) as error:
            return answer({"error": f"{type(error).__name__}: {error}"}, 400)

    def controls(self) -> dict[tuple[str, str], Callable[[Any], Any]]:
        return {
            ("GET", "calls"): lambda _: list(self.calls),
            ("DELETE", "calls"): lambda _: self.calls.clear(),
            ("GET", "sessions"): lambda _: trust.sessions(),
            ("POST", "sessions"): lambda body: trust.end_sessions_after(body["seconds"]),
            ("GET", "faults"): lambda _: self.faults.list(),
            ("POST", "faults"): self.faults.add,
            ("DELETE", "faults"): lambda _: self.faults.clear(),
            ("GET", "deletions"): lambda _: self.deletions.list(),
            ("POST", "deletions"): self.deletions.add,
            ("POST", "overlay"): self.overlay.add,
            ("POST", "latency"): self.set_latency,
            ("POST", "page-size"): self.pages.set_cap,
            ("POST", "clock"): lambda body: clock.start(gaps.parse_date(body["start"])),
            ("DELETE", "clock"): lambda _: clock.stop(),
            ("POST", "inspector2"): lambda body: self.set(self.extras.findings, body, "findings"),
            ("POST", "inspector2/add"): self.add_findings,
            ("POST", "inspector2/members"): lambda body: self.set(self.extras.members, body, "members"),
            ("POST", "inspector2/status"): lambda body: self.set(self.extras.inspector, body, "status"),
            ("POST", "ssm/nodes"): lambda body: self.set(self.extras.managed_nodes, body, "nodes"),
            ("POST", "reserved-instances"): self.set_reserved_instances,
            ("POST", "service-last-accessed"): self.extras.services_last_accessed.update,
            ("POST", "account-ids"): self.extras.account_ids.extend,
            ("POST", "functions"): functions.change,
            ("POST", "iam"): gaps.patch_iam,
        }

    def set_latency(self, body: Json) -> None:
        self.latency = body["milliseconds"] / 1000

    def add_findings(self, body: Json) -> None:
        self.extras.findings.setdefault((body["account"], body["region"]), []).extend(body["findings"])

    def set_reserved_instances(self, body: Json) -> None:
        self.set(self.extras.reserved_instances, body, "reserved_instances")

    @staticmethod
    def set(held: dict[tuple[str, str], Any], body: Json, name: str) -> None:
        held[(body["account"], body["region"])] = body[name]


def answer(value: object, status: int = 200) -> Response:
    return Response(json.dumps(value), status=status, content_type="application/json")
