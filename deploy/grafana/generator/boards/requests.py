"""Requests to the watched applications: how many, how fast, how many errors."""

from board import Board, Row
from limits import PERCENT, limit
from panel import ORANGE, RED, YELLOW, Column, bars, graph, heat, histogram, number, table
from query import ROUTE, SERVICE, Query, quantiles, share

OF = 'service=~"$service", route=~"$route"'
ERRORS = ((limit("ApiErrorRateIncreased", PERCENT), ORANGE), (limit("ApiErrorRateHigh", PERCENT), RED))
SLOW = ((1, YELLOW), (5, RED))


def _answered(status: str, by: str, window: str = "$__rate_interval") -> str:
    """The share of answers with a status of this class."""
    return share(f'http_requests_total{{{OF}, status=~"{status}"}}', f"http_requests_total{{{OF}}}", by, window)


P95 = (
    "histogram_quantile(0.95, sum by (le, service, route) "
    f"(rate(http_request_duration_seconds_bucket{{{OF}}}[$__range])))"
)

BOARD = Board(
    name="requests",
    title="Requests",
    description="HTTP requests that the watched applications report: rate, errors and durations by service and route.",
    tags=("requests",),
    variables=(SERVICE, ROUTE),
    rows=(
        Row(
            "Now",
            (
                number(
                    "Requests",
                    "Requests per second, of all services that are chosen.",
                    Query(f"sum(rate(http_requests_total{{{OF}}}[$__rate_interval]))", "rate"),
                    unit="reqps",
                    size=(6, 4),
                    decimals=1,
                ),
                number(
                    "Failed",
                    "Share of the requests within five minutes that were answered with 500 and above, of the worst "
                    "service. 1 to 5 % are a warning, more is critical.",
                    Query(f"max({_answered('5..', 'service', '5m')})", "failed"),
                    unit="percentunit",
                    size=(6, 4),
                    steps=ERRORS,
                    decimals=1,
                ),
                number(
                    "Half are answered within",
                    "The median of the last minutes, over all services that are chosen.",
                    Query(
                        "histogram_quantile(0.5, sum by (le) "
                        f"(rate(http_request_duration_seconds_bucket{{{OF}}}[$__rate_interval])))",
                        "p50",
                    ),
                    unit="s",
                    size=(6, 4),
                    none="no request",
                ),
                number(
                    "95 % are answered within",
                    "When this rises and the median does not, some routes or some requests are slow.",
                    Query(
                        "histogram_quantile(0.95, sum by (le) "
                        f"(rate(http_request_duration_seconds_bucket{{{OF}}}[$__rate_interval])))",
                        "p95",
                    ),
                    unit="s",
                    size=(6, 4),
                    steps=SLOW,
                    none="no request",
                ),
            ),
        ),
        Row(
            "Rate and errors",
            (
                graph(
                    "Requests by route",
                    "Requests per second. A route that stops is as telling as one that rises.",
                    Query(f"sum by (route) (rate(http_requests_total{{{OF}}}[$__rate_interval]))", "{{route}}"),
                    unit="reqps",
                    stacked=True,
                ),
                graph(
                    "Requests by status",
                    "Requests per second by the class of their status: 5xx are faults of the service, 4xx of who asks.",
                    Query(
                        "sum by (class) (label_replace(rate(http_requests_total"
                        f'{{{OF}}}[$__rate_interval]), "class", "${{1}}xx", "status", "(.).*"))',
                        "{{class}}",
                    ),
                    unit="reqps",
                    stacked=True,
                ),
                graph(
                    "Failed requests",
                    "Share of answers with 500 and above, by service.",
                    Query(_answered("5..", "service"), "{{service}}"),
                    unit="percentunit",
                    limits=ERRORS,
                ),
                graph(
                    "Rejected requests",
                    "Share of answers with 400 to 499, by route: wrong input, missing rights, what is not there.",
                    Query(_answered("4..", "route"), "{{route}}"),
                    unit="percentunit",
                ),
            ),
        ),
        Row(
            "Durations",
            (
                graph(
                    "Duration by service",
                    "Half, 95 and 99 of 100 requests were answered within.",
                    *quantiles("http_request_duration_seconds", OF, "service"),
                    unit="s",
                    size=(12, 9),
                ),
                heat(
                    "Duration over time",
                    "How durations are spread: the darker, the more requests.",
                    "http_request_duration_seconds",
                    OF,
                    size=(12, 9),
                ),
                bars(
                    "Slowest routes",
                    "How long 95 of 100 requests took, over the time that is shown. Begin at the longest bar.",
                    Query(f"topk(15, sort_desc({P95}))", "{{service}} {{route}}", now=True),
                    unit="s",
                    steps=SLOW,
                ),
                histogram(
                    "How long requests took",
                    "Requests of the time that is shown, by how long they took; bars are named by their upper bound "
                    "in seconds.",
                    "http_request_duration_seconds",
                    OF,
                ),
                table(
                    "Routes",
                    "Every route with its requests, errors and durations over the time that is shown. Single requests "
                    "are at /api/v1/requests of Watchkeeper.",
                    Column("requests", f"sum by (service, route) (increase(http_requests_total{{{OF}}}[$__range]))"),
                    Column("failed", _answered("5..", "service, route", "$__range"), "percentunit", ERRORS),
                    Column(
                        "average",
                        f"sum by (service, route) (rate(http_request_duration_seconds_sum{{{OF}}}[$__range])) / "
                        f"sum by (service, route) (rate(http_request_duration_seconds_count{{{OF}}}[$__range]))",
                        "s",
                    ),
                    Column("p95", P95, "s", SLOW),
                    labels={"service": "service", "route": "route"},
                ),
            ),
        ),
    ),
)
