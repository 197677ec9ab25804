"""The lines of all processes on one terminal."""

import logging
import sys

import pytest

from devtools.stack.console import Console

LINE = "2026-11-26 14:03:11.015 WARN  Kafka is unreachable: waiting"


class Terminal:
    """Standard output as a terminal."""

    def __init__(self) -> None:
        self.text = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> None:
        self.text += text

    def flush(self) -> None:
        """Nothing is kept back."""


def shown(monkeypatch: pytest.MonkeyPatch, *lines: str) -> str:
    """What a terminal shows of these lines of the relay."""
    terminal = Terminal()
    with monkeypatch.context() as patch:
        patch.setattr(sys, "stdout", terminal)
        write(*lines)
    return terminal.text


def write(*lines: str) -> None:
    Console().emit(logging.LogRecord("relay", logging.INFO, "", 0, "\n".join(lines), None, None))


def test_a_terminal_shows_time_and_level_in_colour_without_the_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    first, second = shown(monkeypatch, LINE, "a traceback").splitlines()
    assert first.endswith("\x1b[2m14:03:11.015\x1b[0m \x1b[33mWARN \x1b[0m Kafka is unreachable: waiting")
    assert second == "\x1b[36mrelay       |\x1b[0m a traceback"


def test_a_terminal_without_colours_shows_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    assert shown(monkeypatch, LINE) == "relay       | 14:03:11.015 WARN  Kafka is unreachable: waiting\n"


def test_a_file_has_the_whole_line(capsys: pytest.CaptureFixture[str]) -> None:
    write(LINE)
    assert capsys.readouterr().out == f"relay       | {LINE}\n"
