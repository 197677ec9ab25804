"""Grafana's JSON of a dashboard, by Grafana's own library."""

import json
from collections.abc import Callable, Mapping, Sequence
from itertools import count

from grafana_foundation_sdk.builders import dashboard as pages
from grafana_foundation_sdk.builders import prometheus, stat, table, timeseries
from grafana_foundation_sdk.builders.common import ReduceDataOptions, VizLegendOptions, VizTooltipOptions
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DataTransformerConfig,
    Threshold,
    ThresholdsMode,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from devtools.dashboards.description import Dashboard, Kind, Panel, Query

TAG = "stockbridge"
SOURCE = DataSourceRef(type_val="prometheus", uid="${datasource}")
"""The Prometheus that the reader has chosen at the top of the page."""
GRID_WIDTH, CHARTS_IN_A_LINE = 24, 3
HEIGHTS: Mapping[Kind, int] = {Kind.LINES: 8, Kind.NUMBER: 4, Kind.TABLE: 8}
GREEN, RED = "green", "red"
_REFS = "ABCDEFGH"

PanelBuilder = timeseries.Panel | stat.Panel | table.Panel


def json_of(described: Dashboard) -> str:
    """The file of a dashboard, as Grafana reads it."""
    page = (
        pages.Dashboard(described.title)
        .uid(f"{TAG}-{described.name}")
        .description(described.description)
        .tags([TAG])
        .readonly()
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .time("now-1h", "now")
        .refresh("30s")
        .timezone("browser")
        .with_variable(pages.DatasourceVariable("datasource").label("Prometheus").type("prometheus"))
        .link(
            pages.DashboardLink("Dashboards")
            .type(DashboardLinkType.DASHBOARDS)
            .tags([TAG])
            .as_dropdown(True)
            .keep_time(True)
        )
    )
    numbers = count(1)
    for row in described.rows:
        page.with_row(pages.Row(row.title).id(next(numbers)))
        for panel, width in zip(row.panels, _widths(row.panels), strict=True):
            page.with_panel(_panel(panel).id(next(numbers)).span(width))
    return json.dumps(page.build(), cls=JSONEncoder, indent=2, sort_keys=True) + "\n"


def _widths(panels: Sequence[Panel]) -> Sequence[int]:
    """The widths of panels that fill the width of the page; charts stand at most three side by side."""
    is_wide = panels[0].kind != Kind.NUMBER and len(panels) > CHARTS_IN_A_LINE
    in_a_line = (len(panels) + 1) // 2 if is_wide else len(panels)
    width, rest = divmod(GRID_WIDTH, in_a_line)
    return [width + (place % in_a_line < rest) for place in range(len(panels))]


def _panel(panel: Panel) -> PanelBuilder:
    builder = _BUILDERS[panel.kind](panel)
    builder.title(panel.title).description(panel.description).datasource(SOURCE)
    builder.unit(panel.unit).height(HEIGHTS[panel.kind])
    for ref, query in zip(_REFS, panel.queries, strict=False):
        builder.with_target(_target(ref, query, panel.kind))
    return builder


def _target(ref: str, query: Query, kind: Kind) -> prometheus.Dataquery:
    target = prometheus.Dataquery().ref_id(ref).datasource(SOURCE).expr(query.expression)
    if kind == Kind.TABLE:
        return target.instant().format(PromQueryFormat.TABLE)
    has_exemplars = "histogram_quantile" in query.expression
    return target.range().legend_format(query.name).exemplar(has_exemplars)


def _lines(_: Panel) -> timeseries.Panel:
    legend = VizLegendOptions().show_legend(True).display_mode(LegendDisplayMode.LIST)
    tooltip = VizTooltipOptions().mode(TooltipDisplayMode.MULTI)
    return (
        timeseries.Panel()
        .legend(legend.placement(LegendPlacement.BOTTOM))
        .tooltip(tooltip)
        .min(0)
        .fill_opacity(10)
        .line_width(1)
    )


def _number(panel: Panel) -> stat.Panel:
    return (
        stat.Panel()
        .graph_mode(BigValueGraphMode.AREA)
        .color_mode(BigValueColorMode.VALUE)
        .reduce_options(ReduceDataOptions().calcs(["lastNotNull"]))
        .thresholds(pages.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(_steps(panel)))
    )


def _steps(panel: Panel) -> list[Threshold]:
    """From which value on the number has which colour; the first step has no lower end."""
    steps = [Threshold(None, GREEN)]
    if panel.bad_below is not None:
        steps = [Threshold(None, RED), Threshold(panel.bad_below, GREEN)]
    if panel.bad_from is not None:
        steps.append(Threshold(panel.bad_from, RED))
    return steps


def _table(_: Panel) -> table.Panel:
    hidden = {"excludeByName": {"Time": True}}
    return table.Panel().with_transformation(DataTransformerConfig("organize", options=hidden))


_BUILDERS: Mapping[Kind, Callable[[Panel], PanelBuilder]] = {
    Kind.LINES: _lines,
    Kind.NUMBER: _number,
    Kind.TABLE: _table,
}
