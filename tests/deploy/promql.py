"""Mistakes in expressions of PromQL, by the metrics that docs/metrics.md describes."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser

PAGE = Path(__file__).resolve().parents[2] / "docs" / "metrics.md"
# Labels that Prometheus adds to each series, by the scrape configuration of the page.
TARGET = {"job", "role", "instance", "namespace"}
# Functions that respect the resets of a counter.
OF_COUNTERS = {"rate", "irate", "increase"}
# Of kube-state-metrics, docs/metrics/workload/cronjob-metrics.md there.
OF_CRON_JOBS = ("kube_cronjob_info", "kube_cronjob_created", "kube_cronjob_status_last_successful_time")
PARTS_OF_HISTOGRAMS = ("_bucket", "_sum", "_count")


@dataclasses.dataclass(frozen=True)
class Metric:
    name: str
    kind: str
    labels: frozenset[str]
    # Contains each outcome that the program records, or says which words they are.
    meaning: str
    # Whether every replica reports the same value, so that a sum would count it several times.
    shared: bool = False


@dataclasses.dataclass(frozen=True)
class Use:
    """A selector in an expression, with everything around it, from the outermost to the innermost."""

    name: str
    matchers: tuple[tuple[str, str], ...]
    calls: tuple[str, ...] = ()
    aggregations: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    grouped_by: frozenset[str] = frozenset()
    seconds: float | None = None


def documented() -> dict[str, Metric]:
    """The metrics of the page, with the series of histograms, and Prometheus's own `up`."""
    found, section = {"up": Metric("up", "gauge", frozenset(TARGET), "")}, ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            section = line
        row = re.fullmatch(r"\| `(groma_\w+)` \| (\w+) \| (.+?) \| (.+) \|", line)
        if not row:
            continue
        name, kind, labels, meaning = row.groups()
        own = frozenset() if labels == "–" else frozenset(labels.split(", "))
        if kind == "histogram":
            for suffix in PARTS_OF_HISTOGRAMS:
                le = {"le"} if suffix == "_bucket" else set()
                found[name + suffix] = Metric(name + suffix, "counter", own | le | TARGET, meaning)
        else:
            shared = kind == "gauge" and "(scheduler)" in section
            found[name] = Metric(name, kind, own | TARGET, meaning, shared)
    return found


def of_cron_jobs() -> dict[str, Metric]:
    """Metrics of kube-state-metrics that the rules read."""
    return {name: Metric(name, "gauge", frozenset({"namespace", "cronjob"}), "") for name in OF_CRON_JOBS}


def uses(expression: str) -> list[Use]:
    """Every selector of an expression. Raises ValueError if it cannot be parsed."""
    return list(selectors(promql_parser.parse(expression), Use("", ())))


def selectors(node: Any, around: Use) -> Iterator[Use]:
    kind = type(node).__name__
    if kind == "VectorSelector":
        matchers = tuple((it.name, it.value) for it in node.matchers.matchers)
        yield dataclasses.replace(around, name=node.name, matchers=matchers)
    elif kind == "MatrixSelector":
        yield from selectors(node.vector_selector, dataclasses.replace(around, seconds=node.range.total_seconds()))
    elif kind == "Call":
        inside = dataclasses.replace(around, calls=(*around.calls, node.func.name))
        for argument in node.args:
            yield from selectors(argument, inside)
    elif kind == "AggregateExpr":
        labels = node.modifier.labels if node.modifier else []
        inside = dataclasses.replace(
            around, aggregations=(*around.aggregations, str(node.op)), grouped_by=around.grouped_by | set(labels)
        )
        yield from selectors(node.expr, inside)
    elif kind == "BinaryExpr":
        inside = dataclasses.replace(around, operators=(*around.operators, str(node.op)))
        yield from selectors(node.lhs, inside)
        yield from selectors(node.rhs, inside)
    elif kind in ("ParenExpr", "UnaryExpr", "SubqueryExpr"):
        yield from selectors(node.expr, around)
    else:
        assert kind in ("NumberLiteral", "StringLiteral"), f"this evaluator does not know {kind}"


def problems(expression: str, metrics: dict[str, Metric]) -> list[str]:
    """Sentences about names, labels, outcomes, and functions that do not fit the type of a metric."""
    found = []
    for use in uses(expression):
        metric = metrics.get(use.name)
        found += [f"{use.name} is not a metric"] if metric is None else of_use(use, metric)
    return found


def of_use(use: Use, metric: Metric) -> Iterator[str]:
    for label in sorted({name for name, _ in use.matchers} | set(use.grouped_by)):
        if label not in metric.labels:
            yield f"{use.name} has no label {label}"
    for label, value in use.matchers:
        if label == "outcome" and not re.search(rf"\b{value}\b", metric.meaning):
            yield f"{use.name} has no outcome {value}"
    innermost = use.calls[-1] if use.calls else ""
    if metric.kind == "counter" and innermost not in OF_COUNTERS and "unless" not in use.operators:
        yield f"{use.name} is a counter, and its value begins again with each process"
    if metric.kind == "gauge" and innermost in OF_COUNTERS:
        yield f"{use.name} is a gauge, so {innermost} takes each fall for a restart"
    if "histogram_quantile" in use.calls and not (use.name.endswith("_bucket") and "le" in use.grouped_by):
        yield f"{use.name} is not a histogram's buckets by le"
    if metric.shared and (not use.aggregations or use.aggregations[-1] not in ("max", "min")):
        yield f"{use.name} is reported by every scheduler, so it needs max or min"
