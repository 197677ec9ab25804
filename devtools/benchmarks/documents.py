"""The documents that show the published figures: page and chart, all figures, and the page on scaling."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from devtools.benchmarks.chart import draw_chart
from devtools.benchmarks.headline import headline_table, lead
from devtools.benchmarks.published import MeasuredRow, Published
from devtools.benchmarks.scaling.page import scaling_tables
from devtools.benchmarks.table import COLUMNS, cells
from devtools.document_tables import table_of, write_between

PAGE, ALL_FIGURES, CHART = "performance.md", "performance-figures.md", "pictures/performance.svg"
SCALING = "scaling.md"
_BEGIN, _END = "<!-- made by ./bench --write -->", "<!-- end of what ./bench made -->"
_INTRODUCTION = """\
# All figures of the benchmarks

Made by `./bench --write`: each row as it was measured last. The figures that matter are in
[performance.md](performance.md); what the rows do, and what limits them, in
[performance-limits.md](performance-limits.md). *raw* is the figure of a plain client in the same run, *ratio*
the median of the runs' own ratios.
"""


def write_documents(directory: Path, published: Published) -> None:
    """Writes the figures between the marks of the two pages, and chart and table of all figures anew."""
    _write_figures(directory / PAGE, [lead(published), "", *headline_table(published)])
    if (directory / SCALING).exists():
        _write_figures(directory / SCALING, scaling_tables(published))
    (directory / CHART).parent.mkdir(exist_ok=True)
    (directory / CHART).write_text(draw_chart(published))
    (directory / ALL_FIGURES).write_text(_all_figures(published))


def _write_figures(path: Path, lines: Sequence[str]) -> None:
    write_between(path, _BEGIN, _END, ["", *lines, ""])


def _all_figures(published: Published) -> str:
    sections = (section for name, row in published.rows.items() for section in _section(name, row))
    return "\n".join([_INTRODUCTION, *sections])


def _section(name: str, row: MeasuredRow) -> Iterator[str]:
    machine = "; ".join(f"{key}: {value}" for key, value in row.machine.items())
    yield from (f"## {name}", "", f"{row.measured}; {machine}", "")
    yield from table_of(COLUMNS, (list(cells(line)) for line in row.lines))
    yield ""
