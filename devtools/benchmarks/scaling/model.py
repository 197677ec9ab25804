"""The model: capacity follows from the CPU time that an order takes.

Two laws. On one machine, all processes and the load share the cores, so the rate is their time divided by the
CPU of an order (the utilisation law). Beyond one machine, each part has units of its own, and the rate is at
most what the units of the scarcest part carry (the bottleneck law).
"""

import math
from collections.abc import Iterator
from typing import NamedTuple

from devtools.benchmarks.published import Key, Published

GENERATOR = Key("orders", "1 item, 16 clients for 20 s", "CPU of the generator")
CALIBRATION = Key("orders", "1 item, 16 clients for 20 s", "settled")
"""The one measured rate that the model takes as it is: how much of the cores' time is used."""
PLANNED_SHARE = 0.7
"""The share of a unit that is planned with: the rest is for bursts, and for the loss of one."""
_ONE_CLIENT = ", 1 client"
_CPU_SUFFIX = ": CPU an order"
_ALL = "all of them"
_WHOLE = "CPU of the whole system a request"
_SECOND = 1e6
"""In microseconds, as all CPU here."""


class NotMeasured(Exception):
    """A figure that the model needs is not among the published ones."""


class Point(NamedTuple):
    """A measured rate beside the one that the model gives, both per second."""

    row: str
    case: str
    measured: float
    predicted: float

    @property
    def deviation(self) -> float:
        """How much more the model gives, as a share of what was measured."""
        return self.predicted / self.measured - 1


class Range(NamedTuple):
    """Orders a second: at least, and at most."""

    least: float
    most: float


def value(published: Published, key: Key) -> float:
    """The median of a figure. Raises NotMeasured."""
    line = published.find(key)
    if line is None:
        raise NotMeasured(" / ".join(key))
    return line.median


def cores_of(published: Published, row: str) -> int:
    """The cores of the machine on which this row was measured."""
    return int(published.rows[row].machine["processor"].split(", ")[1].split()[0])


def rate_of_machine(cores: float, micros: float, generator: float, share: float) -> float:
    """Requests a second, if each takes so much CPU and this share of the cores' time is used."""
    return share * cores * _SECOND / (micros + generator)


def share_used(published: Published) -> float:
    """The share of the cores' time that the calibrating case used for orders and load."""
    micros = value(published, Key(CALIBRATION.row, CALIBRATION.case + _CPU_SUFFIX, _ALL))
    whole = rate_of_machine(cores_of(published, CALIBRATION.row), micros, value(published, GENERATOR), 1)
    return value(published, CALIBRATION) / whole


def measured_points(published: Published) -> Iterator[Point]:
    """Every published case that has its rate and the CPU of one request in the whole system.

    Not those of one client: it waits for each answer, and the cores are not full.
    """
    generator, share = value(published, GENERATOR), share_used(published)
    for row in published.rows:
        cores = cores_of(published, row)
        for case, rate, micros in _cases(published, row):
            if case.endswith(_ONE_CLIENT):
                continue
            yield Point(row, case, rate, rate_of_machine(cores, micros, generator, share))


def _cases(published: Published, row: str) -> Iterator[tuple[str, float, float]]:
    for line in published.rows[row].lines:
        if line.case.endswith(_CPU_SUFFIX) and line.figure == _ALL:
            case = line.case.removesuffix(_CPU_SUFFIX)
            yield case, value(published, Key(row, case, "settled")), line.median
        elif line.figure.startswith(_WHOLE):
            yield line.case, value(published, Key(row, line.case, "answered;")), line.median


def carried_by_core(micros: float) -> float:
    """Orders a second for which one core has the time."""
    return _SECOND / micros


def units_for(rate: float, carried: float) -> int:
    """How many units a rate needs of which each carries so many orders a second, with the planned share."""
    return math.ceil(rate / (PLANNED_SHARE * carried))
