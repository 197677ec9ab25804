"""./bench works: rows run, their counts agree, and the relay needs few SQL statements."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devtools.benchmarks.figures import MeasurementFailed, Options, lines_of, percentile, require_equal
from devtools.benchmarks.rows import ROWS
from devtools.benchmarks.rows.relay import BacklogResult, RelayResult
from devtools.benchmarks.table import write_block
from devtools.stack.spawn import PROJECT

DOCUMENT = "Before.\n<!-- made by ./bench --write -->\nold\n<!-- end of what ./bench made -->\nAfter.\n"


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "devtools.benchmarks", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=110, check=False)


@pytest.mark.thorough
@pytest.mark.timeout(240)
def test_the_command_measures_its_rows_and_writes_them_down(tmp_path: Path) -> None:
    figures, document = tmp_path / "figures.json", tmp_path / "performance.md"
    document.write_text(DOCUMENT)
    done = bench("reserve", "hot", "--quick", "--runs", "1", "--json", str(figures), "--write", str(document))
    assert done.returncode == 0, done.stdout + done.stderr
    lines: list[dict[str, Any]] = json.loads(figures.read_text())["lines"]
    ratios = {line["row"]: line["ratio"] for line in lines if line["ratio"]}
    assert ratios.keys() == {"reserve", "hot"}
    assert [line["median"] for line in lines if line["figure"] == "oversell"] == [0]
    assert document.read_text().count("| reserve | 32 clients, distinct orders |") == 4
    assert "old" not in document.read_text()


def test_the_relay_needs_at_most_one_statement_for_twenty_events() -> None:
    results = [result for _, result in ROWS["relay"].measure(Options(runs=1, quick=True))]
    (result,) = results
    assert isinstance(result, RelayResult)
    assert result.statements <= 0.05


def test_an_unknown_row_name_is_an_error() -> None:
    done = bench("nothing")
    assert done.returncode == 2
    assert "there is no row nothing" in done.stderr


def test_a_count_that_differs_fails_the_measurement() -> None:
    with pytest.raises(MeasurementFailed, match="answers: 9, expected 10"):
        require_equal("answers", 9, 10)


@pytest.mark.parametrize(("percent", "expected"), [(50, 50), (95, 95), (99, 99), (100, 100)])
def test_a_percentile_is_the_least_value_with_that_share_at_or_below(percent: float, expected: int) -> None:
    assert percentile(range(100, 0, -1), percent) == expected


def test_a_ratio_is_the_median_of_the_runs_own() -> None:
    pairs = [(10.0, 10.0), (10.0, 100.0), (90.0, 100.0)]
    runs = [("case", BacklogResult(messages=messages, raw=raw)) for messages, raw in pairs]
    ratio = next(lines_of("relay", runs)).ratio
    assert ratio == pytest.approx(0.9)


def test_a_block_is_written_between_the_marks_only(tmp_path: Path) -> None:
    document = tmp_path / "performance.md"
    document.write_text(DOCUMENT)
    lines = list(lines_of("relay", [("case", BacklogResult(messages=10.0, raw=20.0))]))
    write_block(document, {"processor": "one"}, lines)
    written = document.read_text()
    write_block(document, {"processor": "one"}, lines)
    assert document.read_text() == written
    assert written.startswith("Before.\n")
    assert written.endswith("\nAfter.\n")
    assert (
        "| relay | case | messages; raw: the same by confluent-kafka | 10 /s | 10 to 10 | 1 | 20 | 0.50 |"
        in written
    )
