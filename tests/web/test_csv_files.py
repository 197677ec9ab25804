"""Tables as CSV: what is in them is what was put in, and no text is executed as a formula."""

import csv
import io
import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from web import csv_files
from web.csv_files import csv_file


def content(answer: Any) -> str:
    text = b"".join(answer.streaming_content).decode()
    answer.close()
    return text


def test_a_table_is_read_as_it_was_written() -> None:
    rows: list[list[object]] = [["Größe, 4", 'the "best"', Decimal("-1.50")], ["two\nlines", "", None]]
    answer = csv_file("all.csv", ["a", "b", "c"], rows)
    read = list(csv.reader(io.StringIO(content(answer), newline="")))
    assert read == [["a", "b", "c"], ["Größe, 4", 'the "best"', "-1.50"], ["two\nlines", "", ""]]
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="all.csv"'


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "\r=1", "\n=1"])
def test_text_that_a_spreadsheet_would_execute_begins_with_an_apostrophe(text: str) -> None:
    read = csv.reader(io.StringIO(content(csv_file("x.csv", ["a"], [[text]])), newline=""))
    assert [*read][1] == [f"'{text}"]


def test_a_large_table_is_not_kept_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_files, "IN_MEMORY_BYTES", 100)
    answer: Any = csv_file("x.csv", ["a"], (["row"] for _ in range(100)))
    file = answer.file_to_stream
    assert os.fstat(file.fileno()).st_size == int(answer["Content-Length"]) == len("a\r\n") + 100 * 5
    answer.close()
    assert file.closed


def test_rows_that_cannot_be_read_are_an_error_before_the_answer_begins() -> None:
    def rows() -> Any:
        yield ["first"]
        raise RuntimeError(Path(__file__).name)

    with pytest.raises(RuntimeError):
        csv_file("x.csv", ["a"], rows())
