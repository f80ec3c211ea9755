"""Which connections the chart's NetworkPolicies allow: no cluster of a test enforces them."""

from __future__ import annotations

import unittest

import chart
import network_policies
from network_policies import Pod
from value_sets import KEDA, OWN_NATS

COLLECTORS = {f"collector-{name}" for name in chart.groups()}
EVERY = {"broker", "graph-writer", "scheduler", "nats", "test", *COLLECTORS}
# Of the machine's metadata service, of an ECS task, of EKS Pod Identity.
IDENTITIES = ("169.254.169.254", "169.254.170.2", "169.254.170.23", "fd00:ec2::254", "fd00:ec2::23")
ANYWHERE = ("203.0.113.7", "10.1.2.3", "2001:db8::1")
DNS = Pod({"k8s-app": "kube-dns"}, "kube-system")
# Components that may open a connection to a target and port; all others may not.
TABLE: list[tuple[str, int, str, set[str]]] = [
    *((address, 80, "TCP", {"broker"}) for address in IDENTITIES),
    *((address, port, "TCP", set[str]()) for address in IDENTITIES for port in (443, 4222, 7687, 8080)),
    *((address, 443, "TCP", {"broker", *COLLECTORS}) for address in ANYWHERE),
    *((address, 7687, "TCP", {"graph-writer"}) for address in ANYWHERE),
    *((address, port, "TCP", set[str]()) for address in ANYWHERE for port in (22, 53, 80, 4222, 6443)),
    *(("169.254.20.10", 53, protocol, EVERY) for protocol in ("UDP", "TCP")),
    ("169.254.20.10", 443, "TCP", set()),
]
# The same for the pods of the release.
PODS: list[tuple[str, int, set[str]]] = [
    ("nats", 4222, EVERY),
    ("nats", 6222, {"nats"}),
    ("nats", 8222, set()),
    *((name, port, set[str]()) for name in EVERY - {"nats"} for port in (80, 443, 4222, 7687, chart.MONITOR)),
]


class Network(unittest.TestCase):
    def setUp(self) -> None:
        self.use()

    def use(self, *settings: str) -> None:
        self.policies = chart.of_kind("NetworkPolicy", *settings)
        self.pods = {name: Pod(pod.metadata["labels"]) for name, pod in chart.pods(*settings).items()}

    def who_reaches(self, target: Pod | str, port: int, protocol: str = "TCP") -> set[str]:
        may = network_policies.may_connect
        return {name for name, pod in self.pods.items() if may(self.policies, pod, target, port, protocol)}

    def reached(self, source: Pod, port: int) -> set[str]:
        """Components to which a pod may open a connection."""
        may = network_policies.may_connect
        return {name for name, pod in self.pods.items() if may(self.policies, source, pod, port)}

    def test_addresses_are_reached_as_in_the_table(self) -> None:
        for address, port, protocol, expected in TABLE:
            with self.subTest(f"{address}:{port}/{protocol}"):
                self.assertEqual(self.who_reaches(address, port, protocol), expected)

    def test_pods_are_reached_as_in_the_table(self) -> None:
        for name, port, expected in PODS:
            with self.subTest(f"{name}:{port}"):
                self.assertEqual(self.who_reaches(self.pods[name], port), expected)

    def test_every_pod_finds_names(self) -> None:
        for protocol in ("UDP", "TCP"):
            self.assertEqual(self.who_reaches(DNS, 53, protocol), EVERY)
        self.assertEqual(self.who_reaches(DNS, 443), set())

    def test_prometheus_reads_metrics_and_keda_reads_the_lag_of_consumers(self) -> None:
        rows = (
            ("monitoring", chart.MONITOR, (), EVERY),
            ("monitoring", 8222, KEDA, set()),
            ("keda", 8222, KEDA, {"nats"}),
            ("keda", 8222, (), set()),
            ("keda", chart.MONITOR, KEDA, set()),
            ("elsewhere", 8222, KEDA, set()),
            ("elsewhere", chart.MONITOR, KEDA, set()),
        )
        for namespace, port, settings, expected in rows:
            with self.subTest(f"{namespace}:{port}", settings=settings):
                self.use(*settings)
                self.assertEqual(self.reached(Pod({"app": "x"}, namespace), port), expected)

    def test_no_other_pod_reaches_groma(self) -> None:
        labels = self.pods["broker"].labels
        others = (
            Pod(labels, "elsewhere"),
            Pod({**labels, "app.kubernetes.io/instance": "another-release"}),
            Pod({"app": "x"}),
        )
        for stranger in others:
            for port in (80, 443, 4222, 6222, 8222, chart.MONITOR):
                self.assertEqual(self.reached(stranger, port), set(), f"{stranger} to port {port}")

    def test_namespaces_and_servers_are_values(self) -> None:
        self.use("networkPolicy.prometheusNamespaces={observability}")
        self.assertEqual(self.reached(Pod({}, "monitoring"), chart.MONITOR), set())
        self.assertEqual(self.reached(Pod({}, "observability"), chart.MONITOR), EVERY)
        self.use(
            "networkPolicy.neo4jPort=7688",
            "networkPolicy.neo4jTo[0].podSelector.matchLabels.app=graph",
            "networkPolicy.awsPorts={443,3128}",
            "networkPolicy.natsMonitoringNamespaces={exporters}",
        )
        self.assertEqual(self.who_reaches(Pod({"app": "graph"}), 7688), {"graph-writer"})
        self.assertEqual(self.who_reaches("203.0.113.7", 7688), set())
        self.assertEqual(self.who_reaches("203.0.113.7", 3128), {"broker", *COLLECTORS})
        self.assertEqual(self.reached(Pod({}, "exporters"), 8222), {"nats"})
        self.assertEqual(self.reached(Pod({}, "exporters"), 4222), set())

    def test_the_dns_of_other_networks_is_reached(self) -> None:
        openshift = "networkPolicy.dnsTo[0].namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=openshift-dns"
        self.use(openshift, "networkPolicy.dnsPorts={5353}")
        self.assertEqual(self.who_reaches(Pod({}, "openshift-dns"), 5353, "UDP"), EVERY)
        self.assertEqual(self.who_reaches(DNS, 53, "UDP"), set())
        # On the node, under an address that only the node knows.
        self.use("networkPolicy.dnsTo=null")
        for peer in (DNS, "172.20.0.10", "169.254.20.10"):
            self.assertEqual(self.who_reaches(peer, 53, "UDP"), EVERY, peer)
            self.assertEqual(self.who_reaches(peer, 80), set(), peer)

    def test_endpoints_and_the_identity_may_be_narrower(self) -> None:
        self.use("networkPolicy.awsTo[0].ipBlock.cidr=10.1.0.0/16")
        self.assertEqual(self.who_reaches("10.1.2.3", 443), {"broker", *COLLECTORS})
        self.assertEqual(self.who_reaches("203.0.113.7", 443), set())
        self.use("networkPolicy.brokerTo[0].ipBlock.cidr=10.2.0.0/16")
        self.assertEqual(self.who_reaches("10.2.0.1", 443), {"broker", *COLLECTORS})
        self.assertEqual(self.who_reaches("203.0.113.7", 443), COLLECTORS)
        self.use("networkPolicy.identityTo[0].ipBlock.cidr=169.254.170.23/32")
        self.assertEqual([self.who_reaches(it, 80) for it in IDENTITIES[1:3]], [set(), {"broker"}])
        self.use("networkPolicy.identityTo=null")
        self.assertEqual([self.who_reaches(it, 80) for it in IDENTITIES], [set()] * len(IDENTITIES))

    def test_a_nats_of_your_own_is_reached_at_its_address(self) -> None:
        self.use(*OWN_NATS)
        roles = EVERY - {"nats"}
        self.assertEqual(self.who_reaches("203.0.113.7", 4222), roles)
        self.assertEqual(self.who_reaches("169.254.169.254", 4222), set())
        self.use(
            *OWN_NATS, "networkPolicy.natsTo[0].namespaceSelector.matchLabels.kubernetes\\.io/metadata\\.name=nats"
        )
        self.assertEqual(self.who_reaches(Pod({}, "nats"), 4222), roles)
        self.assertEqual(self.who_reaches("203.0.113.7", 4222), set())


if __name__ == "__main__":
    unittest.main()
