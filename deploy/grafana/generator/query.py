"""Queries as panels hold them, and the variables that choose what they show. Start at `Query`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
LOGS = {"type": "loki", "uid": "${logs}"}
TRACES = {"type": "jaeger", "uid": "${traces}"}


class Asked(Protocol):
    """What a panel asks, of whichever data source."""

    @property
    def datasource(self) -> dict[str, str]:
        """The data source that is asked."""

    def target(self, place: int) -> dict[str, Any]:
        """The query as a target of a panel: A, B, …"""


@dataclass(frozen=True)
class Query:
    """One expression. `now` asks for one point and not for a line; `legend` names what comes back. `exemplars` shows
    single spans beside the line, each with a link to its trace."""

    expr: str
    legend: str = ""
    now: bool = False
    format: str = "time_series"
    exemplars: bool = False
    datasource: ClassVar[dict[str, str]] = DATASOURCE

    def target(self, place: int) -> dict[str, Any]:
        """The query as a target of a panel: A, B, …"""
        asked = {
            "refId": chr(ord("A") + place),
            "datasource": DATASOURCE,
            "editorMode": "code",
            "expr": self.expr,
            "format": self.format,
            "instant": self.now,
            "range": not self.now,
            "legendFormat": self.legend or "__auto",
        }
        return {**asked, "exemplar": True} if self.exemplars else asked


@dataclass(frozen=True)
class LogQuery:
    """LogQL: lines, or a count of lines."""

    expr: str
    legend: str = ""
    datasource: ClassVar[dict[str, str]] = LOGS

    def target(self, place: int) -> dict[str, Any]:
        """The query as a target of a panel: A, B, …"""
        return {
            "refId": chr(ord("A") + place),
            "datasource": LOGS,
            "editorMode": "code",
            "expr": self.expr,
            "queryType": "range",
            "legendFormat": self.legend,
        }


@dataclass(frozen=True)
class TraceSearch:
    """The newest traces of a service. `tags` are conditions as Jaeger's editor takes them: `error=true`."""

    service: str
    tags: str = ""
    most: int = 20
    datasource: ClassVar[dict[str, str]] = TRACES

    def target(self, place: int) -> dict[str, Any]:
        """The query as a target of a panel: A, B, …"""
        return {
            "refId": chr(ord("A") + place),
            "datasource": TRACES,
            "queryType": "search",
            "service": self.service,
            "tags": self.tags,
            "limit": self.most,
        }


@dataclass(frozen=True)
class CallGraph:
    """Which service calls which, as Jaeger tells it."""

    datasource: ClassVar[dict[str, str]] = TRACES

    def target(self, place: int) -> dict[str, Any]:
        """The query as a target of a panel: A, B, …"""
        return {"refId": chr(ord("A") + place), "datasource": TRACES, "queryType": "dependencyGraph"}


def quantiles(metric: str, selector: str, by: str = "", exemplars: bool = False) -> tuple[Query, ...]:
    """How long half, 95 and 99 of 100 took, of a histogram."""
    labels, legend = ("le", "") if not by else (f"le, {by}", f"{{{{{by}}}}} ")
    return tuple(
        Query(
            f"histogram_quantile({share}, sum by ({labels}) (rate({metric}_bucket{{{selector}}}[$__rate_interval])))",
            f"{legend}{name}",
            # Once: they are those of the histogram, whatever the share.
            exemplars=exemplars and share == 0.99,
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


@dataclass(frozen=True)
class Choice:
    """A choice of exactly one value of a label of a metric, for queries that take no more."""

    name: str
    metric: str
    label: str
    title: str
    says: str

    def model(self) -> dict[str, Any]:
        """The variable as Grafana keeps it."""
        definition = f"label_values({self.metric}, {self.label})"
        model = Variable(self.name, self.metric, self.title, self.says).model()
        for of_many in ("allValue", "current"):
            del model[of_many]
        one = {"includeAll": False, "multi": False, "definition": definition}
        return {**model, **one, "query": {**model["query"], "query": definition}}


@dataclass(frozen=True)
class StreamVariable:
    """A choice at the top of a dashboard: the values of a label of streams of logs."""

    name: str
    title: str
    says: str

    def model(self) -> dict[str, Any]:
        """The variable as Grafana keeps it. All is `.*`, so that records without the label are in it."""
        model = Variable(self.name, "", self.title, self.says).model()
        query = {"refId": "LokiVariableQueryEditor-VariableQuery", "type": 1, "label": self.name, "stream": ""}
        return {**model, "datasource": LOGS, "definition": f"label_values({self.name})", "query": query}


@dataclass(frozen=True)
class SourceVariable:
    """Which of Grafana's data sources of a type is Watchkeeper. `uid` is the one that provisioning makes."""

    name: str
    type: str
    title: str
    says: str
    uid: str
    called: str

    def model(self) -> dict[str, Any]:
        """The variable as Grafana keeps it."""
        return {
            **datasource_variable(),
            "name": self.name,
            "label": self.title,
            "description": self.says,
            "query": self.type,
            "current": {"selected": True, "text": self.called, "value": self.uid},
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
SPAN_SERVICE = Variable("service_name", "traces_span_metrics_calls_total", "Service", "Services that send spans.")
SPAN_NAME = Variable("span_name", "traces_span_metrics_calls_total", "Operation", "Operations: names of spans.")
TRACED = Choice(
    "traced", "traces_span_metrics_calls_total", "service_name", "Traces of", "The service whose traces are listed."
)
LOG_SERVICE = StreamVariable("service_name", "Service", "Services that have logged something.")
LOG_SOURCE = SourceVariable(
    "logs",
    "loki",
    "Logs",
    "The data source of the type Loki that points at Watchkeeper.",
    "watchkeeper-logs",
    "Watchkeeper logs",
)
TRACE_SOURCE = SourceVariable(
    "traces",
    "jaeger",
    "Traces",
    "The data source of the type Jaeger that points at Watchkeeper's /jaeger.",
    "watchkeeper-traces",
    "Watchkeeper traces",
)


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
