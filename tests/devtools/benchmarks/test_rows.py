"""./bench works: rows run, their counts agree, and the relay needs few SQL statements."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from devtools.benchmarks.figures import MeasurementFailed, Options, lines_of, percentile, require_equal
from devtools.benchmarks.rows import ROWS
from devtools.benchmarks.rows.relay import BacklogResult, RelayResult
from devtools.stack.spawn import PROJECT


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "devtools.benchmarks", *arguments]
    return subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=230, check=False)


@pytest.mark.thorough
@pytest.mark.timeout(240)
@pytest.mark.parametrize("row", [row for row in ROWS if row != "board" or shutil.which("chromium")])
def test_each_row_measures_and_writes_its_figures(row: str, tmp_path: Path) -> None:
    figures, page = tmp_path / "figures.json", tmp_path / "performance.md"
    page.write_text("The page.\n")
    done = bench(row, "--quick", "--json", str(figures), "--write", str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
    lines: list[dict[str, Any]] = json.loads(figures.read_text())["lines"]
    assert {line["row"] for line in lines} == {row}
    assert all(line["median"] == 0 for line in lines if line["figure"] in {"oversell", "lost"})
    assert (tmp_path / "performance-figures.md").read_text().count("| 1 |") >= len(lines)


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
