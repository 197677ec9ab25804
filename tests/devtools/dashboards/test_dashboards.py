"""The dashboards for Grafana are as they are described, and described well."""

import json
import re
from pathlib import Path

import pytest
import yaml
from prometheus_client import Counter, Gauge, Histogram

from devtools.dashboards.description import Dashboard, Kind, Panel, Unit
from devtools.dashboards.files import DASHBOARDS, FOLDER, texts
from devtools.stack.spawn import PROJECT
from foundation import metrics

PROVISIONING = PROJECT / "deploy" / "grafana" / "provisioning"
RECORDS_WRITTEN = "stockbridge_topic_records_written"
METRIC = re.compile(r"stockbridge_[a-z0-9_]+")
each_dashboard = pytest.mark.parametrize("dashboard", DASHBOARDS, ids=lambda each: each.name)


def listed() -> dict[str, str]:
    """The kind of each metric that a query may name, by the name."""
    kinds: dict[str, str] = {}
    for metric in vars(metrics).values():
        if isinstance(metric, Counter | Gauge | Histogram):
            [family] = metric.describe()
            suffixes = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"]}
            kinds |= {f"{family.name}{suffix}": family.type for suffix in suffixes.get(family.type, [""])}
    return kinds


KINDS = listed()


def test_the_files_are_as_the_description_says() -> None:
    """`python -m devtools.dashboards` writes them."""
    assert {path.name: path.read_text() for path in FOLDER.glob("*")} == texts()


@each_dashboard
def test_panels_of_a_dashboard_can_be_told_apart(dashboard: Dashboard) -> None:
    titles = [panel.title for panel in dashboard.panels]
    assert len(set(titles)) == len(titles)
    page = json.loads(texts()[f"{dashboard.name}.json"])
    ids = [panel["id"] for panel in page["panels"]]
    assert len(set(ids)) == len(ids) > len(titles)
    assert all(
        panel["datasource"]["uid"] == "${datasource}" for panel in page["panels"] if "targets" in panel
    )


@each_dashboard
def test_the_page_has_no_gaps_and_no_panels_over_each_other(dashboard: Dashboard) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads(texts()[f"{dashboard.name}.json"])["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not taken & cells
        taken |= cells
    assert taken == {(x, y) for x in range(24) for y in range(1 + max(y for _, y in taken))}


@each_dashboard
def test_panels_say_what_they_show(dashboard: Dashboard) -> None:
    for panel in dashboard.panels:
        assert re.match(r"[A-Z0-9].*[^.]$", panel.title)
        assert re.search(r"[.`]$", panel.description), panel.title
        assert [query.name for query in panel.queries if query.name], panel.title


@each_dashboard
def test_queries_name_metrics_of_the_list_and_read_each_as_its_kind_is_read(dashboard: Dashboard) -> None:
    for expression in [query.expression for panel in dashboard.panels for query in panel.queries]:
        names = METRIC.findall(expression)
        assert names, expression
        assert set(names) <= KINDS.keys(), expression
        for name in names:
            is_rate = re.search(rf"(rate|increase)\({name}\b", expression) is not None
            # The records of a topic are counted by the broker, so that a gauge tells them.
            assert is_rate == (KINDS[name] != "gauge" or name == RECORDS_WRITTEN), expression


@each_dashboard
def test_the_unit_of_a_panel_is_that_of_its_metrics(dashboard: Dashboard) -> None:
    for panel in dashboard.panels:
        for query in panel.queries:
            assert panel.unit in units_of(query.expression, panel), panel.title


def units_of(expression: str, panel: Panel) -> set[Unit]:
    """The units that fit a query."""
    if " / " in expression:
        return {Unit.SHARE}
    if "histogram_quantile" in expression:
        return {Unit.SECONDS if "_seconds_bucket" in expression else Unit.COUNT}
    if "rate(" in expression:
        return {Unit.PER_SECOND}
    is_of_time = expression.startswith(("max(", "max by", "min(", "time()")) and "_seconds" in expression
    return {Unit.SECONDS} if is_of_time and panel.kind != Kind.TABLE else {Unit.COUNT}


@pytest.mark.parametrize("path", sorted(PROVISIONING.rglob("*.yml")), ids=lambda path: path.stem)
def test_grafana_is_told_where_its_data_and_dashboards_are(path: Path) -> None:
    document = yaml.safe_load(path.read_text())
    assert document["apiVersion"] == 1
    assert document.keys() & {"datasources", "providers"}
