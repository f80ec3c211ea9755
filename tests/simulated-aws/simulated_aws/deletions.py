"""Load balancers that are deleted between two calls of a survey: as soon as a listing has named them."""

import threading

from moto.elbv2.models import elbv2_backends

from .pages import ELBV2_API

KNOWN = {"account", "region", "load_balancer"}


class Deletions:
    def __init__(self):
        self.lock = threading.Lock()
        self.rules = []

    def add(self, rules):
        for rule in rules:
            if set(rule) != KNOWN:
                raise ValueError(f"a deletion has the fields {', '.join(sorted(KNOWN))}")
        with self.lock:
            self.rules.extend(dict(rule) for rule in rules)

    def list(self):
        """Those that have not happened yet."""
        with self.lock:
            return [dict(rule) for rule in self.rules]

    def around(self, application, call):
        """The application, with what is to be deleted after the answer to this call."""
        if call.action != "DescribeLoadBalancers" or call.form.get("Version") != ELBV2_API or not self.due(call):
            return application

        def answering(environ, start_response):
            answer = list(application(environ, start_response))
            self.delete(call, b"".join(answer))
            return answer

        return answering

    def due(self, call):
        with self.lock:
            return [rule for rule in self.rules if (rule["account"], rule["region"]) == (call.account, call.region)]

    def delete(self, call, answer):
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
