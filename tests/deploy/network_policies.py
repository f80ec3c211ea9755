"""Whom a pod may reach under NetworkPolicies: the rules that Kubernetes defines, for the forms that `deploy/kubernetes` uses."""

import dataclasses
import ipaddress


@dataclasses.dataclass(frozen=True)
class Pod:
    labels: dict
    namespace: str = "groma"


def may_connect(policies, source, target, port, protocol="TCP"):
    """Whether a pod may open a connection to a pod, or to an address outside of the cluster."""
    leaving = permitted(policies, "Egress", source, target, port, protocol)
    return leaving and (isinstance(target, str) or permitted(policies, "Ingress", target, source, port, protocol))


def permitted(policies, direction, pod, peer, port, protocol):
    """Policies add up; a pod that none selects in this direction is free."""
    chosen = [it["spec"] for it in policies if direction in it["spec"]["policyTypes"] and applies(it["spec"], pod)]
    rules = [rule for spec in chosen for rule in spec.get(direction.lower(), [])]
    peers = "to" if direction == "Egress" else "from"
    return not chosen or any(has_peer(rule.get(peers), peer) and has_port(rule.get("ports"), port, protocol) for rule in rules)


def applies(spec, pod):
    return pod.namespace == "groma" and selects(spec["podSelector"], pod.labels)


def has_port(ports, port, protocol):
    return ports is None or any(it["port"] == port and it.get("protocol", "TCP") == protocol for it in ports)


def has_peer(peers, peer):
    return peers is None or any(is_peer(it, peer) for it in peers)


def is_peer(rule, peer):
    if "ipBlock" in rule:
        return isinstance(peer, str) and is_in(rule["ipBlock"], ipaddress.ip_address(peer))
    if isinstance(peer, str):
        return False
    if "namespaceSelector" in rule:
        namespace = {"kubernetes.io/metadata.name": peer.namespace}
        return selects(rule["namespaceSelector"], namespace) and selects(rule.get("podSelector", {}), peer.labels)
    return peer.namespace == "groma" and selects(rule["podSelector"], peer.labels)


def is_in(block, address):
    def holds(cidr):
        return address in ipaddress.ip_network(cidr)

    return holds(block["cidr"]) and not any(map(holds, block.get("except", [])))


def selects(selector, labels):
    known = {"matchLabels", "matchExpressions"}
    assert set(selector) <= known, f"this evaluator does not know {set(selector) - known}"
    same = all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items())
    return same and all(holds(expression, labels) for expression in selector.get("matchExpressions", []))


def holds(expression, labels):
    assert expression["operator"] == "In", f"this evaluator does not know {expression['operator']}"
    return labels.get(expression["key"]) in expression["values"]
