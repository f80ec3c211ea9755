"""The chart: valid objects for every set of values, every role with its keys, and no more rights than needed."""

from __future__ import annotations

import copy
import json
import re
import shutil
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

import chart
import kubernetes_validate
import names_in_code
import yaml
from value_sets import CRON, KEDA, OWN_NATS, SETS

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parents[1] / name) for name in ("deploy", "tests/chaos", "tests/dev")]

import catalog
import limits
import render

Json = dict[str, Any]

# The oldest version of Chart.yaml, and the newest that the schemas have.
VERSIONS = ("1.31", "1.37")
# Values, and parts of the error that they give. Helm 3 and 4 have other words between them.
WRONG: tuple[tuple[tuple[str, ...], tuple[str, ...]], ...] = (
    (("broker.replicsa=3",), ("broker", "dditional propert", "replicsa", "not allowed")),
    (("colectors.ec2.replicas=3",), ("dditional propert", "colectors", "not allowed")),
    (("collectors.ec2.services={ec3}",), ("services", "must be one of", "sts", "s3control")),
    (("collectors.kms.services={kms}",), ("kms", "replicas", "maxReplicas", "resources")),
    (("broker.replicas=none",), ("broker", "replicas", "string", "integer")),
    (("scheduler.kind=Job",), ("kind", "must be one of", "Deployment", "CronJob")),
    (("scheduler.cron=hourly",), ("scheduler", "cron")),
    (("nats.url=nats.example.com",), ("nats", "url", "(nats|tls|ws|wss)://")),
    (("streams.replicas=2",), ("streams", "replicas", "must be one of", "1, 3, 5")),
    (("scheduler.kind=CronJob",), ("scheduler.cron is missing",)),
    (("nats.enabled=false",), ("nats.url is missing",)),
    (("nats.url=tls://nats.example.com:4222",), ("set nats.enabled=false to use your own NATS",)),
    (("nats.replicas=1",), ("streams.replicas is 3, more than nats.replicas, which is 1",)),
    (("streams.assetsMaxGiB=15",), ("streams.assetsMaxGiB is 15, more than 80 % of the 18432 MiB",)),
    (("collectors.small=null",), ("no group has the service sts",)),
    (("collectors.ec2.services={ec2,kms}",), ("the service kms is in two groups: ec2 and small",)),
    ((*OWN_NATS[:2], *KEDA), ("keda.natsMonitoringEndpoint is missing",)),
    # Values that would do nothing.
    (
        ("broker.serviceAccount.create=false", "broker.serviceAccount.annotations.a=b"),
        ("broker.serviceAccount.annotations are for an account that the chart makes",),
    ),
    (
        ("scheduler.every=1h", "scheduler.cron=0 3 * * *"),
        ("scheduler.every is for a Deployment without scheduler.cron",),
    ),
    (("scheduler.every=1h", *CRON), ("scheduler.every is for a Deployment without scheduler.cron",)),
    (("networkPolicy.natsTo[0].podSelector.a=b",), ("for a NATS of your own",)),
    (("networkPolicy.natsPort=4223",), ("for a NATS of your own",)),
    (("keda.natsMonitoringEndpoint=h:8222",), ("for a NATS of your own",)),
    ((*OWN_NATS, "keda.namespace=scaling"), ("for the chart's NATS",)),
    ((*OWN_NATS, "networkPolicy.natsMonitoringNamespaces={m}"), ("for the chart's NATS",)),
)


def collector_groups() -> dict[str, list[str]]:
    """Services of each default group, by component."""
    return {f"collector-{name}": group["services"] for name, group in chart.groups().items()}


def roles_of(component: str) -> list[str]:
    """Keys that a component needs."""
    names = {"test": ["operator"], "nats": []}
    services = collector_groups().get(component)
    return [f"collector-{it}" for it in services] if services else names.get(component, [component])


class Valid(unittest.TestCase):
    def test_helm_finds_no_fault(self) -> None:
        done = chart.helm("lint", "--strict", str(chart.CHART))
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def test_kubernetes_accepts_every_object_of_every_set_of_values(self) -> None:
        seen = set()
        for name, settings in SETS.items():
            core = [it for it in chart.rendered(*settings) if not re.match("(keda|monitoring)", it["apiVersion"])]
            self.assertGreater(len(core), 10)
            # Most objects are the same in several sets.
            for it in core:
                if (text := json.dumps(it)) not in seen:
                    seen.add(text)
                    for version in VERSIONS:
                        with self.subTest(name, version=version, object=it["metadata"]["name"]):
                            kubernetes_validate.validate(it, version, strict=True)

    def test_the_validation_rejects_other_fields(self) -> None:
        wrong = copy.deepcopy(chart.of_kind("StatefulSet")[0])
        wrong["spec"]["replicsa"] = 1
        with self.assertRaises(kubernetes_validate.ValidationError):
            kubernetes_validate.validate(wrong, VERSIONS[-1], strict=True)

    def test_names_differ(self) -> None:
        for name, settings in SETS.items():
            names = [(it["kind"], it["metadata"]["name"]) for it in chart.rendered(*settings)]
            self.assertEqual(len(names), len(set(names)), name)

    def test_wrong_values_give_a_clear_error(self) -> None:
        for settings, words in WRONG:
            with self.subTest(settings):
                done = chart.template(*settings)
                self.assertNotEqual(done.returncode, 0)
                self.assertEqual([word for word in words if word not in done.stderr], [], done.stderr)

    def test_values_of_an_earlier_chart_give_a_clear_error(self) -> None:
        # As with --reuse-values, which leaves out the defaults of a new chart: not an error about a nil pointer.
        defaults = yaml.safe_load((chart.CHART / "values.yaml").read_text(encoding="utf-8"))
        for key, inner in (("networkPolicy", "dnsPorts"), ("scheduler", "job"), ("podSecurityContext", "")):
            setting = f"{key}.{inner}=null" if inner else f"{key}=null"
            done = chart.template(setting)
            self.assertIn("missing propert", done.stderr)
            self.assertIn(inner or key, done.stderr)
        schema = json.loads((chart.CHART / "values.schema.json").read_text(encoding="utf-8"))
        objects = [(schema, defaults), *((schema["properties"][key], it) for key, it in defaults.items())]
        for described, values in objects:
            for key, value in values.items() if "properties" in described else ():
                if isinstance(value, (bool, int, dict)) and value != {} and key != "podAnnotations":
                    self.assertIn(key, described["required"])

    def test_every_value_is_used(self) -> None:
        values = yaml.safe_load((chart.CHART / "values.yaml").read_text(encoding="utf-8"))
        files = (chart.CHART / "templates").rglob("*.*")
        templates = "".join(path.read_text(encoding="utf-8") for path in files)
        for key, value in values.items():
            self.assertRegex(templates, rf"[vV]alues\.{key}\b", key)
            if key in ("podSecurityContext", "securityContext"):
                continue
            # Roles share the template of their pods, where their names are in no path.
            for inner in value if isinstance(value, dict) and key != "collectors" else ():
                self.assertRegex(templates, rf"\.{inner}\b", f"{key}.{inner}")

    def test_the_version_is_that_of_the_program(self) -> None:
        manifest = (chart.ROOT / "Cargo.toml").read_text(encoding="utf-8")
        (version,) = re.findall(r'^\[workspace\.package\]\nversion = "(.+)"$', manifest, re.MULTILINE)
        described = yaml.safe_load((chart.CHART / "Chart.yaml").read_text(encoding="utf-8"))
        self.assertEqual(described["appVersion"], version)
        self.assertNotIn("dependencies", described)
        self.assertTrue(all(pod.container["image"] == f"groma:{version}" for pod in groma_pods()))

    def test_the_longest_name_has_names_that_kubernetes_accepts(self) -> None:
        group = "a-group-as-long-as-ok"[:20]
        values = {
            "collectors": {group: {**chart.groups()["ec2"], "services": ["ec2"]}, "ec2": None},
            "keda": {"enabled": True},
        }
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            json.dump(values, file)
            file.flush()
            name = f"fullnameOverride={'r' * 31}"
            done = chart.helm("template", "x" * 53, str(chart.CHART), "--values", file.name, "--set", name)
            cut = chart.helm("template", "x" * 53, str(chart.CHART))
        names = [it["metadata"]["name"] for it in chart.loaded(done.stdout)]
        self.assertIn(f"{'r' * 31}-collector-{group}", names, done.stderr)
        self.assertLessEqual(max(map(len, names)), 63)
        # Two releases could have the same first characters.
        self.assertIn("set fullnameOverride", cut.stderr)


def groma_pods(*settings: str) -> list[chart.Pod]:
    """Pods that run Groma's image."""
    return [pod for name, pod in chart.pods(*settings).items() if name != "nats"]


class Roles(unittest.TestCase):
    def test_groups_collect_every_service_of_the_catalog_once(self) -> None:
        collected = sorted(service for services in collector_groups().values() for service in services)
        self.assertEqual(collected, sorted(catalog.names()))

    def test_lists_of_services_are_those_of_the_catalog(self) -> None:
        for file, text in render.texts().items():
            self.assertEqual(file.read_text(encoding="utf-8"), text, f"run deploy/render.py: {file}")

    def test_every_role_is_deployed(self) -> None:
        expected = {"broker", "graph-writer", "scheduler", "nats", "test", *collector_groups()}
        self.assertEqual(set(chart.pods()), expected)
        deployed = {role for pod in groma_pods() for role in roles_of(pod.component)}
        self.assertEqual(deployed, set(names_in_code.roles()))

    def test_a_pod_has_the_keys_of_its_roles_in_one_folder_and_no_other(self) -> None:
        for pod in groma_pods():
            expected = [("groma-nats-" + role, f"{role}.nk", f"{role}.nk") for role in roles_of(pod.component)]
            expected.insert(1, (expected[0][0], "ca.pem", "ca.pem"))
            self.assertEqual(mounted(pod, pod.variables["NATS_NKEY"]), expected, pod.component)
            self.assertEqual(pod.variables["NATS_CA"], pod.variables["NATS_NKEY"] + "/ca.pem", pod.component)

    def test_every_secret_and_key_is_one_that_the_instructions_make(self) -> None:
        from_init = {f"groma-nats-{role}": {f"{role}.nk", "ca.pem"} for role in names_in_code.roles()}
        for settings in ((), SETS["TLS of Neo4j"], CRON):
            for pod in groma_pods(*settings):
                for secret, key, _ in every_key(pod):
                    known = from_init.get(
                        secret, {"uri", "user", "password", "ca.pem"} if secret == "groma-neo4j" else ()
                    )
                    self.assertIn(key, known, f"{pod.component}: {secret}")

    def test_arguments_and_variables_are_ones_of_the_program(self) -> None:
        for name, settings in SETS.items():
            for pod in groma_pods(*settings):
                variables = [it["name"] for it in pod.container["env"]]
                unknown = names_in_code.unknown_words(pod.container["args"], variables)
                self.assertEqual(unknown, [], f"{name}: {pod.component}")
        self.assertEqual(names_in_code.unknown_words(["broker", "--acounts"], ["GROMA_X"]), ["--acounts", "GROMA_X"])

    def test_collectors_get_their_services_and_the_scheduler_leaves_out_the_others(self) -> None:
        for component, services in collector_groups().items():
            self.assertEqual(chart.pods()[component].container["args"], ["collector", *services])
        few = chart.pods(*SETS["few services"])
        self.assertEqual(few["scheduler"].container["args"][-2:], ["--except-services", "iam,inspector2"])
        self.assertNotIn("--except-services", chart.pods()["scheduler"].container["args"])

    def test_every_role_is_probed_on_the_port_that_it_serves(self) -> None:
        for address, settings in (("0.0.0.0", ()), ("[::]", SETS["IPv6 only"]), ("0.0.0.0", CRON)):
            for pod in groma_pods(*settings):
                if pod.component == "test":
                    continue
                self.assertEqual(pod.variables["GROMA_MONITOR"], f"{address}:{chart.MONITOR}", pod.component)
                self.assertEqual(pod.container["ports"], [{"name": "monitor", "containerPort": chart.MONITOR}])
                for probe, path in (("livenessProbe", "/healthz"), ("readinessProbe", "/readyz")):
                    self.assertEqual(pod.container[probe]["httpGet"], {"path": path, "port": "monitor"}, pod.component)

    def test_the_scheduler_is_resident_or_begins_a_survey_at_each_time(self) -> None:
        timetables = (
            ("scheduler.every=30m", ["--every", "30m"]),
            ("scheduler.cron=0 3 * * *", ["--cron", "0 3 * * *"]),
        )
        for setting, flags in timetables:
            resident = chart.pods(setting)["scheduler"]
            self.assertEqual((resident.kind, resident.container["args"]), ("Deployment", ["scheduler", *flags]))
        once = chart.pods(*CRON)["scheduler"]
        self.assertEqual((once.kind, once.container["args"]), ("CronJob", ["scheduler"]))
        (job,) = chart.of_kind("CronJob", *CRON)
        self.assertEqual((job["spec"]["schedule"], job["spec"]["timeZone"]), ("15 */6 * * *", "Etc/UTC"))
        self.assertEqual(job["spec"]["concurrencyPolicy"], "Forbid")

    def test_a_survey_of_a_cron_job_ends_and_is_repeated(self) -> None:
        for settings, expected in (
            ((), (43200, 6, 3600)),
            (
                (
                    "scheduler.job.activeDeadlineSeconds=600",
                    "scheduler.job.backoffLimit=0",
                    "scheduler.job.startingDeadlineSeconds=60",
                ),
                (600, 0, 60),
            ),
        ):
            (it,) = chart.of_kind("CronJob", *CRON, *settings)
            job = it["spec"]["jobTemplate"]["spec"]
            found = (job["activeDeadlineSeconds"], job["backoffLimit"], it["spec"]["startingDeadlineSeconds"])
            self.assertEqual(found, expected)

    def test_autoscalers_do_not_move_the_scheduler(self) -> None:
        stay = {"karpenter.sh/do-not-disrupt": "true", "cluster-autoscaler.kubernetes.io/safe-to-evict": "false"}
        for settings in ((), CRON):
            pods = chart.pods(*settings, "podAnnotations.a=b", "broker.podAnnotations.a=c")
            self.assertEqual(pods["scheduler"].metadata["annotations"], {**stay, "a": "b"})
            self.assertEqual(pods["broker"].metadata["annotations"], {"a": "c"})
            self.assertEqual(pods["graph-writer"].metadata["annotations"], {"a": "b"})

    def test_variables_of_all_roles_yield_to_those_of_one(self) -> None:
        own = ("graphWriter.env[0].name=HTTPS_PROXY", "graphWriter.env[0].value=y")
        pods = chart.pods("env[0].name=HTTPS_PROXY", "env[0].value=x", "env[1].name=B", "env[1].value=z", *own)
        for component, pod in pods.items():
            names = [it["name"] for it in pod.container["env"]]
            self.assertEqual(len(names), len(set(names)), component)
            if component != "nats":
                expected = "y" if component == "graph-writer" else "x"
                self.assertEqual((pod.variables["HTTPS_PROXY"], pod.variables["B"]), (expected, "z"), component)

    def test_a_role_may_have_more_time_to_end(self) -> None:
        pods = chart.pods("collectors.ec2.terminationGracePeriodSeconds=300")
        periods = {name: pod.spec["terminationGracePeriodSeconds"] for name, pod in pods.items()}
        self.assertEqual(periods, {**dict.fromkeys(pods, 60), "collector-ec2": 300})

    def test_the_cluster_may_choose_users(self) -> None:
        users = [f"podSecurityContext.{name}=null" for name in ("runAsUser", "runAsGroup", "fsGroup")]
        for pod in chart.pods(*users, "securityContext.readOnlyRootFilesystem=false").values():
            context = {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}}
            self.assertEqual(pod.spec["securityContext"], context, pod.component)
            self.assertFalse(pod.container["securityContext"]["readOnlyRootFilesystem"])

    def test_only_one_scheduler_runs(self) -> None:
        (spec,) = [it["spec"] for it in chart.of_kind("Deployment") if it["metadata"]["name"] == "groma-scheduler"]
        self.assertEqual((spec["replicas"], spec["strategy"]), (1, {"type": "Recreate"}))

    def test_the_pod_of_the_test_stays_for_its_logs(self) -> None:
        (it,) = chart.of_kind("Pod")
        self.assertEqual(it["metadata"]["annotations"]["helm.sh/hook-delete-policy"], "before-hook-creation")

    def test_memory_limits_are_those_that_other_tests_keep(self) -> None:
        expected = {"nats": chart.pods()["nats"].container["resources"]["limits"]["memory"]}
        for pod in groma_pods():
            expected.update(dict.fromkeys(roles_of(pod.component), pod.container["resources"]["limits"]["memory"]))
        del expected["operator"]
        units = {"Mi": 1 << 20, "Gi": 1 << 30}
        in_bytes = {name: int(text[:-2]) * units[text[-2:]] for name, text in expected.items()}
        self.assertEqual(limits.of_the_chart(), in_bytes)


def mounted(pod: chart.Pod, folder: str) -> list[tuple[str, str, str]]:
    """Secret, key and file of everything in a folder of a pod."""
    (name,) = (it["name"] for it in pod.container["volumeMounts"] if it["mountPath"] == folder)
    (volume,) = (it for it in pod.spec["volumes"] if it["name"] == name)
    secrets = [source["secret"] for source in volume["projected"]["sources"]]
    return [(secret["name"], item["key"], item["path"]) for secret in secrets for item in secret["items"]]


def every_key(pod: chart.Pod) -> list[tuple[str, str, str]]:
    """Secret and key of all files and variables."""
    found = mounted(pod, "/etc/groma")
    for variable in pod.container["env"]:
        if reference := variable.get("valueFrom", {}).get("secretKeyRef"):
            found.append((reference["name"], reference["key"], ""))
    for volume in pod.spec["volumes"]:
        secret = volume.get("secret", {})
        found += [(secret["secretName"], item["key"], item["path"]) for item in secret.get("items", [])]
    return found


class Upgrades(unittest.TestCase):
    def test_every_broker_has_ended_before_one_with_another_configuration_starts(self) -> None:
        # A new one is not ready while another one runs, so a rolling update would never end. The template does not show
        # every difference: EKS adds variables to pods.
        changes = ("image.tag=0.2.0", "broker.args={--accounts,profiles}", "broker.serviceAccount.annotations.a=b")
        for change in ((), *((it,) for it in changes)):
            after = workload("broker", *change)
            self.assertEqual(after["metadata"]["name"], "groma-broker")
            self.assertEqual(after["spec"]["selector"], workload("broker")["spec"]["selector"])
            self.assertEqual(after["spec"]["strategy"], {"type": "Recreate"})

    def test_graph_writers_of_two_versions_never_write_together(self) -> None:
        self.assertEqual(workload("graph-writer")["spec"]["strategy"], {"type": "Recreate"})

    def test_another_version_of_the_chart_alone_restarts_no_pod(self) -> None:
        before, after = (self.with_version(version) for version in ("0.1.0", "9.9.9"))
        self.assertEqual(set(before), set(chart.pods()))
        self.assertEqual(before, after)

    def with_version(self, version: str) -> dict[str, chart.Pod]:
        """Pods of a chart with another version, and the same version of the program."""
        with tempfile.TemporaryDirectory() as folder:
            copied = Path(shutil.copytree(chart.CHART, Path(folder, "groma")))
            described = copied / "Chart.yaml"
            text = described.read_text(encoding="utf-8")
            text = re.sub("^version: .*$", f"version: {version}", text, flags=re.MULTILINE)
            described.write_text(text, encoding="utf-8")
            done = chart.helm("template", chart.RELEASE, str(copied), "--namespace", chart.NAMESPACE)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {pod.component: pod for pod in chart.each_pod(tuple(chart.loaded(done.stdout)))}

    def test_selectors_choose_the_pods_of_their_object_alone(self) -> None:
        for settings in SETS.values():
            objects = [
                it for it in chart.rendered(*settings) if "matchLabels" in it.get("spec", {}).get("selector", {})
            ]
            budgets = [it for it in objects if it["kind"] == "PodDisruptionBudget"]
            for it in [it for it in objects if it["kind"] in ("Deployment", "StatefulSet")]:
                labels = it["spec"]["template"]["metadata"]["labels"]
                chosen = [
                    other for other in objects if other["spec"]["selector"]["matchLabels"].items() <= labels.items()
                ]
                same = [other for other in chosen if other["kind"] in ("Deployment", "StatefulSet")]
                self.assertEqual(same, [it])
                expected = 0 if labels[chart.COMPONENT] == "scheduler" else 1
                self.assertEqual(sum(other in budgets for other in chosen), expected, it["metadata"]["name"])

    def test_with_keda_no_upgrade_resets_the_number_of_pods(self) -> None:
        scaled = {it["spec"]["scaleTargetRef"]["name"] for it in chart.of_kind("ScaledObject", *KEDA)}
        for settings, expected in (((), set()), (KEDA, scaled)):
            free = {
                it["metadata"]["name"] for it in chart.of_kind("Deployment", *settings) if "replicas" not in it["spec"]
            }
            self.assertEqual(free, expected)


def workload(component: str, *settings: str) -> Json:
    """The Deployment of a component."""
    (found,) = [
        it for it in chart.of_kind("Deployment", *settings) if it["metadata"]["labels"][chart.COMPONENT] == component
    ]
    return found


class Rights(unittest.TestCase):
    def test_every_pod_is_allowed_by_the_restricted_standard(self) -> None:
        for name, settings in SETS.items():
            for pod in chart.each_pod(chart.rendered(*settings)):
                with self.subTest(name, pod=pod.component):
                    self.assertTrue(pod.spec["securityContext"]["runAsNonRoot"])
                    self.assertGreater(pod.spec["securityContext"]["runAsUser"], 0)
                    self.assertEqual(pod.spec["securityContext"]["seccompProfile"], {"type": "RuntimeDefault"})
                    self.assertFalse({"hostNetwork", "hostPID", "hostIPC"} & set(pod.spec))
                    allowed = {"name", "secret", "projected", "configMap"}
                    self.assertTrue(all(set(volume) <= allowed for volume in pod.spec["volumes"]))
                    context = pod.container["securityContext"]
                    self.assertTrue(context["readOnlyRootFilesystem"])
                    self.assertFalse(context["allowPrivilegeEscalation"])
                    self.assertEqual(context["capabilities"], {"drop": ["ALL"]})
                    self.assertIn("memory", pod.container["resources"]["limits"])

    def test_neo4j_and_nats_of_other_charts_are_allowed_by_the_restricted_standard_too(self) -> None:
        folder = chart.CHART.parent
        neo4j = yaml.safe_load((folder / "values-neo4j.yaml").read_text(encoding="utf-8"))
        nats = yaml.safe_load((folder / "values-nats.yaml").read_text(encoding="utf-8"))
        for pod, container in (
            (neo4j["securityContext"], neo4j["containerSecurityContext"]),
            (nats["podTemplate"]["merge"]["spec"]["securityContext"], nats["container"]["merge"]["securityContext"]),
        ):
            self.assertTrue(pod["runAsNonRoot"])
            self.assertEqual(pod["seccompProfile"], {"type": "RuntimeDefault"})
            self.assertIs(container["allowPrivilegeEscalation"], False)
            self.assertEqual(container["capabilities"], {"drop": ["ALL"]})

    def test_no_pod_has_a_token_of_kubernetes_and_only_the_broker_an_account(self) -> None:
        for settings in SETS.values():
            for pod in chart.each_pod(chart.rendered(*settings)):
                # AWS's token for a service account is a separate volume; this one is for Kubernetes's API.
                self.assertIs(pod.spec["automountServiceAccountToken"], False, pod.component)
                account = "groma-broker" if pod.component == "broker" else None
                self.assertEqual(pod.spec.get("serviceAccountName"), account, pod.component)
        accounts = {
            it["metadata"]["name"]: it["automountServiceAccountToken"] for it in chart.of_kind("ServiceAccount")
        }
        self.assertEqual(accounts, {"groma-broker": False})

    def test_the_role_of_a_broker_is_an_annotation(self) -> None:
        (account,) = chart.of_kind("ServiceAccount", *SETS["everything"])
        role = {"eks.amazonaws.com/role-arn": "arn:aws:iam::111111111111:role/hub"}
        self.assertEqual(account["metadata"]["annotations"], role)
        self.assertNotIn("annotations", chart.of_kind("ServiceAccount")[0]["metadata"])

    def test_the_chart_makes_no_secret(self) -> None:
        for name, settings in SETS.items():
            self.assertEqual(chart.of_kind("Secret", *settings), [], name)


if __name__ == "__main__":
    unittest.main()
