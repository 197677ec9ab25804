"""./bench --write: page, chart and table of all figures show what was measured last."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

from devtools.benchmarks.chart import draw_chart
from devtools.benchmarks.documents import write_documents
from devtools.benchmarks.figures import Line
from devtools.benchmarks.headline import ACCEPTED, BACKLOG, HEADLINES, Headline, lead
from devtools.benchmarks.published import Key, MeasuredRow, Published, read_published, store_row
from devtools.stack.spawn import PROJECT

PAGE = "Before.\n<!-- made by ./bench --write -->\nearlier\n<!-- end of what ./bench made -->\nAfter.\n"
MACHINE = {"processor": "one, 2 cores"}


def line_of(key: Key, median: float = 10.0, runs: int = 5) -> Line:
    return Line(
        row=key.row,
        case=key.case,
        figure=f"{key.figure}; raw: something",
        unit="/s",
        runs=runs,
        median=median,
        least=median / 2,
        most=2 * median,
        raw=4 * median,
        ratio=0.25,
    )


def all_measured(runs: int) -> Published:
    everything = [line_of(headline.key, 7.0, runs) for headline in HEADLINES]
    return Published(
        {
            line.row: MeasuredRow("now", MACHINE, [each for each in everything if each.row == line.row])
            for line in everything
        }
    )


def store(directory: Path, key: Key, median: float) -> Published:
    order = [ACCEPTED.row, BACKLOG.row]
    return store_row(directory, key.row, MACHINE, [line_of(key, median)], order)


@pytest.fixture
def page(tmp_path: Path) -> Path:
    path = tmp_path / "performance.md"
    path.write_text(PAGE)
    return path


def test_the_page_has_the_figures_between_its_marks_only(page: Path) -> None:
    published = store(page.parent, ACCEPTED, 1234.0)
    for _ in range(2):
        write_documents(page.parent, published)
        written = page.read_text()
        assert written.startswith("Before.\n")
        assert written.endswith("\nAfter.\n")
        assert "earlier" not in written
        assert (
            written.count("| **1,234** /s | 617 to 2,468 | 5 | 4,936 | 0.25 | 2,500 /s | Node.js: 400 |") == 1
        )
    assert written.count("not measured") == len(HEADLINES) - 1


def test_a_row_that_is_measured_again_replaces_its_figures_and_leaves_the_others(page: Path) -> None:
    store(page.parent, BACKLOG, 50.0)
    store(page.parent, ACCEPTED, 10.0)
    store(page.parent, ACCEPTED, 20.0)
    published = read_published(page.parent)
    assert list(published.rows) == [ACCEPTED.row, BACKLOG.row]
    medians = [line.median for row in published.rows.values() for line in row.lines]
    assert medians == [20.0, 50.0]


def test_all_figures_are_shown_with_time_and_machine(page: Path) -> None:
    write_documents(page.parent, store(page.parent, ACCEPTED, 1234.0))
    written = (page.parent / "performance-figures.md").read_text()
    assert re.search(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC; processor: one, 2 cores", written)
    assert "| 1 item, 64 clients | accepted; raw: something | 1,234 /s |" in written


def test_the_lead_waits_until_all_its_figures_are_measured(page: Path) -> None:
    published = store(page.parent, ACCEPTED, 1234.0)
    assert lead(published) == ""
    assert "On one, 2 cores" in lead(all_measured(runs=5))
    assert "**7 orders a second**" in lead(all_measured(runs=5))


@pytest.mark.parametrize(("runs", "sentence"), [(1, "Figures of a single run."), (5, "Medians of 5 runs.")])
def test_the_lead_says_of_how_many_runs_it_is(runs: int, sentence: str) -> None:
    assert lead(all_measured(runs)).endswith(sentence)


def test_the_chart_needs_nothing_from_another_host_and_is_drawn_for_light_and_dark(page: Path) -> None:
    chart = draw_chart(store(page.parent, BACKLOG, 75_000.0))
    assert re.findall(r"https?://[^\"]+", chart) == ["http://www.w3.org/2000/svg"]
    assert "prefers-color-scheme: dark" in chart
    texts = [element.text for element in ElementTree.fromstring(chart).iter() if element.text]
    assert "75,000" in texts
    assert "Debezium 3.7" in texts


def test_every_headline_figure_is_of_a_row_and_case_that_was_measured() -> None:
    published = read_published(PROJECT / "docs")
    assert [headline.words for headline in HEADLINES if not published.find(headline.key)] == []


AT_MOST = {"ms", "s", "MB"}
"""The units of figures that are to be small."""


def meets(headline: Headline, line: Line) -> bool:
    """Whether the figure reaches all that is aimed at."""
    return all(reaches(part, line) for part in headline.aim.split(", "))


def reaches(aim: str, line: Line) -> bool:
    if aim.startswith("ratio "):
        return round(line.ratio or 0, 2) >= float(aim.removeprefix("ratio "))
    wanted, unit = aim.replace(",", "").split(" ")
    return line.median <= float(wanted) if unit in AT_MOST else line.median >= float(wanted)


@pytest.mark.parametrize(
    ("aim", "met"),
    [
        ("8 /s", True),
        ("12 /s", False),
        ("ratio 0.25", True),
        ("8 /s, ratio 0.3", False),
        ("12 ms", True),
        ("8 MB", False),
    ],
)
def test_an_aim_is_met_from_above_or_below_by_its_unit(aim: str, met: bool) -> None:
    assert meets(Headline("", BACKLOG, aim), line_of(BACKLOG)) is met


def test_a_row_that_is_short_of_its_aim_says_where_its_time_goes_and_what_the_next_step_is() -> None:
    published = read_published(PROJECT / "docs")
    text = (PROJECT / "docs" / "performance-limits.md").read_text()
    sections = dict(re.findall(r"^### (.+)$((?:(?!^##)[\s\S])+)", text, re.MULTILINE))
    short = {
        each.key.row
        for each in HEADLINES
        if each.aim and (line := published.find(each.key)) and not meets(each, line)
    }
    told = {row for row in short for heading, section in sections.items() if tells(heading, section, row)}
    assert short - told == set()


def tells(heading: str, section: str, row: str) -> bool:
    """Whether the section is about this row, and has its next step."""
    return row in heading.replace(",", " ").split() and "next step" in section.replace("\n", " ")
