"""Log lines of a process: JSON for a collector or text for people, and never a secret."""

import json
import subprocess
import sys
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import structlog

from foundation.logging import lines_written_together

Entries = list[dict[str, Any]]

PROGRAM = """
import logging, sys, structlog
from foundation.logging import logging_config
logging_config(sys.argv[1])
log = structlog.get_logger("shop")
structlog.contextvars.bind_contextvars(
    trace_parent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
    order="o-1", user="7", group="g", topic="t", partition=1, offset=42,
)
log.info("order placed", password="hunter2", token="abc.def", total=12.5)
logging.getLogger("library").warning("cannot reach %s", "mongodb://app:hunter2@db:27017/shop")
logging.getLogger("library").info("more", extra={"attempt": 2})
log.debug("too fine")
try:
    raise ValueError("no such thing at postgres://app:hunter2@db/shop")
except ValueError:
    local_secret = "hunter2"
    log.exception("it failed")
"""


def lines(log_format: str) -> list[str]:
    command = [sys.executable, "-c", PROGRAM, log_format]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout == ""
    assert "hunter2" not in done.stderr
    return done.stderr.splitlines()


@pytest.fixture(scope="module")
def entries() -> Entries:
    return [json.loads(line) for line in lines("json")]


def test_every_line_is_json_with_the_bound_values(entries: Entries) -> None:
    assert [entry["message"] for entry in entries] == [
        "order placed",
        "cannot reach mongodb://app:***@db:27017/shop",
        "more",
        "it failed",
    ]
    for entry in entries:
        assert datetime.fromisoformat(entry["@timestamp"]).utcoffset() is not None
        assert entry["trace.id"] == "0af7651916cd43dd8448eb211c80319c"
        assert (entry["order.id"], entry["user.id"]) == ("o-1", "7")
        assert (entry["kafka.group"], entry["kafka.topic"]) == ("g", "t")
        assert (entry["kafka.partition"], entry["kafka.offset"]) == (1, 42)


def test_a_line_has_its_level_logger_and_facts(entries: Entries) -> None:
    placed, warning, more, _ = entries
    assert (placed["log.level"], placed["log.logger"], placed["total"]) == ("info", "shop", 12.5)
    assert (warning["log.level"], warning["log.logger"]) == ("warning", "library")
    assert more["attempt"] == 2


def test_secrets_are_masked(entries: Entries) -> None:
    placed = entries[0]
    assert placed["password"] == placed["token"] == "***"


def test_an_exception_is_one_line_with_type_text_and_traceback(entries: Entries) -> None:
    failed = entries[-1]
    assert failed["error.type"] == "ValueError"
    assert failed["error.message"] == "no such thing at postgres://app:***@db/shop"
    assert failed["error.stack_trace"].startswith("Traceback")


def test_on_a_console_a_line_is_text() -> None:
    text = lines("console")
    assert "order placed" in text[0]
    assert "order=o-1" in text[0]
    assert any(line.startswith("ValueError") for line in text)


def test_a_log_that_cannot_be_written_stops_no_process() -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM + 'print("done")', "json"],
            check=False,
            stdout=subprocess.PIPE,
            stderr=full,
            text=True,
            timeout=60,
        )
    assert done.stdout == "done\n"


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_text_that_is_not_unicode_is_escaped(log_format: str) -> None:
    program = (
        f'import structlog; from foundation.logging import logging_config; logging_config("{log_format}")\n'
    )
    program += r'structlog.get_logger("shop").info("read", name="\ud800", pieces=2)'
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    [line] = done.stderr.splitlines()
    assert r"\ud800" in line
    assert log_format == "console" or json.loads(line)["pieces"] == 2


def test_text_of_a_library_cannot_break_a_line_on_a_console() -> None:
    program = (
        'import logging, sys; from foundation.logging import logging_config; logging_config("console")\n'
    )
    program += r'logging.getLogger("library").warning("cannot\nreach %s", "\x1b[31m")'
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    [line] = done.stderr.splitlines()
    assert r"'cannot\nreach \x1b[31m'" in line


def test_lines_that_are_written_together_come_whole_and_in_their_order(
    capfd: pytest.CaptureFixture[str],
) -> None:
    log = structlog.get_logger("together")
    with lines_written_together():
        for number in range(100):
            log.info("a line", number=number)
        assert capfd.readouterr().err == ""
    lines = capfd.readouterr().err.splitlines()
    assert [line.rpartition("=")[2] for line in lines] == [str(number) for number in range(100)]
    log.info("and one more")
    assert "and one more" in capfd.readouterr().err
