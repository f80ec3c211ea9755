"""Load balancers that are deleted between two calls of a survey: as soon as a listing has named them."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

from moto.elbv2.models import elbv2_backends

from .pages import ELBV2_API

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication as App

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication as App
    from _typeshed.wsgi import WSGIEnvironment as Environ

    from simulated_aws.calls import Call

Json = dict[str, Any]

KNOWN = {"account", "region", "load_balancer"}


class Deletions:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rules = []

    def add(self, rules: list[Json]) -> None:
        for rule in rules:
            if set(rule) != KNOWN:
                raise ValueError(f"a deletion has the fields {', '.join(sorted(KNOWN))}")
        with self.lock:
            self.rules.extend(dict(rule) for rule in rules)

    def list(self) -> list[Json]:
        """Those that have not happened yet."""
        with self.lock:
            return [dict(rule) for rule in self.rules]

    def around(self, application: App, call: Call) -> App:
        """The application, with what is to be deleted after the answer to this call."""
        if call.action != "DescribeLoadBalancers" or call.form.get("Version") != ELBV2_API or not self.due(call):
            return application

        def answering(environ: Environ, start_response: StartResponse) -> list[bytes]:
            answer = list(application(environ, start_response))
            self.delete(call, b"".join(answer))
            return answer

        return answering

    def due(self, call: Call) -> list[Json]:
        with self.lock:
            return [rule for rule in self.rules if (rule["account"], rule["region"]) == (call.account, call.region)]

    def delete(self, call: Call, answer: bytes) -> None:
        for rule in self.due(call):
            name = rule["load_balancer"]
            if f"<LoadBalancerName>{name}</LoadBalancerName>".encode() not in answer:
                continue
            backend = elbv2_backends[call.account][call.region]
            arns = [arn for arn, balancer in backend.load_balancers.items() if balancer.name == name]
            for arn in arns:
                backend.delete_load_balancer(arn)
            with self.lock:
                self.rules.remove(rule)
