"""What commands print: tables as wide as the terminal, text that cannot steer it, one line for a fault."""

import os
import pty
import subprocess
import sys
from argparse import ArgumentTypeError
from io import StringIO

import pytest
from django.core.management.base import OutputWrapper

from foundation.operator_command import (
    Column,
    number_argument,
    seconds_argument,
    time_argument,
    write_table,
)
from foundation.printable import printable, printable_json, printable_lines

COLUMNS = (
    Column("coordinates"),
    Column("at"),
    Column("error", stretches=True),
    Column("key", on_terminal=False),
)
PLACE = "products-service-group.dlq/0/17"
ROWS = [
    [PLACE, "2026-11-22T10:00:00+00:00", "E: " + "long " * 100, "k" * 200],
    [PLACE, "2026-11-22T10:00:00+00:00", "E: \x1b[2J\nsecond line", "\u202e"],
]
ON_A_TERMINAL = """
import sys
from django.core.management.base import OutputWrapper
from foundation.operator_command import write_table
from tests.foundation.test_operator_command import COLUMNS, ROWS
write_table(OutputWrapper(sys.stdout), COLUMNS, ROWS)
"""


def test_a_table_elsewhere_than_on_a_terminal_has_whole_lines_with_tabs() -> None:
    out = StringIO()
    write_table(OutputWrapper(out), COLUMNS, ROWS)
    header, first, second = out.getvalue().splitlines()
    assert header.split("\t") == ["coordinates", "at", "error", "key"]
    assert first.split("\t") == ROWS[0]
    assert second.split("\t")[2:] == [r"E: \x1b[2J\nsecond line", r"\u202e"]


@pytest.mark.parametrize("width", [80, 100])
def test_a_table_on_a_terminal_has_one_line_a_row_within_the_width(width: int) -> None:
    controller, terminal = pty.openpty()
    command = [sys.executable, "-c", ON_A_TERMINAL]
    environment = os.environ | {"COLUMNS": str(width), "TERM": "dumb"}
    subprocess.run(command, stdout=terminal, env=environment, check=True, timeout=60)
    os.close(terminal)
    with os.fdopen(controller, "rb", buffering=0) as reading:
        lines = reading.read(100_000).decode().splitlines()
    assert len(lines) == 3
    assert all(len(line) <= width for line in lines)
    assert all(line.startswith(PLACE) for line in lines[1:])
    assert lines[1].rstrip().endswith("…")
    assert r"\x1b[2J" in lines[2]
    assert "k" * 20 not in lines[1]


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Zoë 漢字 \U0001f600", "Zoë 漢字 \U0001f600"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("\x9b31m\x7f", r"\x9b31m\x7f"),
        ("a\r\nb\tc", r"a\r\nb\tc"),
        ("\u202egnp.exe\u2028", r"\u202egnp.exe\u2028"),
        ("\ud800", r"\ud800"),
    ],
)
def test_characters_that_steer_a_terminal_are_escaped(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_escaped_lines_stay_lines_and_escaped_json_stays_the_same_json() -> None:
    assert printable_lines("one\x1b\ntwo") == "one\\x1b\ntwo"
    assert (
        printable_json('{\n "ë": "\x9b\u202e\U000e0001"\n}') == '{\n "ë": "\\u009b\\u202e\\udb40\\udc01"\n}'
    )


def test_arguments_say_which_form_they_take() -> None:
    assert time_argument("2026-11-22").isoformat() == "2026-11-22T00:00:00+00:00"
    assert number_argument(1, "letters")("3") == 3
    assert seconds_argument("0.5") == 0.5
    for parse, text in (
        (time_argument, "2026-13-01"),
        (number_argument(1, "letters"), "0"),
        (number_argument(1, "letters"), "1.5"),
        (seconds_argument, "nan"),
        (seconds_argument, "inf"),
        (seconds_argument, "-1"),
    ):
        with pytest.raises(ArgumentTypeError, match=f"'{text}' is no "):
            parse(text)
