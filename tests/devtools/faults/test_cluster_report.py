"""The tables of the drill past one machine: what they say of drills, and what docs/scaling.md has."""

from pathlib import Path

import pytest

from devtools.document_tables import read_table
from devtools.faults.cluster.drill import Drill, Kill
from devtools.faults.cluster.report import DRILLS, KILLS, write_drills
from devtools.faults.violation import Violation
from tests.documents import ROOT

SCALING = ROOT / "docs" / "scaling.md"
COSTS = (("a broker", 0.5, 4.0, 5.0), ("a broker", 0.2, 9.0, 9.0), ("a daphne", 0.1, 1.0, 3.5))


@pytest.fixture
def drill() -> Drill:
    kills = [Kill(what, f"{what} {number}", *costs) for number, (what, *costs) in enumerate(COSTS)]
    done = Drill("cluster", 7, orders=90, messages=500, duplicates=8, kills=kills)
    done.load_seconds, done.finish_seconds = 61.4, 2.6
    return done


def test_a_drill_is_a_row_and_so_is_each_kind_of_kill(drill: Drill, tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(SCALING.read_text())
    write_drills(document, [drill])
    assert read_table(document, DRILLS) == [["1", "3", "61 s", "90", "500", "8", "3 s", "0", "0"]]
    assert read_table(document, KILLS) == [
        ["a broker", "2", "0.5 s", "6.5 s (at most 9.0 s)", "7.0 s (at most 9.0 s)"],
        ["a daphne", "1", "0.1 s", "1.0 s (at most 1.0 s)", "3.5 s (at most 3.5 s)"],
    ]
    assert document.read_text().count("## Finding your own limit") == 1, "what follows the tables is kept"


def test_what_was_lost_or_has_drifted_is_in_the_row(drill: Drill, tmp_path: Path) -> None:
    document = tmp_path / "document.md"
    document.write_text(SCALING.read_text())
    drill.broken = {"law": [Violation("lost", "", "a mail"), Violation("drift", "", "a stock")]}
    write_drills(document, [drill])
    [row] = read_table(document, DRILLS)
    assert row[-2:] == ["1", "1"]


def test_the_document_has_drills_in_which_nothing_was_lost() -> None:
    drills = read_table(SCALING, DRILLS)
    assert drills
    assert [row for row in drills if row[-2:] != ["0", "0"]] == []
    assert sum(int(row[1]) for row in drills) == sum(int(row[1]) for row in read_table(SCALING, KILLS))
