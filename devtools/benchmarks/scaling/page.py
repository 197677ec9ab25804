"""The tables of docs/scaling.md."""

from collections.abc import Iterator, Sequence

from devtools.benchmarks.published import Published
from devtools.benchmarks.scaling.model import (
    CALIBRATION,
    NotMeasured,
    Point,
    measured_points,
    share_used,
    units_for,
)
from devtools.benchmarks.scaling.parts import PARTS, RATES, Part
from devtools.benchmarks.scaling.volumes import VOLUMES
from devtools.benchmarks.table import number
from devtools.document_tables import table_of

_RATE_COLUMNS = tuple(f"at {rate:,}/s" for rate in RATES)


def scaling_tables(published: Published) -> list[str]:
    """The lines between the marks; one sentence while a figure is missing."""
    try:
        return [*_units(published), "", *_limits(published), "", *_volumes(), "", *_points(published)]
    except NotMeasured as missing:
        return [f"Not measured: {missing}."]


def _units(published: Published) -> Iterator[str]:
    yield "### Units that a rate needs"
    yield ""
    columns = ("one unit", "carries, orders/s", "measured alone", *_RATE_COLUMNS, "more units by")
    yield from table_of(columns, (list(_unit_cells(part, published)) for part in PARTS))


def _unit_cells(part: Part, published: Published) -> Iterator[str]:
    least, most = part.carried(published)
    yield part.words
    yield number(least) if least == most else f"{number(least)} to {number(most)}"
    yield part.alone.words if part.alone else ""
    for rate in RATES:
        units = units_for(rate, least)
        yield f"{units}" if not part.most or units <= part.most else f"**{units}** of {part.most}"
    yield f"{part.kind}: {part.more_by}"


def _limits(published: Published) -> Iterator[str]:
    yield "### What limits first"
    yield ""
    limits = sorted((limit, part) for part in PARTS if (limit := part.limit(published)))
    rows = ([part.words, str(part.most), number(limit), part.kind] for limit, part in limits)
    yield from table_of(("part", "units that can work", "limit, orders/s", "raised by"), rows)


def _volumes() -> Iterator[str]:
    yield "### What a day leaves behind"
    yield ""
    rows = (
        [each.words, f"{each.order:,}", *(f"{number(each.gigabytes_a_day(rate))} GB" for rate in RATES)]
        for each in VOLUMES
    )
    yield from table_of(("what", "bytes an order", *_RATE_COLUMNS), rows)


def _points(published: Published) -> Iterator[str]:
    yield "### The model beside what was measured"
    yield ""
    yield f"Share of the cores' time that is used, from the case with a star: {share_used(published):.0%}."
    yield ""
    rows = map(_point_cells, measured_points(published))
    yield from table_of(("row", "case", "measured", "model", "model is off by"), rows)


def _point_cells(point: Point) -> Sequence[str]:
    star = " \\*" if (point.row, point.case) == CALIBRATION[:2] else ""
    rates = (f"{number(rate)} /s" for rate in (point.measured, point.predicted))
    return [point.row, point.case + star, *rates, f"{point.deviation:+.0%}"]
