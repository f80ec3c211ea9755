#!/usr/bin/env python3
"""Writes `dashboard.json`, for Grafana 11 and newer, from the rows and panels below.

Rows follow the data: from the age of the graph to the work, the calls of AWS, the leases, and the graph-writers. Every
scheduler reports the same queues and the same graph, so these gauges are combined with max. Titles are questions or names of
values; the text under the (i) of a panel is the meaning of an unusual value.
"""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

Json = dict[str, Any]

DASHBOARD = Path(__file__).resolve().parent / "dashboard.json"
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# Of Grafana 11.0. Newer ones read it and convert it.
SCHEMA = 39
# Columns of Grafana's grid.
WIDTH = 24


@dataclasses.dataclass(frozen=True)
class Query:
    expression: str
    legend: str = ""


@dataclasses.dataclass(frozen=True)
class Panel:
    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    meaning: str = ""
    kind: str = "timeseries"
    # For a single value: the values from which it is yellow and red.
    limits: tuple[float, float] | None = None
    width: int = 8


@dataclasses.dataclass(frozen=True)
class Row:
    title: str
    panels: tuple[Panel, ...]


def value(title: str, expression: str, unit: str, limits: tuple[float, float], meaning: str = "") -> Panel:
    return Panel(title, (Query(expression),), unit, meaning, "stat", limits, width=4)


def curve(title: str, unit: str, *queries: Query, meaning: str = "", width: int = 8) -> Panel:
    return Panel(title, queries, unit, meaning, width=width)


def quantile(share: float, metric: str, by: str = "") -> str:
    labels = f"le, {by}" if by else "le"
    where = f"{{{OF_SERVICE}}}" if by else ""
    return f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{where}[$__rate_interval])))"


def per_second(metric: str, by: str, matchers: str = "") -> str:
    return f"sum by ({by}) (rate({metric}{{{matchers}}}[$__rate_interval]))"


def ratio(part: str, whole: str) -> str:
    """Absent, not NaN, while there is nothing to divide by."""
    return f"{part} / ({whole} > 0)"


def most(expression: str) -> str:
    return f"topk(10, {expression} > 0)"


# A process does not know the syncs of an earlier one; Prometheus does. The rules remember as long. Of several
# installations, the one that is behind.
LAST_COMPLETE = "min(max by (namespace) (max_over_time(groma_last_complete_sync_timestamp_seconds[2d])))"
OF_SERVICE = 'service=~"$service"'
THROTTLED = f'{OF_SERVICE}, outcome="throttled"'
DAY = 86400

ROWS = (
    Row(
        "Is the graph current?",
        (
            value(
                "Since the last complete sync",
                f"time() - {LAST_COMPLETE}",
                "s",
                (DAY / 2, DAY),
                "No data: there was no complete sync for two days.",
            ),
            value(
                "Unseen scopes",
                "max(groma_unseen_scopes)",
                "none",
                (1, 100),
                "Scopes that the last sync could not see, without accepted gaps. The scheduler's log names them.",
            ),
            value(
                "Stale places",
                "max(groma_stale_places)",
                "none",
                (1, 100),
                "Places that the last sync of everything did not cover. groma forget --stale counts their nodes.",
            ),
            value(
                "Oldest stale place",
                "time() - min(groma_oldest_stale_place_timestamp_seconds)",
                "s",
                (DAY, 30 * DAY),
                "No data: no place is stale.",
            ),
            value(
                "Parked messages",
                "max(groma_parked_messages)",
                "none",
                (1, 100),
                "Messages and rows that could not be handled. groma parked has the reasons.",
            ),
            value(
                "Roles that are unable to work",
                'count((max by (namespace, role) (groma_ready) or max by (namespace, role) (up{job="groma"})) == 0) or vector(0)',
                "none",
                (1, 2),
                "None of their processes answers, or is ready.",
            ),
            curve(
                "Syncs, per hour",
                "none",
                Query("sum by (outcome) (increase(groma_syncs_total[1h]))", "{{outcome}}"),
                width=12,
            ),
            curve(
                "Mean duration of syncs",
                "s",
                Query(
                    ratio(
                        "sum by (outcome) (rate(groma_sync_seconds_sum[1d]))",
                        "sum by (outcome) (rate(groma_sync_seconds_count[1d]))",
                    ),
                    "{{outcome}}",
                ),
                width=12,
            ),
        ),
    ),
    Row(
        "Surveys and work queue",
        (
            curve(
                "Work items that wait",
                "none",
                Query(f"max by (service) (groma_work_waiting{{{OF_SERVICE}}})", "{{service}}"),
                meaning="A queue that does not fall needs collectors of this service.",
            ),
            curve(
                "Work items in the hands of collectors",
                "none",
                Query(f"max by (service) (groma_work_unsettled{{{OF_SERVICE}}})", "{{service}} by the bus"),
                Query(f"sum by (service) (groma_work_held{{{OF_SERVICE}}})", "{{service}} by the collectors"),
                meaning="More by the bus than by the collectors: items of a killed collector, until the bus delivers them again.",
            ),
            curve(
                "Wait of new work, 95 %",
                "s",
                Query(quantile(0.95, "groma_work_wait_seconds", "service"), "{{service}}"),
            ),
            curve(
                "Duration of work items, 95 %",
                "s",
                Query(quantile(0.95, "groma_work_item_seconds", "service"), "{{service}}"),
            ),
            curve(
                "Work items that ended",
                "ops",
                Query(per_second("groma_work_items_total", "service, outcome", OF_SERVICE), "{{service}} {{outcome}}"),
                meaning="Returned items go to another collector; parked ones could not be read.",
            ),
            curve(
                "Assets found",
                "ops",
                Query(per_second("groma_assets_published_total", "service", OF_SERVICE), "{{service}}"),
            ),
        ),
    ),
    Row(
        "AWS: calls, waits, throttles",
        (
            curve(
                "Attempts of calls",
                "ops",
                Query(per_second("groma_aws_calls_total", "service, outcome", OF_SERVICE), "{{service}} {{outcome}}"),
            ),
            curve(
                "Share of throttled attempts",
                "percentunit",
                Query(
                    ratio(
                        per_second("groma_aws_calls_total", "service", THROTTLED),
                        per_second("groma_aws_calls_total", "service", OF_SERVICE),
                    ),
                    "{{service}}",
                ),
                meaning="Groma stays below AWS's quotas. If AWS throttles, another client uses them too: lower --quota-percent.",
            ),
            curve(
                "Held back, per attempt",
                "s",
                Query(
                    ratio(
                        per_second("groma_aws_wait_seconds_total", "service", OF_SERVICE),
                        per_second("groma_aws_calls_total", "service", OF_SERVICE),
                    ),
                    "{{service}}",
                ),
                meaning="Time that Groma waits to stay within AWS's quotas. More collectors do not shorten it within an account.",
            ),
            curve(
                "APIs that AWS throttles most",
                "ops",
                Query(
                    most(per_second("groma_aws_calls_total", "service, api", THROTTLED)),
                    "{{service}} {{api}}",
                ),
                width=12,
            ),
            curve(
                "APIs that are held back most",
                "s",
                Query(
                    most(per_second("groma_aws_wait_seconds_total", "service, api", OF_SERVICE)),
                    "{{service}} {{api}}",
                ),
                meaning="Seconds of waiting per second, of all attempts together.",
                width=12,
            ),
        ),
    ),
    Row(
        "Leases",
        (
            curve("Leases", "ops", Query(per_second("groma_leases_total", "outcome", OF_SERVICE), "{{outcome}}")),
            curve(
                "Share of refused leases",
                "percentunit",
                Query(
                    ratio(
                        per_second("groma_leases_total", "service", f'{OF_SERVICE}, outcome!="granted"'),
                        per_second("groma_leases_total", "service", OF_SERVICE),
                    ),
                    "{{service}}",
                ),
            ),
            curve(
                "Age of leased sessions, 95 %",
                "s",
                Query(quantile(0.95, "groma_lease_age_seconds", "service"), "{{service}}"),
                meaning="Near 0: each lease is a new session of STS. Older ones are shared by leases.",
            ),
        ),
    ),
    Row(
        "Bus and graph-writer",
        (
            curve(
                "Asset events on the bus",
                "none",
                Query("max(groma_events_waiting)", "waiting"),
                Query("max(groma_events_unsettled)", "in the hands of graph-writers"),
            ),
            curve(
                "Batches published and events settled",
                "ops",
                Query("sum(rate(groma_batches_published_total[$__rate_interval]))", "batches published"),
                Query("sum by (outcome) (rate(groma_events_settled_total[$__rate_interval]))", "events {{outcome}}"),
            ),
            curve(
                "From publication to the graph",
                "s",
                Query(quantile(0.5, "groma_event_latency_seconds"), "50 %"),
                Query(quantile(0.95, "groma_event_latency_seconds"), "95 %"),
            ),
            curve(
                "Transactions",
                "ops",
                Query("sum by (outcome) (rate(groma_transactions_total[$__rate_interval]))", "{{outcome}}"),
            ),
            curve(
                "Duration of transactions",
                "s",
                Query(quantile(0.5, "groma_transaction_seconds"), "50 %"),
                Query(quantile(0.95, "groma_transaction_seconds"), "95 %"),
            ),
            curve(
                "Batches with held relationships",
                "ops",
                Query("sum(rate(groma_batches_held_total[$__rate_interval]))", "held"),
                meaning="Source or target was not in the graph yet. They are retried later.",
            ),
            curve(
                "Relationships without an end",
                "none",
                Query("max(groma_dangling_relationships)", "of the last sync"),
                meaning="Source or target is not in the graph, for example in an account that is not surveyed. Of several "
                "graph-writers, that with the most.",
                width=24,
            ),
        ),
    ),
    Row(
        "Errors",
        (
            curve(
                "Listings that failed",
                "ops",
                Query(
                    per_second("groma_listings_total", "service, outcome", f'{OF_SERVICE}, outcome!="finished"'),
                    "{{service}} {{outcome}}",
                ),
                meaning="Each is an unseen scope of its sync, except a service that is switched off.",
            ),
            curve(
                "Repeats of transactions",
                "ops",
                Query("sum by (outcome) (rate(groma_transaction_retries_total[$__rate_interval]))", "{{outcome}}"),
            ),
            curve(
                "Rows that Neo4j rejected",
                "ops",
                Query("sum(rate(groma_rows_parked_total[$__rate_interval]))", "parked"),
            ),
            curve(
                "Processes that answer",
                "none",
                Query('sum by (role) (up{job="groma"})', "{{role}}"),
                meaning="By Prometheus. Autoscalers may scale collectors to 0.",
                width=24,
            ),
        ),
    ),
)


def dashboard() -> Json:
    return {
        "uid": "groma",
        "title": "Groma",
        "tags": ["groma"],
        "schemaVersion": SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "1m",
        "time": {"from": "now-24h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [source_variable(), namespace_variable(), service_variable()]},
        "annotations": {"list": []},
        "links": [],
        "panels": panels(),
    }


def source_variable() -> Json:
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
        "hide": 0,
    }


def namespace_variable() -> Json:
    return label_variable("namespace", "Installation", 'label_values(up{job="groma"}, namespace)')


def service_variable() -> Json:
    # Calls, not queues: the services of collectors that run.
    return label_variable("service", "Service", f"label_values({of_namespace('groma_work_items_total')}, service)")


def label_variable(name: str, label: str, query: str) -> Json:
    """A choice of values of a label. All of them include series that lack it."""
    return {
        "name": name,
        "label": label,
        "type": "query",
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "sort": 1,
        "multi": True,
        "includeAll": True,
        "allValue": ".*",
        "current": {"text": "All", "value": "$__all"},
        "hide": 0,
    }


def of_namespace(expression: str) -> str:
    """The expression for the chosen installations: each selector has their namespace."""

    def chosen(found: re.Match[str]) -> str:
        matchers = f", {found[2]}" if found[2] else ""
        return f'{found[1]}{{namespace=~"$namespace"{matchers}}}'

    return re.sub(r"\b(groma_\w+|up)\b(?:\{([^}]*)\})?", chosen, expression)


def panels() -> list[Json]:
    """Rows and panels with their places, from left to right and from top to bottom."""
    placed, y = [], 0
    for row in ROWS:
        placed.append(
            {"type": "row", "title": row.title, "collapsed": False, "panels": [], "gridPos": grid(0, y, WIDTH, 1)}
        )
        y, x, height = y + 1, 0, 0
        for panel in row.panels:
            if x + panel.width > WIDTH:
                x, y, height = 0, y + height, 0
            height = max(height, 4 if panel.kind == "stat" else 8)
            placed.append({**described(panel), "gridPos": grid(x, y, panel.width, height)})
            x += panel.width
        y += height
    return [{"id": number, **panel} for number, panel in enumerate(placed, 1)]


def grid(x: int, y: int, width: int, height: int) -> Json:
    return {"x": x, "y": y, "w": width, "h": height}


def described(panel: Panel) -> Json:
    targets = [
        {
            "refId": chr(ord("A") + number),
            "datasource": SOURCE,
            "expr": of_namespace(query.expression),
            "legendFormat": query.legend or "__auto",
            "range": panel.kind != "stat",
            "instant": panel.kind == "stat",
        }
        for number, query in enumerate(panel.queries)
    ]
    return {
        "type": panel.kind,
        "title": panel.title,
        "description": panel.meaning,
        "datasource": SOURCE,
        "targets": targets,
        "fieldConfig": {"defaults": {"unit": panel.unit, "min": 0, **appearance(panel)}, "overrides": []},
        "options": options(panel),
    }


def appearance(panel: Panel) -> Json:
    if panel.limits is None:
        return {"color": {"mode": "palette-classic"}, "custom": {"fillOpacity": 10, "showPoints": "never"}}
    colours = [("green", None), ("yellow", panel.limits[0]), ("red", panel.limits[1])]
    steps = [{"color": colour, "value": limit} for colour, limit in colours]
    return {"color": {"mode": "thresholds"}, "thresholds": {"mode": "absolute", "steps": steps}}


def options(panel: Panel) -> Json:
    if panel.kind == "stat":
        return {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}, "colorMode": "background"}
    return {
        "legend": {"displayMode": "list", "placement": "bottom", "showLegend": True},
        "tooltip": {"mode": "multi", "sort": "desc"},
    }


def text() -> str:
    return json.dumps(dashboard(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    DASHBOARD.write_text(text(), encoding="utf-8")
