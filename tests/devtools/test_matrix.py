"""The matrix names what docs/versions.md says, and tests that are there."""

import re
import subprocess
import sys

import pytest

from devtools.matrix.versions import COMMON, KAFKA, OF_KAFKA, OF_PYTHON, PYTHON, combinations
from tests.documents import ROOT, blocks

DOCUMENT = (ROOT / "docs" / "versions.md").read_text()
ROW = re.compile(r"^\| (?P<python>3\.\d+) \| (?P<kafka>\d+\.\d+\.\d+) \| (?P<words>[^|]+) \|", re.MULTILINE)


def matrix(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "devtools.matrix", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_table_has_no_unknown_combination_and_none_that_failed() -> None:
    rows = list(ROW.finditer(DOCUMENT))
    tried = {(row["python"], row["kafka"]) for row in rows}
    assert tried <= {(each.python, each.kafka) for each in combinations()}
    assert [row["words"] for row in rows if not re.fullmatch(r"\d+ passed.*", row["words"])] == []


def test_the_document_names_the_versions_of_the_matrix() -> None:
    for name, versions in {"Python": PYTHON, "Apache Kafka": KAFKA}.items():
        row, *_ = re.findall(rf"^\| {name} \|.*$", DOCUMENT, re.MULTILINE)  # others head the tables below
        assert [version for version in versions if version not in row] == []


def test_the_command_of_the_document_lists_the_combinations() -> None:
    [block] = [each for each in blocks() if each.document.name == "versions.md"]
    done = subprocess.run(block.text, shell=True, cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [each.name for each in combinations()]


def test_its_list_names_what_is_chosen_and_a_version_that_it_does_not_know_is_refused() -> None:
    listed = matrix("--list", "--kafka", KAFKA[0], "--python", PYTHON[-1])
    assert (listed.returncode, listed.stdout) == (0, f"Python {PYTHON[-1]}, Kafka {KAFKA[0]}\n")
    refused = matrix("--kafka", "3.9.0")
    assert refused.returncode == 2
    assert "invalid choice: '3.9.0'" in refused.stderr


def test_the_first_combination_has_all_tests_and_each_other_one_what_differs_in_it() -> None:
    first, *others = combinations()
    assert first.tests == (*COMMON, *OF_KAFKA, *OF_PYTHON)
    for each in others:
        assert each.tests == (*COMMON, *(OF_KAFKA if each.python == PYTHON[0] else OF_PYTHON))


@pytest.mark.parametrize("path", [*COMMON, *OF_KAFKA, *OF_PYTHON])
def test_its_tests_are_there(path: str) -> None:
    assert (ROOT / path).exists()
