"""Tests of deploy/monitoring: rules and dashboard name metrics that exist, and each alert has an explanation and cases."""

from __future__ import annotations

import importlib.util
import json
import re
import subprocess
import sys
import tempfile
import unittest
from collections import defaultdict
from pathlib import Path
from types import ModuleType
from typing import Any

import chart
import promql
import yaml

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "dev"))

import promtool
from provision import Missing

Json = dict[str, Any]

ROOT = HERE.parents[1]
MONITORING = ROOT / "deploy" / "monitoring"
RULES = MONITORING / "rules.yaml"
CASES = [HERE / "rules_test.yaml", HERE / "rules_of_days_test.yaml"]
PAGE = ROOT / "docs" / "alerts.md"
METRICS = ROOT / "docs" / "metrics.md"


def rules(kind: str) -> list[Json]:
    """Rules that have this key: `alert` or `record`."""
    groups = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"] if kind in rule]


def alerts() -> dict[str, Json]:
    return {rule["alert"]: rule for rule in rules("alert")}


def recorded() -> dict[str, promql.Metric]:
    names = (rule["record"] for rule in rules("record"))
    return {name: promql.Metric(name, "gauge", frozenset(), "") for name in names}


def read_by(expression: str) -> set[str]:
    """Names of the metrics behind an expression, through recorded series."""
    sources = {rule["record"]: rule["expr"] for rule in rules("record")}
    names = {use.name for use in promql.uses(expression)}
    return names.union(*(read_by(sources[name]) for name in names & set(sources)))


def cases() -> list[Json]:
    return [case for file in CASES for case in yaml.safe_load(file.read_text(encoding="utf-8"))["tests"]]


def dashboard() -> Json:
    return json.loads((MONITORING / "dashboard.json").read_text(encoding="utf-8"))


def targets() -> list[Json]:
    return [target for panel in dashboard()["panels"] for target in panel.get("targets", [])]


def without_variables(expression: str) -> str:
    """An expression of the dashboard with a value for each variable of Grafana."""
    return expression.replace("$__rate_interval", "5m").replace("$service", ".*").replace("$namespace", ".*")


# What Prometheus finds out about a broker's pod.
POD = {
    "__meta_kubernetes_namespace": "groma",
    "__meta_kubernetes_pod_container_port_name": "monitor",
    "__meta_kubernetes_pod_label_app_kubernetes_io_component": "broker",
}


def relabeled(labels: dict[str, str], rules: list[Json]) -> dict[str, str] | None:
    """Labels of a target after the actions `keep`, `drop` and `replace`; nothing if it is dropped."""
    for rule in rules:
        value = ";".join(labels.get(name, "") for name in rule.get("source_labels", []))
        matches = re.fullmatch(rule.get("regex", "(?s:.*)"), value) is not None
        action = rule.get("action", "replace")
        if action in ("keep", "drop"):
            if matches != (action == "keep"):
                return None
        else:
            assert action == "replace" and matches, rule
            labels = {**labels, rule["target_label"]: rule.get("replacement", value)}
    return {name: value for name, value in labels.items() if not name.startswith("__")}


def snake(name: str) -> str:
    return re.sub("[A-Z]", lambda found: "_" + found.group().lower(), name)


def in_seconds(duration: str) -> int:
    units = {"s": 1, "m": 60, "h": 3600, "d": 86400}
    return sum(int(number) * units[unit] for number, unit in re.findall(r"(\d+)([smhd])", duration))


class Expressions(unittest.TestCase):
    def test_mistakes_are_found(self) -> None:
        metrics = promql.documented()
        for expression, mistake in (
            ("sum(rate(groma_aws_call_total[5m]))", "groma_aws_call_total is not a metric"),
            ("sum(groma_rows_parked_total)", "is a counter"),
            ("max_over_time(groma_rows_parked_total[5m])", "is a counter"),
            ("increase(groma_work_held[5m])", "is a gauge"),
            ("sum by (region) (rate(groma_aws_calls_total[5m]))", "has no label region"),
            ('rate(groma_leases_total{api="x"}[5m])', "has no label api"),
            ('rate(groma_leases_total{outcome="given"}[5m])', "has no outcome given"),
            ("histogram_quantile(0.9, sum(rate(groma_sync_seconds_bucket[5m])))", "buckets by le"),
            ("histogram_quantile(0.9, sum by (outcome) (rate(groma_sync_seconds_sum[5m])))", "buckets by le"),
            ("sum(groma_events_waiting)", "needs max or min"),
            ("sum(max by (service) (groma_work_waiting)) > 0 or groma_parked_messages", "needs max or min"),
        ):
            with self.subTest(expression):
                self.assertIn(mistake, "\n".join(promql.problems(expression, metrics)))
        for expression in ("sum(rate(", "sum by groma_work_held"):
            with self.assertRaises(ValueError):
                promql.uses(expression)

    def test_rules_fit_the_metrics(self) -> None:
        metrics = promql.documented() | recorded() | promql.of_cron_jobs()
        for rule in [*rules("alert"), *rules("record")]:
            self.assertEqual(promql.problems(rule["expr"], metrics), [], rule["expr"])

    def test_the_dashboard_fits_the_metrics(self) -> None:
        # Without the rules' series: the dashboard is of use without the rules.
        for target in targets():
            self.assertEqual(
                promql.problems(without_variables(target["expr"]), promql.documented()), [], target["expr"]
            )

    def test_examples_of_the_page_fit_the_metrics(self) -> None:
        page = METRICS.read_text(encoding="utf-8").partition("## Questions")[2]
        examples = re.findall(r"\| `([^`]+)`", page)
        self.assertGreater(len(examples), 5)
        for example in examples:
            named = [it for it in promql.problems(example, promql.documented()) if "needs max" not in it]
            self.assertEqual(named, [], example)


class Dashboard(unittest.TestCase):
    def test_it_is_what_render_writes(self) -> None:
        present = (MONITORING / "dashboard.json").read_text(encoding="utf-8")
        self.assertEqual(present, render().text(), "run deploy/monitoring/render.py")

    def test_it_shows_every_metric(self) -> None:
        shown = {use.name for target in targets() for use in promql.uses(without_variables(target["expr"]))}
        shown = {re.sub("(_bucket|_sum|_count)$", "", name) for name in shown}
        known = {re.sub("(_bucket|_sum|_count)$", "", name) for name in promql.documented()}
        self.assertEqual(known - shown, set())

    def test_rows_are_in_the_order_of_the_flow(self) -> None:
        rows = [panel["title"] for panel in dashboard()["panels"] if panel["type"] == "row"]
        self.assertEqual(
            rows,
            [
                "Is the graph current?",
                "Surveys and work queue",
                "AWS: calls, waits, throttles",
                "Leases",
                "Bus and graph-writer",
                "Errors",
            ],
        )

    def test_every_query_goes_to_the_chosen_prometheus(self) -> None:
        variables = {it["name"]: it for it in dashboard()["templating"]["list"]}
        self.assertEqual(
            (variables["datasource"]["type"], variables["datasource"]["query"]), ("datasource", "prometheus")
        )
        chosen = {"type": "prometheus", "uid": "${datasource}"}
        panels = [panel for panel in dashboard()["panels"] if panel["type"] != "row"]
        for user in [*panels, *targets(), variables["service"]]:
            self.assertEqual(user["datasource"], chosen, user)
        used = {name for target in targets() for name in re.findall(r"\$(\w+)", target["expr"])}
        self.assertEqual(used - {"__rate_interval"}, set(variables) - {"datasource"})

    def test_every_series_is_of_the_chosen_installations(self) -> None:
        for target in targets():
            for use in promql.uses(target["expr"].replace("$__rate_interval", "5m")):
                self.assertIn(("namespace", "$namespace"), use.matchers, target["expr"])

    def test_legends_name_labels_of_their_series(self) -> None:
        for target in targets():
            kept = set().union(*(use.grouped_by for use in promql.uses(without_variables(target["expr"]))))
            named = set(re.findall(r"{{(\w+)}}", target["legendFormat"]))
            self.assertEqual(named, kept - {"le"} if named else named, target["expr"])

    def test_no_panel_covers_another(self) -> None:
        taken: dict[tuple[int, int], str] = {}
        ids = [panel["id"] for panel in dashboard()["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in dashboard()["panels"]:
            place = panel["gridPos"]
            self.assertLessEqual(place["x"] + place["w"], 24, panel["title"])
            for x in range(place["x"], place["x"] + place["w"]):
                for y in range(place["y"], place["y"] + place["h"]):
                    self.assertIsNone(taken.get((x, y)), panel["title"])
                    taken[x, y] = panel["title"]


def render() -> ModuleType:
    """The program that writes the dashboard. `deploy` has another one of this name."""
    spec = importlib.util.spec_from_file_location("render_dashboard", MONITORING / "render.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


class Alerts(unittest.TestCase):
    def test_every_alert_has_a_severity_and_a_section_of_the_page(self) -> None:
        for name, rule in alerts().items():
            self.assertIn(rule["labels"]["severity"], ("critical", "warning"), name)
            self.assertTrue(rule["annotations"]["summary"].endswith("."), name)
            self.assertEqual(rule["annotations"]["runbook"], f"docs/alerts.md#{name.lower()}")
        sections = re.findall(r"^## (Groma\w+)$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
        self.assertEqual(sections, list(alerts()))

    def test_the_page_names_only_alerts_and_metrics_that_exist(self) -> None:
        page = PAGE.read_text(encoding="utf-8")
        self.assertEqual(set(re.findall(r"`(Groma[A-Z]\w+)`", page)) - set(alerts()), set())
        known = {re.sub("(_bucket|_sum|_count)$", "", name) for name in promql.documented()}
        self.assertEqual(set(re.findall(r"`(groma_\w+)`", page)) - known, set())

    def test_a_burst_outlasts_the_wait_of_its_alert(self) -> None:
        for name, rule in alerts().items():
            for use in promql.uses(rule["expr"]):
                if use.seconds is not None:
                    self.assertGreaterEqual(use.seconds, in_seconds(rule.get("for", "0s")), f"{name}: {use.name}")

    def test_labels_of_targets_are_those_of_the_scrape_configuration(self) -> None:
        ((block),) = re.findall(r"```yaml\n(scrape_configs:.*?)```", METRICS.read_text(encoding="utf-8"), re.DOTALL)
        (scrape,) = yaml.safe_load(block)["scrape_configs"]
        (monitor,) = chart.of_kind("PodMonitor", "podMonitor.enabled=true")
        (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
        # The names of the operator's fields differ; a target of it has this job and namespace before its own rules.
        operator = [{snake(key): value for key, value in it.items()} for it in endpoint["relabelings"]]
        for before, relabelings in (
            ({"job": scrape["job_name"]}, scrape["relabel_configs"]),
            ({"job": "groma/groma", "namespace": "groma"}, operator),
        ):
            for phase, expected in (
                ("Running", {"job": "groma", "role": "broker", "namespace": "groma"}),
                ("Succeeded", None),
                ("Failed", None),
            ):
                self.assertEqual(
                    relabeled({**POD, "__meta_kubernetes_pod_phase": phase, **before}, relabelings), expected
                )
        deployed = {pod.component for pod in chart.pods().values()}
        expressions = [rule["expr"] for rule in alerts().values()] + [target["expr"] for target in targets()]
        matchers = [it for text in expressions for use in promql.uses(without_variables(text)) for it in use.matchers]
        self.assertEqual({value for name, value in matchers if name == "job"}, {scrape["job_name"]})
        roles = {value for name, value in matchers if name == "role"}
        self.assertEqual(roles, deployed & {"broker", "graph-writer", "scheduler"})

    def test_every_alert_has_a_case_that_fires_and_one_that_does_not(self) -> None:
        fires, silent = defaultdict(int), defaultdict(int)
        for case in cases():
            series = {promql.uses(it["series"])[0].name for it in case["input_series"]}
            for expected in case["alert_rule_test"]:
                name = expected["alertname"]
                read = read_by(alerts()[name]["expr"])
                # Without a series that it reads, an alert is silent for no reason.
                counts = fires if expected["exp_alerts"] else silent
                counts[name] += bool(read & series)
        for name in alerts():
            self.assertGreater(fires[name], 0, name)
            self.assertGreater(silent[name], 0, name)

    def test_cases_have_series_that_the_program_records(self) -> None:
        metrics = promql.documented() | promql.of_cron_jobs()
        for case in cases():
            for it in case["input_series"]:
                (use,) = promql.uses(it["series"])
                names = {name for name, _ in use.matchers}
                self.assertIn(use.name, metrics, case["name"])
                self.assertLessEqual(names, metrics[use.name].labels | {"job", "role"}, case["name"])
                if use.name.startswith("groma_"):
                    self.assertLessEqual(metrics[use.name].labels - promql.TARGET, names, case["name"])


class Promtool(unittest.TestCase):
    """Prometheus's own judgement."""

    promtool: str

    @classmethod
    def setUpClass(cls) -> None:
        try:
            cls.promtool = promtool.find()
        except Missing as error:
            print(f"left out: promtool, which tries the alerts: {error}", flush=True)
            raise unittest.SkipTest(str(error)) from error

    def said(self, *arguments: str) -> str:
        result = subprocess.run([self.promtool, *arguments], capture_output=True, text=True, check=False)
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)
        return result.stdout

    def test_it_takes_the_rules(self) -> None:
        all_rules = len(rules("alert")) + len(rules("record"))
        self.assertIn(f"{all_rules} rules found", self.said("check", "rules", "--lint-fatal", str(RULES)))

    def test_it_takes_the_expressions_of_the_dashboard(self) -> None:
        found = [
            {"record": f"dashboard:expression:{number}", "expr": without_variables(target["expr"])}
            for number, target in enumerate(targets())
        ]
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder, "rules.yaml")
            file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": found}]}), encoding="utf-8")
            self.assertIn(f"{len(found)} rules found", self.said("check", "rules", str(file)))

    def test_alerts_fire_in_their_cases_only(self) -> None:
        self.said("test", "rules", *map(str, CASES))


if __name__ == "__main__":
    unittest.main()
