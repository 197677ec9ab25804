"""The model behind docs/scaling.md: it gives what was measured, and the document shows what it gives."""

from pathlib import Path

import pytest

from devtools.benchmarks.documents import SCALING, write_documents
from devtools.benchmarks.published import MeasuredRow, Published, read_published
from devtools.benchmarks.scaling.model import (
    carried_by_core,
    measured_points,
    rate_of_machine,
    units_for,
    value,
)
from devtools.benchmarks.scaling.page import scaling_tables
from devtools.benchmarks.scaling.parts import INVENTORY, MESSAGES_OF_AN_ORDER, PARTITIONS, RELAY, Part
from devtools.benchmarks.scaling.volumes import VOLUMES, Volume
from devtools.stack.spawn import PROJECT
from orders_app.event_effects import kafka_values
from tests.orders_app.golden_orders import ORDERS

DOCS = PROJECT / "docs"
TOLERANCE = 0.3
"""Single runs of one row differ by 20 to 40 % (docs/performance.md)."""


@pytest.fixture(scope="module")
def published() -> Published:
    return read_published(DOCS)


def test_the_model_gives_every_measured_rate_of_two_cores_within_a_third(published: Published) -> None:
    points = list(measured_points(published))
    assert len(points) > 15
    assert [point for point in points if abs(point.deviation) > TOLERANCE] == []


@pytest.mark.parametrize("part", [RELAY, INVENTORY], ids=lambda part: part.words)
def test_a_worker_alone_carries_more_than_its_cpu_in_the_whole_system_says_and_less_than_twice(
    part: Part, published: Published
) -> None:
    assert part.busy
    assert part.alone
    by_cpu, measured = carried_by_core(value(published, part.busy)), part.alone.carried(published)
    assert by_cpu < measured < 2 * by_cpu


def test_twice_the_cpu_is_half_the_rate_and_twice_the_cores_double_it() -> None:
    once = rate_of_machine(2, 900, 100, 0.8)
    assert once == pytest.approx(1_600)
    assert rate_of_machine(2, 1_900, 100, 0.8) == pytest.approx(once / 2)
    assert rate_of_machine(4, 900, 100, 0.8) == pytest.approx(2 * once)


@pytest.mark.parametrize(("rate", "units"), [(700, 1), (701, 2), (7_000, 10)])
def test_units_are_planned_at_seven_tenths_of_what_they_carry(rate: float, units: int) -> None:
    assert units_for(rate, 1_000) == units


def test_an_order_up_to_processing_is_as_many_messages_as_the_model_counts() -> None:
    events = ORDERS["006-analytics: delivered, cash on delivery"].events[:3]
    assert sum(len(kafka_values(event)) for event in events) == MESSAGES_OF_AN_ORDER


def test_the_number_of_partitions_is_the_default_of_the_setting() -> None:
    assert f"| `KAFKA_PARTITIONS` | {PARTITIONS} |" in (DOCS / "settings.md").read_text()


@pytest.mark.parametrize("volume", VOLUMES, ids=lambda volume: volume.words)
def test_what_an_order_leaves_behind_is_what_the_page_on_capacity_has(volume: Volume) -> None:
    assert volume.sentence in (DOCS / "capacity.md").read_text()


@pytest.mark.parametrize(
    ("decision", "figures"),
    [
        (
            "0025",
            ["| placing 32 | 176 | 119 |", "| recording 32 | 184 | 111 |", "| 100 | 11.0 ms | 6.8 ms |"],
        ),
        ("0034", ["12,500 a second"]),
    ],
)
def test_the_figures_of_decisions_that_the_model_cites_are_there(decision: str, figures: list[str]) -> None:
    [path] = (DOCS / "adr").glob(f"{decision}-*.md")
    assert [figure for figure in figures if figure not in path.read_text()] == []


def test_the_document_shows_what_the_model_gives_from_the_published_figures(published: Published) -> None:
    tables = "\n".join(scaling_tables(published))
    assert f"\n\n{tables}\n\n" in (DOCS / SCALING).read_text(), "./bench --rewrite writes them"


def test_the_page_is_written_with_the_figures_and_says_which_one_is_missing(tmp_path: Path) -> None:
    (tmp_path / "performance.md").write_text("")
    page = tmp_path / SCALING
    page.write_text("Before.\n<!-- made by ./bench --write -->\n<!-- end of what ./bench made -->\nAfter.\n")
    write_documents(tmp_path, Published({"orders": MeasuredRow("now", {"processor": "one, 2 cores"}, [])}))
    written = page.read_text()
    assert "Not measured: orders / 1 item, 64 clients: CPU an order / web." in written
    assert written.endswith("\nAfter.\n")
