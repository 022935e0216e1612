"""Queries as panels hold them, and the variables that choose what they show. Start at `Query`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Query:
    """One expression. `now` asks for one point and not for a line; `legend` names what comes back."""

    expr: str
    legend: str = ""
    now: bool = False
    format: str = "time_series"

    def target(self, place: int) -> dict[str, Any]:
        """The query as a target of a panel: A, B, …"""
        return {
            "refId": chr(ord("A") + place),
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": self.expr,
            "format": self.format,
            "instant": self.now,
            "range": not self.now,
            "legendFormat": self.legend or "__auto",
        }


def quantiles(metric: str, selector: str, by: str = "") -> tuple[Query, ...]:
    """How long half, 95 and 99 of 100 took, of a histogram."""
    labels, legend = ("le", "") if not by else (f"le, {by}", f"{{{{{by}}}}} ")
    return tuple(
        Query(
            f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{{{selector}}}[$__rate_interval])))",
            f"{legend}{name}",
        )
        for share, name in ((0.5, "p50"), (0.95, "p95"), (0.99, "p99"))
    )


def share(part: str, whole: str, by: str, window: str = "$__rate_interval") -> str:
    """The share of one counter in another: 0, and not nothing, where all went well; nothing where nothing happened."""
    all_of_it = f"sum by ({by}) (rate({whole}[{window}]))"
    return f"(sum by ({by}) (rate({part}[{window}])) or 0 * {all_of_it}) / {all_of_it}"


@dataclass(frozen=True)
class Variable:
    """A choice at the top of a dashboard: the values of a label of a metric."""

    name: str
    metric: str
    title: str
    says: str

    def model(self) -> dict[str, Any]:
        """The variable as Grafana keeps it. All is `.*`, so that series without the label are in it."""
        definition = f"label_values({self.metric}, {self.name})"
        return {
            "type": "query",
            "name": self.name,
            "label": self.title,
            "description": self.says,
            "datasource": DATASOURCE,
            "definition": definition,
            "query": {"qryType": 1, "query": definition, "refId": "PrometheusVariableQueryEditor-VariableQuery"},
            "refresh": 2,
            "sort": 1,
            "includeAll": True,
            "multi": True,
            "allValue": ".*",
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
            "hide": 0,
            "options": [],
            "regex": "",
            "skipUrlSync": False,
        }


QUEUE = Variable("queue", "queue_depth", "Queue", "Queues that are watched.")
KIND = Variable("kind", "jobs_total", "Kind", "Kinds of jobs.")
STAGE = Variable("stage", "stages_total", "Stage", "Stages of jobs.")
WORKER = Variable("worker", "worker_up", "Worker", "Workers by their ids.")
HOST = Variable("host", "host_cpus", "Host", "Hosts that are watched.")
GROUP = Variable("group", "process_group_count", "Process group", "Groups of processes, as [processes] names them.")
SERVICE = Variable("service", "http_requests_total", "Service", "Services that report their requests.")
ROUTE = Variable("route", "http_requests_total", "Route", "Routes of the services.")
MODEL = Variable("model", "llm_calls_total", "Model", "Models that were called.")
PROBE = Variable("probe", "probe_success", "Probe", "Probed services.")
ALERTNAME = Variable("alertname", "ALERTS", "Alert", "Alerts that have been pending or have fired.")


def datasource_variable() -> dict[str, Any]:
    """Which of Grafana's Prometheus data sources is Watchkeeper."""
    return {
        "type": "datasource",
        "name": "datasource",
        "label": "Data source",
        "description": "The data source that points at Watchkeeper's /prometheus.",
        "query": "prometheus",
        "current": {"selected": True, "text": "Watchkeeper", "value": "watchkeeper"},
        "hide": 0,
        "includeAll": False,
        "multi": False,
        "options": [],
        "refresh": 1,
        "regex": "",
        "skipUrlSync": False,
    }


def url_variable() -> dict[str, Any]:
    """Where Watchkeeper's own page is, for links to it."""
    address = "http://127.0.0.1:7654"
    return {
        "type": "textbox",
        "name": "url",
        "label": "Watchkeeper",
        "description": "The address of Watchkeeper's page, which links lead to.",
        "query": address,
        "current": {"selected": True, "text": address, "value": address},
        "options": [{"selected": True, "text": address, "value": address}],
        "hide": 0,
        "skipUrlSync": False,
    }
