"""Fields that AWS has and moto does not: written into moto's XML answers, as rules say.

    {"service": "ec2", "action": "DescribeImages", "where": {"imageId": "ami-1"}, "set": {"architecture": "arm64"}}

adds to each element that holds all of `where` (`*` for any text) the fields of `set`, in place of those there. Names are
those of the answer; a value is a text, an object for an element with fields, or a list of either for one with items.
`account` and `region` may narrow a rule further.
"""

from __future__ import annotations

import threading
import xml.etree.ElementTree as xml
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from werkzeug.wrappers import Response

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication as App
    from _typeshed.wsgi import WSGIEnvironment as Environ

    from simulated_aws.calls import Call

Json = dict[str, Any]

KNOWN = {"account", "region", "service", "action", "where", "set"}


class Overlay:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.rules = []

    def add(self, rules: list[Json]) -> None:
        for rule in rules:
            if not {"service", "action", "where", "set"} <= set(rule) <= KNOWN:
                raise ValueError(
                    f"an overlay rule has service, action, where and set, and perhaps account and region: {rule}"
                )
        with self.lock:
            self.rules.extend(rules)

    def of(self, call: Call) -> list[Json]:
        names = ("account", "region", "service", "action")
        with self.lock:
            return [rule for rule in self.rules if all(rule.get(name) in (None, getattr(call, name)) for name in names)]

    def answer(self, app: App, environ: Environ, rules: list[Json]) -> Response:
        """The application's answer with the rules applied; errors stay as they are."""
        response = Response.from_app(app, environ)
        if response.status_code == 200:
            response.data = written_into(response.data, rules)
        return response


def written_into(data: bytes, rules: list[Json]) -> bytes:
    root = xml.fromstring(data)
    namespace = root.tag[1:].partition("}")[0] if root.tag.startswith("{") else ""

    def qualify(name: str) -> str:
        return f"{{{namespace}}}{name}" if namespace else name

    list_item = qualify("item" if "ec2.amazonaws.com" in namespace else "member")
    for rule in rules:
        for element in [element for element in root.iter() if holds(element, rule["where"], qualify)]:
            for name, value in rule["set"].items():
                replace(element, qualify(name), value, qualify, list_item)
    return xml.tostring(root, encoding="utf-8", xml_declaration=True, default_namespace=namespace or None)


def holds(element: xml.Element, where: Json, qualify: Callable[[str], str]) -> bool:
    for name, value in where.items():
        child = element.find(qualify(name))
        if child is None or value not in ("*", child.text):
            return False
    return True


def replace(element: xml.Element, tag: str, value: Any, qualify: Callable[[str], str], list_item: str) -> None:
    for former in element.findall(tag):
        element.remove(former)
    fill(xml.SubElement(element, tag), value, qualify, list_item)


def fill(element: xml.Element, value: Any, qualify: Callable[[str], str], list_item: str) -> None:
    if isinstance(value, dict):
        for name, inner in value.items():
            fill(xml.SubElement(element, qualify(name)), inner, qualify, list_item)
    elif isinstance(value, list):
        for inner in value:
            fill(xml.SubElement(element, list_item), inner, qualify, list_item)
    else:
        element.text = str(value)
