"""A dashboard: rows of panels, laid out on Grafana's grid of 24 columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from panel import Panel
from query import DATASOURCE, Variable, datasource_variable, url_variable

COLUMNS = 24


@dataclass(frozen=True)
class Row:
    """A heading and the panels below it, from the left to the right and on the next line where one does not fit."""

    title: str
    panels: tuple[Panel, ...]


@dataclass(frozen=True)
class Board:
    """A dashboard. `name` is that of its file and the end of its uid: it never changes, links know it."""

    name: str
    title: str
    description: str
    variables: tuple[Variable, ...]
    rows: tuple[Row, ...]
    tags: tuple[str, ...] = ()
    since: str = "now-6h"
    # Where on Watchkeeper's page a link leads.
    page: str = "/"

    def model(self) -> dict[str, Any]:
        """The dashboard as Grafana reads it from a file: without an id, which Grafana gives itself."""
        return {
            "uid": f"watchkeeper-{self.name}",
            "title": f"Watchkeeper / {self.title}",
            "description": self.description,
            "tags": ["watchkeeper", *self.tags],
            "schemaVersion": 39,
            "version": 1,
            "editable": True,
            "graphTooltip": 1,
            "refresh": "30s",
            "time": {"from": self.since, "to": "now"},
            "timepicker": {},
            "timezone": "browser",
            "weekStart": "",
            "fiscalYearStartMonth": 0,
            "liveNow": False,
            "links": self._links(),
            "annotations": {"list": [_annotation()]},
            "templating": {"list": [datasource_variable(), *(each.model() for each in self.variables), url_variable()]},
            "panels": self._panels(),
        }

    def _links(self) -> list[dict[str, Any]]:
        others = {
            "type": "dashboards",
            "title": "Dashboards",
            "tags": ["watchkeeper"],
            "asDropdown": True,
            "includeVars": True,
            "keepTime": True,
            "targetBlank": False,
            "icon": "external link",
            "tooltip": "",
            "url": "",
        }
        page = {
            "type": "link",
            "title": "Open Watchkeeper",
            "url": f"${{url}}{self.page}",
            "targetBlank": True,
            "icon": "external link",
            "tooltip": "Watchkeeper's own page: single jobs, tasks and alerts, with what to do",
            "tags": [],
            "asDropdown": False,
            "includeVars": False,
            "keepTime": False,
        }
        return [others, page]

    def _panels(self) -> list[dict[str, Any]]:
        placed: list[dict[str, Any]] = []
        top = 0
        for row in self.rows:
            heading = {"type": "row", "title": row.title, "collapsed": False, "panels": []}
            placed.append({"id": len(placed) + 1, **heading, "gridPos": _place(0, top, COLUMNS, 1)})
            left, line, tallest = 0, top + 1, 0
            for panel in row.panels:
                if left + panel.width > COLUMNS:
                    left, line, tallest = 0, line + tallest, 0
                model = {
                    "id": len(placed) + 1,
                    "title": panel.title,
                    "description": panel.description,
                    "gridPos": _place(left, line, panel.width, panel.height),
                    **panel.body,
                }
                placed.append(model)
                left, tallest = left + panel.width, max(tallest, panel.height)
            top = line + tallest
        return placed


def _place(left: int, top: int, width: int, height: int) -> dict[str, int]:
    return {"h": height, "w": width, "x": left, "y": top}


def _annotation() -> dict[str, Any]:
    """Times in which an alert fired, as marks in all graphs. Off until somebody wants to see them."""
    return {
        "name": "Alerts that fire",
        "datasource": DATASOURCE,
        "enable": False,
        "hide": False,
        "iconColor": "red",
        "target": {"expr": 'ALERTS{alertstate="firing",severity!="info"}', "refId": "Anno", "interval": "60s"},
        "titleFormat": "{{alertname}}",
        "textFormat": "{{queue}} {{worker}} {{stage}} {{host}} {{group}} {{service}} {{target}}",
        "tagKeys": "severity",
    }
