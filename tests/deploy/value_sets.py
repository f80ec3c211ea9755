"""Sets of values of the chart, each as for `--set`."""

from __future__ import annotations

OWN_NATS = (
    "nats.enabled=false",
    "nats.url=tls://nats.example.com:4222",
    "keda.natsMonitoringEndpoint=h.example.com:8222",
)
CRON = ("scheduler.kind=CronJob", "scheduler.cron=15 */6 * * *")
KEDA = ("keda.enabled=true",)
# Sets of values that users have, by name.
SETS: dict[str, tuple[str, ...]] = {
    "default": (),
    "own NATS": OWN_NATS,
    "own NATS with KEDA": (*OWN_NATS, *KEDA),
    "CronJob": CRON,
    "KEDA": KEDA,
    "IPv6 only": ("listenAddress=[::]",),
    "one server": ("nats.replicas=1", "streams.replicas=1"),
    "few services": ("collectors.iam=null", "collectors.inspector2=null"),
    "no policies": ("networkPolicy.enabled=false",),
    "Prometheus operator": ("podMonitor.enabled=true", "podMonitor.labels.release=prometheus"),
    "TLS of Neo4j": ("neo4j.authority=true", "neo4j.database=assets"),
    "everything": (
        "image.digest=sha256:" + "0" * 64,
        "imagePullSecrets[0].name=registry",
        "log=debug",
        "podAnnotations.a=b",
        "env[0].name=HTTPS_PROXY",
        "env[0].value=http://proxy:3128",
        "scheduler.podAnnotations.a=b",
        "collectors.ec2.terminationGracePeriodSeconds=300",
        "networkPolicy.awsTo[0].ipBlock.cidr=10.1.0.0/16",
        "networkPolicy.brokerTo[0].ipBlock.cidr=10.2.0.0/16",
        "networkPolicy.dnsTo=null",
        "networkPolicy.natsMonitoringNamespaces={exporters}",
        "podLabels.a=b",
        "nodeSelector.a=b",
        "tolerations[0].operator=Exists",
        "priorityClassName=high",
        "broker.serviceAccount.annotations.eks\\.amazonaws\\.com/role-arn=arn:aws:iam::111111111111:role/hub",
        "broker.env[0].name=HTTPS_PROXY",
        "broker.env[0].value=http://proxy:3128",
        "broker.volumes[0].name=aws",
        "broker.volumes[0].secret.secretName=aws",
        "broker.volumeMounts[0].name=aws",
        "broker.volumeMounts[0].mountPath=/aws",
        "nats.authority=false",
        "nats.storage.className=gp3",
    ),
}
