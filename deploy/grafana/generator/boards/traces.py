"""Traces: rate, errors and durations of every operation, who calls whom, and what becomes of spans."""

from board import Board, Row
from limits import PERCENT, limit
from panel import GREEN, ORANGE, RED, YELLOW, Column, bars, calls, graph, heat, histogram, number, table, traces
from query import SPAN_NAME, SPAN_SERVICE, TRACE_SOURCE, TRACED, Query, TraceSearch, quantiles, share

CALLS = "traces_span_metrics_calls_total"
SECONDS = "traces_span_metrics_duration_seconds"
OF = 'service_name=~"$service_name", span_name=~"$span_name"'
# Spans that are asked for from outside: requests and messages.
ASKED = f'{OF}, span_kind=~"SPAN_KIND_SERVER|SPAN_KIND_CONSUMER"'
ERRORS = ((limit("ApiErrorRateIncreased", PERCENT), ORANGE), (limit("ApiErrorRateHigh", PERCENT), RED))
SLOW = ((1, YELLOW), (5, RED))
# Edges of the graph between services, from those that are chosen.
EDGES = 'client=~"$service_name"'
REQUESTS = f"traces_service_graph_request_total{{{EDGES}}}"
P95 = f"histogram_quantile(0.95, sum by (le, service_name, span_name) (rate({SECONDS}_bucket{{{OF}}}[$__range])))"
EDGE_P95 = (
    "histogram_quantile(0.95, sum by (le, client, server) "
    f"(rate(traces_service_graph_request_server_seconds_bucket{{{EDGES}}}[$__range])))"
)
SPANS = 'source="otlp_traces", kind="event"'


def _failed(selector: str, by: str, window: str = "$__rate_interval") -> str:
    """The share of spans that ended with an error."""
    return share(f'{CALLS}{{{selector}, status_code="STATUS_CODE_ERROR"}}', f"{CALLS}{{{selector}}}", by, window)


def _edges_failed(window: str) -> str:
    return share(f"traces_service_graph_request_failed_total{{{EDGES}}}", REQUESTS, "client, server", window)


def _answered_within(of: str) -> Query:
    return Query(
        f"histogram_quantile({of}, sum by (le) (rate({SECONDS}_bucket{{{ASKED}}}[$__rate_interval])))",
        f"p{of.removeprefix('0.')}",
    )


BOARD = Board(
    name="traces",
    title="Traces and services",
    description="Rate, errors and durations of services and their operations, who calls whom, traces, and what is "
    "kept of them.",
    tags=("traces",),
    variables=(SPAN_SERVICE, SPAN_NAME, TRACED, TRACE_SOURCE),
    since="now-3h",
    rows=(
        Row(
            "Now",
            (
                number(
                    "Requests",
                    "Requests and messages that services took, per second: spans of the kinds server and consumer.",
                    Query(f"sum(rate({CALLS}{{{ASKED}}}[$__rate_interval]))", "rate"),
                    unit="reqps",
                    decimals=1,
                ),
                number(
                    "Failed",
                    "Share of them within five minutes that ended with an error, of the worst service.",
                    Query(f"max({_failed(ASKED, 'service_name', '5m')})", "failed"),
                    unit="percentunit",
                    steps=ERRORS,
                    decimals=1,
                ),
                number(
                    "Half took no longer",
                    "The median of requests and messages, over all services that are chosen.",
                    _answered_within("0.50"),
                    unit="s",
                    none="no request",
                ),
                number(
                    "95 % took no longer",
                    "When this rises and the median does not, some operations or some requests are slow.",
                    _answered_within("0.95"),
                    unit="s",
                    steps=SLOW,
                    none="no request",
                ),
                number(
                    "Services",
                    "Services that sent spans lately.",
                    Query(f"count(count by (service_name) ({CALLS}{{{OF}}}))", "services"),
                    unit="short",
                ),
                number(
                    "Spans",
                    "Spans of all kinds, per second.",
                    Query(f"sum(rate({CALLS}{{{OF}}}[$__rate_interval]))", "spans"),
                    unit="ops",
                    decimals=1,
                ),
            ),
        ),
        Row(
            "Rate and errors",
            (
                graph(
                    "Requests by service",
                    "Requests and messages per second. A service that stops is as telling as one that rises.",
                    Query(
                        f"sum by (service_name) (rate({CALLS}{{{ASKED}}}[$__rate_interval]))",
                        "{{service_name}}",
                    ),
                    unit="reqps",
                    stacked=True,
                ),
                graph(
                    "Failed by service",
                    "Share of requests and messages that ended with an error.",
                    Query(_failed(ASKED, "service_name"), "{{service_name}}"),
                    unit="percentunit",
                    limits=ERRORS,
                ),
                graph(
                    "Busiest operations",
                    "Spans per second, of the ten operations that have most.",
                    Query(
                        f"topk(10, sum by (service_name, span_name) (rate({CALLS}{{{OF}}}[$__rate_interval])))",
                        "{{service_name}} {{span_name}}",
                    ),
                    unit="ops",
                ),
                graph(
                    "Errors by operation",
                    "Spans per second that ended with an error, of the ten operations that have most. The deepest one "
                    "of a trace is where it began.",
                    Query(
                        "topk(10, sum by (service_name, span_name) "
                        f'(rate({CALLS}{{{OF}, status_code="STATUS_CODE_ERROR"}}[$__rate_interval])))',
                        "{{service_name}} {{span_name}}",
                    ),
                    unit="ops",
                ),
            ),
        ),
        Row(
            "Durations",
            (
                graph(
                    "Duration by service",
                    "Half, 95 and 99 of 100 requests and messages took no longer. Each point is a slow span, and leads "
                    "to its trace.",
                    *quantiles(SECONDS, ASKED, "service_name", exemplars=True),
                    unit="s",
                    size=(12, 9),
                ),
                graph(
                    "Duration of operations",
                    "95 of 100 spans took no longer, of the ten slowest operations. Each point is a slow span, and "
                    "leads to its trace.",
                    Query(
                        "topk(10, histogram_quantile(0.95, sum by (le, service_name, span_name) "
                        f"(rate({SECONDS}_bucket{{{OF}}}[$__rate_interval]))))",
                        "{{service_name}} {{span_name}}",
                        exemplars=True,
                    ),
                    unit="s",
                    size=(12, 9),
                ),
                heat(
                    "Duration over time",
                    "How durations of requests and messages are spread: the darker, the more.",
                    SECONDS,
                    ASKED,
                    size=(12, 9),
                ),
                histogram(
                    "How long spans took",
                    "Spans of the time that is shown, by how long they took; bars are named by their upper bound in "
                    "seconds.",
                    SECONDS,
                    OF,
                    size=(12, 9),
                ),
                bars(
                    "Slowest operations",
                    "How long 95 of 100 spans took, over the time that is shown. Begin at the longest bar.",
                    Query(f"topk(15, sort_desc({P95}))", "{{service_name}} {{span_name}}", now=True),
                    unit="s",
                    steps=SLOW,
                    size=(24, 9),
                ),
                table(
                    "Operations",
                    "Every operation with its spans, errors and durations over the time that is shown.",
                    Column("spans", f"sum by (service_name, span_name) (increase({CALLS}{{{OF}}}[$__range]))"),
                    Column("failed", _failed(OF, "service_name, span_name", "$__range"), "percentunit", ERRORS),
                    Column(
                        "average",
                        f"sum by (service_name, span_name) (rate({SECONDS}_sum{{{OF}}}[$__range])) / "
                        f"sum by (service_name, span_name) (rate({SECONDS}_count{{{OF}}}[$__range]))",
                        "s",
                    ),
                    Column("p95", P95, "s", SLOW),
                    labels={"service_name": "service", "span_name": "operation"},
                ),
            ),
        ),
        Row(
            "Who calls whom",
            (
                calls(
                    "Map of services",
                    "Services, and who calls whom how often in the time that is shown. Watchkeeper's page has the map "
                    "with errors and durations.",
                ),
                table(
                    "Calls",
                    "Every pair of a service that asks and one that answers, over the time that is shown. Durations "
                    "are where it is answered; what the caller sees is longer by the way between them.",
                    Column("requests", f"sum by (client, server) (increase({REQUESTS}[$__range]))"),
                    Column("failed", _edges_failed("$__range"), "percentunit", ERRORS),
                    Column("p95", EDGE_P95, "s", SLOW),
                    labels={"client": "who asks", "server": "who answers"},
                    size=(12, 12),
                ),
                graph(
                    "Requests between services",
                    "Per second, by who asks, who answers, and whether by messages or of a database.",
                    Query(
                        f"sum by (client, server, connection_type) (rate({REQUESTS}[$__rate_interval]))",
                        "{{client}} → {{server}} {{connection_type}}",
                    ),
                    unit="reqps",
                    size=(8, 8),
                ),
                graph(
                    "Failed between services",
                    "Share of requests that failed on either side.",
                    Query(_edges_failed("$__rate_interval"), "{{client}} → {{server}}"),
                    unit="percentunit",
                    limits=ERRORS,
                    size=(8, 8),
                ),
                graph(
                    "Duration on either side",
                    "95 of 100 took no longer, as who asks and who answers saw it. Where they part, the time goes on "
                    "the way between them: a network, a queue, a pool of connections.",
                    *(
                        Query(
                            "histogram_quantile(0.95, sum by (le, client, server) "
                            f"(rate(traces_service_graph_request_{side}_seconds_bucket{{{EDGES}}}[$__rate_interval])))",
                            f"{{{{client}}}} → {{{{server}}}} {name}",
                        )
                        for side, name in (("client", "asked"), ("server", "answered"))
                    ),
                    unit="s",
                    size=(8, 8),
                ),
            ),
        ),
        Row(
            "Traces",
            (
                traces(
                    "Traces with an error",
                    "The newest traces with a span of the service under “Traces of” that ended with an error.",
                    TraceSearch("$traced", "error=true"),
                ),
                traces(
                    "Newest traces",
                    "The newest traces with a span of the service under “Traces of”.",
                    TraceSearch("$traced"),
                ),
            ),
        ),
        Row(
            "What becomes of spans",
            (
                graph(
                    "Kept and left out",
                    "Spans per second that were stored, and that sampling left out. Metrics and jobs are of all of "
                    "them.",
                    Query(
                        f"sum(rate(watchkeeper_ingest_accepted_total{{{SPANS}}}[$__rate_interval]))",
                        "kept",
                    ),
                    Query(
                        f'sum(rate(watchkeeper_ingest_refused_total{{{SPANS}, reason="sampled"}}[$__rate_interval]))',
                        "left out",
                    ),
                    unit="ops",
                    stacked=True,
                    size=(8, 8),
                ),
                graph(
                    "Refused spans",
                    "Spans within an hour that were not stored, by reason; those that sampling left out are among "
                    "them.",
                    Query(
                        f"sum by (reason) (increase(watchkeeper_ingest_refused_total{{{SPANS}}}[1h]))", "{{reason}}"
                    ),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Sampling and derived data at a bound",
                    "Within an hour: requests that sampling decided on at once for want of memory, steps that were "
                    "forgotten before their job was known, requests whose caller never came, and spans whose series "
                    "would be one too many.",
                    Query("increase(watchkeeper_ingest_sampled_at_once_total[1h])", "decided at once"),
                    Query("increase(watchkeeper_ingest_forgotten_steps_total[1h])", "forgotten steps"),
                    Query("increase(watchkeeper_pipeline_unpaired_spans_total[1h])", "without caller"),
                    Query(
                        "sum by (metric) "
                        '(increase(watchkeeper_pipeline_series_beyond_limit_total{metric=~"traces_.*"}[1h]))',
                        "{{metric}} under other",
                    ),
                    unit="short",
                    size=(8, 8),
                ),
                graph(
                    "Events that follow from spans",
                    "Jobs, stages, requests and calls of models that were derived from spans, per second.",
                    Query(
                        'sum(rate(watchkeeper_ingest_accepted_total{source="derived", kind="event"}'
                        "[$__rate_interval]))",
                        "derived",
                    ),
                    unit="ops",
                ),
                number(
                    "Receivers",
                    "Ports that exporters of OpenTelemetry know. 0: another program has the port.",
                    Query("min by (transport) (watchkeeper_otlp_receiver_up)", "{{transport}}"),
                    unit="none",
                    base=RED,
                    steps=((1, GREEN),),
                    size=(12, 8),
                    none="turned off",
                ),
            ),
        ),
    ),
)
