"""The dashboards in the repository are what their generator gives, and what Grafana can read without a complaint.

That every query of them is answered is seen against a live server: tests/scenarios/dashboards.rs.
"""

from __future__ import annotations

import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

HERE = Path(__file__).resolve().parent
BOARDS: dict[str, dict[str, Any]] = {
    path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(HERE.glob("*.json"))
}
# One for each area of the product, and one with what operators asked to see first.
AREAS = {
    "alerts",
    "hosts",
    "ingest",
    "jobs",
    "llm",
    "logs",
    "memory",
    "overview",
    "pipeline",
    "queues",
    "requests",
    "services",
    "traces",
    "watchkeeper",
    "workers",
}
COLUMNS = 24
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}
# The variable that chooses each type of data source.
SOURCES = {"prometheus": "datasource", "loki": "logs", "jaeger": "traces"}
VARIABLE = re.compile(r"\$\{?([a-z]\w*)")
OWN_METRIC = re.compile(r"\bwatchkeeper_\w+")
COUNTED = re.compile(r"_(?:bucket|sum|count)$")


def _panels(board: dict[str, Any]) -> list[dict[str, Any]]:
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def _overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
    above = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
    return not beside and not above


def test_the_files_are_what_the_generator_gives() -> None:
    """Whoever changes a board, or a threshold of a rule, runs the generator."""
    checked = subprocess.run(
        [sys.executable, "-B", HERE / "generator", "--check"], capture_output=True, text=True, check=False
    )
    said = checked.stdout + checked.stderr
    assert checked.returncode == 0, f"{said}\nrun: python deploy/grafana/generator"


def test_every_area_has_a_dashboard_and_each_has_an_address_of_its_own() -> None:
    """Links and provisioning know a dashboard by its uid."""
    assert set(BOARDS) == AREAS
    assert {name: board["uid"] for name, board in BOARDS.items()} == {name: f"watchkeeper-{name}" for name in AREAS}
    assert len({board["title"] for board in BOARDS.values()}) == len(AREAS)


@pytest.mark.parametrize("name", BOARDS)
def test_grafana_gives_the_id_and_the_dashboard_says_what_it_is(name: str) -> None:
    """A file with an id would overwrite another dashboard."""
    board = BOARDS[name]
    assert "id" not in board
    assert board["schemaVersion"] >= 39
    assert "watchkeeper" in board["tags"]
    assert board["description"].endswith(".")
    assert [link["title"] for link in board["links"]] == ["Dashboards", "Open Watchkeeper"]


@pytest.mark.parametrize("name", BOARDS)
def test_panels_lie_on_the_grid_and_on_nothing_else(name: str) -> None:
    """Grafana would move one of two that overlap, and the rows would no longer be what they say."""
    panels = BOARDS[name]["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] >= 0 and place["x"] + place["w"] <= COLUMNS and place["h"] > 0, panel["title"]
    for one, other in itertools.combinations(panels, 2):
        assert not _overlap(one["gridPos"], other["gridPos"]), (one["title"], other["title"])


@pytest.mark.parametrize("name", BOARDS)
def test_every_panel_says_what_it_shows_in_which_unit_and_what_to_look_for(name: str) -> None:
    """A number without a unit, or a line without a meaning, helps nobody at night."""
    titles = [panel["title"] for panel in _panels(BOARDS[name])]
    assert len(set(titles)) == len(titles), titles
    for panel in _panels(BOARDS[name]):
        assert panel["title"] and panel["description"].endswith((".", "?")), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        references = [target["refId"] for target in panel["targets"]]
        assert len(set(references)) == len(references), panel["title"]


@pytest.mark.parametrize("name", BOARDS)
def test_every_query_goes_to_the_chosen_data_source_and_knows_its_variables(name: str) -> None:
    """A variable that is not there would stay in the query as it is, and find nothing."""
    board = BOARDS[name]
    variables = {variable["name"]: variable for variable in board["templating"]["list"]}
    used: set[str] = {"datasource", "url"}
    for panel in _panels(board):
        source = panel["datasource"]
        assert source["uid"] == f"${{{SOURCES[source['type']]}}}", panel["title"]
        used.add(SOURCES[source["type"]])
        for target in panel["targets"]:
            assert target["datasource"] == source, panel["title"]
            texts = [target.get(field, "") for field in ("expr", "service")]
            used.update(name for text in texts for name in VARIABLE.findall(text))
    assert used == set(variables)
    for variable in variables.values():
        if variable["type"] == "datasource":
            assert SOURCES[variable["query"]] == variable["name"]
        if variable["type"] == "query":
            assert variable["datasource"]["uid"] == f"${{{SOURCES[variable['datasource']['type']]}}}"
            assert variable["multi"] == variable["includeAll"] == (variable.get("allValue") == ".*")
            if variable["datasource"] == DATASOURCE:
                assert variable["query"]["query"] == variable["definition"]


def test_every_metric_of_watchkeeper_itself_is_one_that_it_writes() -> None:
    """Some count what never happens in a test: a name that nobody writes would find nothing there, and for ever."""
    crates = HERE.parents[1] / "crates"
    source = "".join(path.read_text(encoding="utf-8") for path in sorted(crates.glob("*/src/**/*.rs")))
    written = set(re.findall(r'"(\w+)"', source))
    asked = {
        (name, COUNTED.sub("", metric))
        for name, board in BOARDS.items()
        for panel in _panels(board)
        for target in panel["targets"]
        for metric in OWN_METRIC.findall(target.get("expr", ""))
    }
    # The store names its metrics without what all begin with.
    unknown = {(n, metric) for n, metric in asked if not {metric, metric.removeprefix("watchkeeper_")} & written}
    assert asked and not unknown


def test_spans_beside_a_line_lead_to_their_traces() -> None:
    """An exemplar is a point without a meaning unless its trace can be opened."""
    targets = [target for panel in _panels(BOARDS["traces"]) for target in panel["targets"]]
    with_exemplars = [target for target in targets if target.get("exemplar")]
    assert with_exemplars and all("_bucket" in target["expr"] for target in with_exemplars)
    text = (HERE / "provisioning/datasources/watchkeeper.yml").read_text(encoding="utf-8")
    metrics, _, traces = yaml.safe_load(text)["datasources"]
    (link,) = metrics["jsonData"]["exemplarTraceIdDestinations"]
    assert (link["name"], link["datasourceUid"]) == ("trace_id", traces["uid"])


def test_the_pipeline_dashboard_has_what_operators_asked_for() -> None:
    """Their list: what to show, and as what."""
    shown = {(panel["title"], panel["type"]) for panel in _panels(BOARDS["pipeline"])}
    assert shown >= {
        ("Queue depth", "timeseries"),
        ("Memory usage", "gauge"),
        ("Memory usage over time", "timeseries"),
        ("CPU usage", "gauge"),
        ("CPU usage over time", "timeseries"),
        ("Job duration", "bargauge"),
        ("Job duration over time", "heatmap"),
        ("Worker uptime", "stat"),
        ("Error rate", "timeseries"),
    }


def test_provisioning_gives_the_data_source_that_the_dashboards_choose() -> None:
    """Without it, a fresh Grafana would show empty dashboards."""
    text = (HERE / "provisioning/datasources/watchkeeper.yml").read_text(encoding="utf-8")
    sources = yaml.safe_load(text)["datasources"]
    kinds = {each["type"]: each["url"] for each in sources}
    assert kinds == {
        "prometheus": "$WATCHKEEPER_URL/prometheus",
        "loki": "$WATCHKEEPER_URL",
        "jaeger": "$WATCHKEEPER_URL/jaeger",
    }
    for each in sources:
        assert each["jsonData"]["httpHeaderName1"] == "X-API-Key"
        assert each["secureJsonData"]["httpHeaderValue1"] == "$WATCHKEEPER_KEY"
    source, logs, traces = sources
    assert logs["jsonData"]["derivedFields"][0]["datasourceUid"] == traces["uid"]
    assert traces["jsonData"]["tracesToLogsV2"]["datasourceUid"] == logs["uid"]
    uids = {each["type"]: each["uid"] for each in sources}
    for board in BOARDS.values():
        chosen = [each for each in board["templating"]["list"] if each["type"] == "datasource"]
        assert chosen[0]["current"]["value"] == source["uid"]
        assert all(each["current"]["value"] == uids[each["query"]] for each in chosen)
    text = (HERE / "provisioning/dashboards/watchkeeper.yml").read_text(encoding="utf-8")
    (provider,) = yaml.safe_load(text)["providers"]
    assert provider["type"] == "file" and provider["options"]["path"].startswith("/")
