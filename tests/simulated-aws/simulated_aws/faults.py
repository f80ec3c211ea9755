"""Faults on demand: which calls fail, how, after how many, and how often."""

from __future__ import annotations

import threading
import time
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

from .errors import error_response

if TYPE_CHECKING:
    from simulated_aws.calls import Call

Json = dict[str, Any]

MATCHED = ("account", "region", "service", "action")
KNOWN = {*MATCHED, "skip", "times", "delay_seconds", "status", "code", "message", "reset"}


class Faults:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rules = []

    def add(self, rules: list[Json]) -> None:
        for rule in rules:
            unknown = sorted(set(rule) - KNOWN)
            if unknown:
                raise ValueError(f"unknown fields in a fault rule: {', '.join(unknown)}")
        with self.lock:
            self.rules.extend(dict(rule) for rule in rules)

    def clear(self) -> None:
        with self.lock:
            self.rules = []

    def list(self) -> list[Json]:
        with self.lock:
            return [dict(rule) for rule in self.rules]

    def answer(self, call: Call) -> Response | None:
        """The error for this call, or None if it may go on."""
        rule = self.take(call)
        if rule is None:
            return None
        time.sleep(rule.get("delay_seconds", 0))
        if rule.get("reset"):
            # The server closes the connection without an answer.
            raise ConnectionResetError("a fault asked for by a test")
        if "code" not in rule:
            return None
        message = rule.get("message", f"{rule['code']}: a fault asked for by a test")
        return error_response(call.protocol, rule.get("status", 400), rule["code"], message)

    def take(self, call: Call) -> Json | None:
        """The first rule that matches, counted down; a used-up rule goes away."""
        with self.lock:
            for rule in self.rules:
                if any(name in rule and rule[name] != getattr(call, name) for name in MATCHED):
                    continue
                if rule.get("skip", 0) > 0:
                    rule["skip"] -= 1
                    continue
                if "times" in rule:
                    rule["times"] -= 1
                    if rule["times"] <= 0:
                        self.rules.remove(rule)
                return rule
        return None
