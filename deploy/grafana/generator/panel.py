"""The kinds of panels that the dashboards use, in the form in which Grafana keeps them.

Start at `graph`. Every panel has a title, a unit, and a description that says what to look for.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from query import Asked, CallGraph, LogQuery, Query, TraceSearch

GREEN, YELLOW, ORANGE, RED, BLUE, GREY = "green", "yellow", "orange", "red", "blue", "#8e8e8e"
Steps = tuple[tuple[float, str], ...]

# What states are called, and the colours that they have on every dashboard.
STATES = {
    "completed": GREEN,
    "completed_empty": YELLOW,
    "failed": RED,
    "retried": ORANGE,
    "skipped": GREY,
    "pending": YELLOW,
    "processing": BLUE,
    "delayed": GREY,
    "dead": RED,
    "online": GREEN,
    "stale": ORANGE,
    "offline": RED,
    "stopped": GREY,
    "ok": GREEN,
    "error": RED,
    "warning": ORANGE,
    "critical": "dark-red",
    "info": BLUE,
    "fatal": "dark-red",
    "warn": ORANGE,
    "debug": GREY,
    "trace": GREY,
}
UP = [{"type": "value", "options": {"0": {"text": "down", "color": RED}, "1": {"text": "up", "color": GREEN}}}]


@dataclass(frozen=True)
class Panel:
    """One panel, without its place."""

    title: str
    description: str
    width: int
    height: int
    body: dict[str, Any] = field(repr=False)


def _panel(
    kind: str, title: str, says: str, queries: tuple[Asked, ...], size: tuple[int, int], body: dict[str, Any]
) -> Panel:
    model = {
        "type": kind,
        "datasource": queries[0].datasource,
        "targets": [query.target(place) for place, query in enumerate(queries)],
        **body,
    }
    return Panel(title, says, *size, model)


def _thresholds(steps: Steps, base: str | None = GREEN) -> dict[str, Any]:
    first = {"color": base or "text", "value": None}
    return {"mode": "absolute", "steps": [first, *({"color": colour, "value": value} for value, colour in steps)]}


def _colour(name: str, colour: str) -> dict[str, Any]:
    """A series whose legend ends in this state has the state's colour."""
    return {
        "matcher": {"id": "byRegexp", "options": f"/(^| ){name}$/"},
        "properties": [{"id": "color", "value": {"mode": "fixed", "fixedColor": colour}}],
    }


def graph(
    title: str,
    says: str,
    *queries: Query | LogQuery,
    unit: str,
    size: tuple[int, int] = (12, 8),
    limits: Steps = (),
    stacked: bool = False,
    states: tuple[str, ...] = (),
    most: float | None = None,
    least: float | None = 0,
    decimals: int | None = None,
) -> Panel:
    """Lines over time. `limits` are drawn as dashed lines; `states` have their colours in all graphs."""
    defaults: dict[str, Any] = {
        "unit": unit,
        "color": {"mode": "palette-classic"},
        "custom": {
            "drawStyle": "line",
            "lineInterpolation": "linear",
            "lineWidth": 1,
            "fillOpacity": 40 if stacked else 10,
            "showPoints": "never",
            "spanNulls": False,
            "stacking": {"mode": "normal" if stacked else "none", "group": "A"},
            "thresholdsStyle": {"mode": "dashed" if limits else "off"},
        },
        "thresholds": _thresholds(limits, None),
    }
    for name, value in (("min", least), ("max", most), ("decimals", decimals)):
        if value is not None:
            defaults[name] = value
    wide = size[0] >= 12
    body = {
        "fieldConfig": {"defaults": defaults, "overrides": [_colour(name, STATES[name]) for name in states]},
        "options": {
            "legend": {
                "displayMode": "table" if wide else "list",
                "placement": "bottom",
                "showLegend": True,
                "calcs": ["lastNotNull", "max"] if wide else [],
            },
            "tooltip": {"mode": "multi", "sort": "desc"},
        },
    }
    return _panel("timeseries", title, says, queries, size, body)


def _reduced() -> dict[str, Any]:
    return {"calcs": ["lastNotNull"], "fields": "", "values": False}


def number(
    title: str,
    says: str,
    *queries: Query,
    unit: str,
    size: tuple[int, int] = (4, 4),
    steps: Steps = (),
    base: str | None = GREEN,
    line: bool = True,
    none: str = "0",
    decimals: int | None = None,
) -> Panel:
    """One number, or one for each series, as large as it fits. `none` is shown where there is no series."""
    defaults: dict[str, Any] = {
        "unit": unit,
        "noValue": none,
        "color": {"mode": "thresholds"},
        "thresholds": _thresholds(steps, base if steps else None),
    }
    if decimals is not None:
        defaults["decimals"] = decimals
    body = {
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {
            "colorMode": "value",
            "graphMode": "area" if line else "none",
            "justifyMode": "auto",
            "orientation": "auto",
            "reduceOptions": _reduced(),
            "textMode": "auto",
            "wideLayout": True,
        },
    }
    return _panel("stat", title, says, queries, size, body)


def dial(
    title: str, says: str, *queries: Query, unit: str, most: float, steps: Steps, size: tuple[int, int] = (6, 8)
) -> Panel:
    """A gauge from 0 to `most`."""
    body = {
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "min": 0,
                "max": most,
                "color": {"mode": "thresholds"},
                "thresholds": _thresholds(steps),
            },
            "overrides": [],
        },
        "options": {
            "orientation": "auto",
            "reduceOptions": _reduced(),
            "showThresholdLabels": False,
            "showThresholdMarkers": True,
        },
    }
    return _panel("gauge", title, says, queries, size, body)


def bars(
    title: str,
    says: str,
    *queries: Query,
    unit: str,
    size: tuple[int, int] = (12, 8),
    most: float | None = None,
    steps: Steps = (),
    upright: bool = False,
) -> Panel:
    """One bar for each series. With buckets of a histogram (`format="heatmap"`), the bars of the histogram."""
    defaults: dict[str, Any] = {"unit": unit, "min": 0, "thresholds": _thresholds(steps, GREEN if steps else BLUE)}
    defaults["color"] = {"mode": "thresholds"}
    if most is not None:
        defaults["max"] = most
    body = {
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": {
            "displayMode": "gradient" if upright else "basic",
            "orientation": "vertical" if upright else "horizontal",
            "reduceOptions": _reduced(),
            "showUnfilled": True,
            "valueMode": "color",
            "namePlacement": "auto",
            "minVizHeight": 16,
            "minVizWidth": 8,
        },
    }
    return _panel("bargauge", title, says, queries, size, body)


def histogram(title: str, says: str, metric: str, selector: str, size: tuple[int, int] = (12, 8)) -> Panel:
    """How often a duration fell into each bucket, over the time that is shown."""
    expr = f"sum by (le) (increase({metric}_bucket{{{selector}}}[$__range]))"
    query = Query(expr, "{{le}}", now=True, format="heatmap")
    return bars(title, says, query, unit="short", size=size, upright=True)


def heat(title: str, says: str, metric: str, selector: str, size: tuple[int, int] = (12, 8)) -> Panel:
    """How a duration is spread, over time: the darker, the more often."""
    query = Query(
        f"sum by (le) (increase({metric}_bucket{{{selector}}}[$__rate_interval]))", "{{le}}", format="heatmap"
    )
    body = {
        "fieldConfig": {
            "defaults": {"unit": "short", "custom": {"scaleDistribution": {"type": "linear"}}},
            "overrides": [],
        },
        "options": {
            "calculate": False,
            "cellGap": 1,
            "cellValues": {"unit": "short"},
            "color": {"mode": "scheme", "scheme": "Blues", "steps": 64, "reverse": False, "exponent": 0.5},
            "filterValues": {"le": 1e-9},
            "legend": {"show": True},
            "rowsFrame": {"layout": "auto"},
            "tooltip": {"mode": "single", "showColorScale": True, "yHistogram": True},
            "yAxis": {"axisPlacement": "left", "unit": "s", "reverse": False},
        },
    }
    return _panel("heatmap", title, says, (query,), size, body)


@dataclass(frozen=True)
class Column:
    """A column of a table: an expression and how its values are shown."""

    name: str
    expr: str
    unit: str = "short"
    steps: Steps = ()
    mappings: tuple[dict[str, Any], ...] = ()


def table(title: str, says: str, *columns: Column, labels: dict[str, str], size: tuple[int, int] = (24, 9)) -> Panel:
    """A row for each set of labels, which all columns must have alike. `labels` gives the labels' titles."""
    queries = tuple(Query(column.expr, now=True, format="table") for column in columns)
    names = {f"Value #{chr(ord('A') + place)}": column.name for place, column in enumerate(columns)}
    if len(columns) == 1:
        names = {"Value": columns[0].name}
    overrides = []
    for column in columns:
        properties: list[dict[str, Any]] = [{"id": "unit", "value": column.unit}]
        if column.steps:
            cell = {"type": "color-text"}
            properties += [
                {"id": "thresholds", "value": _thresholds(column.steps, None)},
                {"id": "custom.cellOptions", "value": cell},
            ]
        if column.mappings:
            properties += [
                {"id": "mappings", "value": list(column.mappings)},
                {"id": "custom.cellOptions", "value": {"type": "color-text"}},
            ]
        overrides.append({"matcher": {"id": "byName", "options": column.name}, "properties": properties})
    order = {name: place for place, name in enumerate([*labels, *names])}
    body = {
        "fieldConfig": {
            "defaults": {
                "unit": "short",
                "color": {"mode": "thresholds"},
                "custom": {"align": "auto", "filterable": True, "inspect": False},
                "thresholds": _thresholds((), None),
            },
            "overrides": overrides,
        },
        "options": {"cellHeight": "sm", "showHeader": True, "footer": {"show": False, "reducer": ["sum"]}},
        "transformations": [
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True, "__name__": True},
                    "indexByName": order,
                    "renameByName": {**labels, **names},
                },
            },
        ],
    }
    return _panel("table", title, says, queries, size, body)


def timeline(
    title: str, says: str, *queries: Query, unit: str = "none", size: tuple[int, int] = (24, 7), firing: bool = False
) -> Panel:
    """Bands of states over time: up and down, or firing and not."""
    mappings = [{"type": "value", "options": {"1": {"text": "firing", "color": RED}}}] if firing else UP
    body = {
        "fieldConfig": {
            "defaults": {
                "unit": unit,
                "color": {"mode": "thresholds"},
                "custom": {"fillOpacity": 70, "lineWidth": 0, "spanNulls": False, "insertNulls": False},
                "mappings": mappings,
                "thresholds": _thresholds((), None),
            },
            "overrides": [],
        },
        "options": {
            "alignValue": "left",
            "legend": {"displayMode": "list", "placement": "bottom", "showLegend": not firing},
            "mergeValues": True,
            "rowHeight": 0.8,
            "showValue": "never",
            "tooltip": {"mode": "single", "sort": "none"},
        },
    }
    return _panel("state-timeline", title, says, queries, size, body)


def _plain() -> dict[str, Any]:
    """How fields are shown that are texts and no figures."""
    return {"defaults": {"unit": "none"}, "overrides": []}


def lines(title: str, says: str, query: LogQuery, size: tuple[int, int] = (24, 10)) -> Panel:
    """Lines of logs, newest first; each opens, and leads to its trace."""
    body = {
        "fieldConfig": _plain(),
        "options": {
            "dedupStrategy": "none",
            "enableLogDetails": True,
            "prettifyLogMessage": False,
            "showCommonLabels": False,
            "showLabels": False,
            "showTime": True,
            "sortOrder": "Descending",
            "wrapLogMessage": True,
        },
    }
    return _panel("logs", title, says, (query,), size, body)


def traces(title: str, says: str, query: TraceSearch, size: tuple[int, int] = (12, 9)) -> Panel:
    """A row for each trace, which leads to it."""
    body = {
        "fieldConfig": {"defaults": {"unit": "none", "custom": {"align": "auto", "filterable": True}}, "overrides": []},
        "options": {"cellHeight": "sm", "showHeader": True, "footer": {"show": False, "reducer": ["sum"]}},
    }
    return _panel("table", title, says, (query,), size, body)


def calls(title: str, says: str, size: tuple[int, int] = (12, 12)) -> Panel:
    """Services and who calls whom, as a graph."""
    return _panel("nodeGraph", title, says, (CallGraph(),), size, {"fieldConfig": _plain(), "options": {}})
