"""Which peers a pod may reach under NetworkPolicies: the rules that Kubernetes defines, for the forms that the chart uses."""

from __future__ import annotations

import dataclasses
import ipaddress
from typing import Any

Json = dict[str, Any]


@dataclasses.dataclass(frozen=True)
class Pod:
    labels: dict[str, str]
    namespace: str = "groma"


def may_connect(policies: list[Json], source: Pod, target: Pod | str, port: int, protocol: str = "TCP") -> bool:
    """Whether a pod may open a connection to a pod, or to an address outside of the cluster."""
    leaving = permitted(policies, "Egress", source, target, port, protocol)
    return leaving and (isinstance(target, str) or permitted(policies, "Ingress", target, source, port, protocol))


def permitted(policies: list[Json], direction: str, pod: Pod, peer: Pod | str, port: int, protocol: str) -> bool:
    """Policies add up; a pod that none selects in this direction is free."""
    chosen = [it["spec"] for it in policies if direction in it["spec"]["policyTypes"] and applies(it["spec"], pod)]
    rules = [rule for spec in chosen for rule in spec.get(direction.lower(), [])]
    peers = "to" if direction == "Egress" else "from"
    return not chosen or any(
        has_peer(rule.get(peers), peer) and has_port(rule.get("ports"), port, protocol) for rule in rules
    )


def applies(spec: Json, pod: Pod) -> bool:
    return pod.namespace == "groma" and selects(spec["podSelector"], pod.labels)


def has_port(ports: list[Json] | None, port: int, protocol: str) -> bool:
    return ports is None or any(it["port"] == port and it.get("protocol", "TCP") == protocol for it in ports)


def has_peer(peers: list[Json] | None, peer: Pod | str) -> bool:
    return peers is None or any(is_peer(it, peer) for it in peers)


def is_peer(rule: Json, peer: Pod | str) -> bool:
    if "ipBlock" in rule:
        return isinstance(peer, str) and is_in(rule["ipBlock"], ipaddress.ip_address(peer))
    if isinstance(peer, str):
        return False
    if "namespaceSelector" in rule:
        namespace = {"kubernetes.io/metadata.name": peer.namespace}
        return selects(rule["namespaceSelector"], namespace) and selects(rule.get("podSelector", {}), peer.labels)
    return peer.namespace == "groma" and selects(rule["podSelector"], peer.labels)


def is_in(block: Json, address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> bool:
    def holds(cidr: str) -> bool:
        return address in ipaddress.ip_network(cidr)

    return holds(block["cidr"]) and not any(map(holds, block.get("except", [])))


def selects(selector: Json, labels: dict[str, str]) -> bool:
    known = {"matchLabels", "matchExpressions"}
    assert set(selector) <= known, f"this evaluator does not know {set(selector) - known}"
    same = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return same and all(holds(expression, labels) for expression in selector.get("matchExpressions", []))


def holds(expression: Json, labels: dict[str, str]) -> bool:
    assert expression["operator"] == "In", f"this evaluator does not know {expression['operator']}"
    return labels.get(expression["key"]) in expression["values"]
