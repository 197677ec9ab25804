"""Log lines of a process: JSON for a collector or text for people, and never a secret."""

import json
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from select import PIPE_BUF
from typing import Any
from uuid import uuid4

import pytest
import structlog
from structlog.types import EventDict

from foundation.batch_lines import log_batch
from foundation.console_line import ConsoleLine
from foundation.lasting_trouble import LastingTrouble
from foundation.logging import lines_written_together
from tests.conftest import log_format

Entries = list[dict[str, Any]]
ORDER = "019b7e2a-0b1c-7d3e-8f40-0123456789ab"

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
        logged = datetime.fromisoformat(entry["@timestamp"])
        assert timedelta(0) <= datetime.now(UTC) - logged < timedelta(minutes=1)
        assert entry["trace.id"] == "0af7651916cd43dd8448eb211c80319c"
        assert (entry["order.id"], entry["user.id"]) == ("o-1", "7")
        assert (entry["kafka.group"], entry["kafka.topic"]) == ("g", "t")
        assert (entry["kafka.partition"], entry["kafka.offset"]) == (1, 42)


def test_a_line_has_its_level_logger_and_facts(entries: Entries) -> None:
    placed, warning, more, _ = entries
    assert (placed["log.level"], placed["log.logger"], placed["labels.total"]) == ("info", "shop", 12.5)
    assert (warning["log.level"], warning["log.logger"]) == ("warning", "library")
    assert more["labels.attempt"] == 2


def test_secrets_are_masked(entries: Entries) -> None:
    placed = entries[0]
    assert placed["labels.password"] == placed["labels.token"] == "***"


def test_an_exception_is_one_line_with_type_text_and_traceback(entries: Entries) -> None:
    failed = entries[-1]
    assert failed["error.type"] == "ValueError"
    assert failed["error.message"] == "no such thing at postgres://app:***@db/shop"
    assert failed["error.stack_trace"].startswith("Traceback")


def test_on_a_console_a_line_is_text() -> None:
    text = lines("console")
    assert re.fullmatch(
        r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} INFO  "
        r"order placed {23}password=\*\*\* token=\*\*\* total=12\.5 "
        r"record=t/1/42 user=7 order=o-1 group=g trace=0af7651916cd43dd8448eb211c80319c",
        text[0],
    )
    assert " WARN  cannot reach mongodb://app:***@db:27017/shop " in text[1]
    assert text[1].endswith(" (library)")
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
    program += f"from uuid import UUID; ids = [UUID({ORDER!r})]\n"
    program += r'structlog.get_logger("shop").info("read", name="\ud800", order=ids, pieces=2)'
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, timeout=60
    )
    [line] = done.stderr.splitlines()
    assert r"\ud800" in line
    assert ORDER in line
    assert log_format == "console" or json.loads(line)["labels.pieces"] == 2


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


def printed(script: str) -> str:
    """What a process with this script logs."""
    command = [sys.executable, "-c", "import logging, structlog\n" + script]
    return subprocess.run(command, check=True, capture_output=True, text=True, timeout=60).stderr


def test_a_module_has_the_level_that_is_set_for_it_or_for_a_package_around_it() -> None:
    said = printed(
        "from foundation.logging import logging_config\n"
        "from foundation.log_levels import read_levels\n"
        "levels = read_levels(['warning', 'shop=debug', 'shop.mail=error', 'a.library=INFO'])\n"
        "logging_config('console', levels)\n"
        "for name in ('shop.orders', 'shop.mail.queue', 'shopping', 'a.library.part', 'access'):\n"
        "    for level in ('debug', 'info', 'warning', 'error'):\n"
        "        getattr(structlog.get_logger(name), level)(f'{name}:{level}')\n"
        "        getattr(logging.getLogger(name), level)(f'{name}:{level}')\n"
    )
    told = {
        name: re.findall(rf" {re.escape(name)}:(\w+)", said) for name in ("shop.orders", "shop.mail.queue")
    }
    assert told["shop.orders"] == [level for level in ("debug", "info", "warning", "error") for _ in range(2)]
    assert told["shop.mail.queue"] == ["error", "error"]
    assert re.findall(r" shopping:(\w+)", said) == ["warning", "warning", "error", "error"]
    assert re.findall(r" a.library.part:(\w+)", said) == [
        level for level in ("info", "warning", "error") for _ in range(2)
    ]


def test_a_line_says_which_process_wrote_it() -> None:
    said = printed(
        "from foundation.ecs_line import name_process\n"
        "from foundation.logging import logging_config\n"
        "logging_config('json')\n"
        "name_process('inventory')\n"
        "structlog.get_logger('shop').info('it works', nothing=None, ms=1.5)\n"
    )
    line = json.loads(said)
    assert list(line)[:3] == ["@timestamp", "log.level", "message"]
    assert (line["service.name"], line["process.name"]) == ("stockbridge", "inventory")
    assert isinstance(line["process.pid"], int)
    assert line["event.duration"] == 1_500_000
    assert "labels.nothing" not in line


def test_a_terminal_shows_colours_unless_it_is_told_not_to() -> None:
    entry = {
        "timestamp": "2026-11-26T14:03:11.015373Z",
        "level": "warning",
        "logger": "shop",
        "event": "sold out",
    }
    shown = ConsoleLine(coloured=True)(None, "warning", {**entry, "pieces": 2})
    assert "\x1b[33mWARN \x1b[0m sold out" in shown
    plain = ConsoleLine(coloured=False)(None, "warning", {**entry, "pieces": 2})
    assert re.sub(r"\x1b\[[\d;]*m", "", shown) == plain
    assert plain == f"2026-11-26 14:03:11.015 WARN  {'sold out':<34} pieces=2 (shop)"


def test_of_a_long_list_a_console_shows_the_beginning() -> None:
    entry = {"timestamp": "2026-11-26T14:03:11.015373Z", "level": "info", "logger": "shop", "event": "sent"}
    assert ConsoleLine(coloured=False)(None, "info", {**entry, "order": list("abcde")}).endswith(
        " order=a,b,c,+2"
    )


def test_an_id_is_its_text_on_a_console() -> None:
    entry = {"timestamp": "2026-11-26T14:03:11.015373Z", "level": "info", "logger": "shop", "event": "sent"}
    one, more = uuid4(), [uuid4()]
    line = ConsoleLine(coloured=False)(None, "info", {**entry, "event_id": one, "order": more})
    assert line.endswith(f" event_id={one} order={more[0]}")


def test_a_batch_is_logged_with_all_its_orders_in_lines_that_a_pipe_takes_whole(
    capfd: pytest.CaptureFixture[str],
) -> None:
    number = 100
    listed: dict[str, list[object]] = {
        "order": [uuid4() for _ in range(number)],
        "topic": ["order.status.changed"] * number,
        "trace_parent": [f"00-{uuid4().hex}-b7ad6b7169203331-01" for _ in range(number)],
    }
    with log_format("json"):
        log_batch(structlog.get_logger("batch"), "sent", listed, ms=2)
        log_batch(
            structlog.get_logger("batch"), "sent", {name: values[:1] for name, values in listed.items()}
        )
        log_batch(structlog.get_logger("batch"), "sent", {name: [] for name in listed})
    lines, orders = capfd.readouterr().err.splitlines(), [str(order) for order in listed["order"]]
    assert max(map(len, lines)) < PIPE_BUF
    *several, one = map(json.loads, lines)
    assert [order for line in several for order in line["order.id"]] == orders
    assert [trace for line in several for trace in line["trace.id"]] == [
        str(each).split("-")[1] for each in listed["trace_parent"]
    ]
    assert sum(line["labels.orders"] for line in several) == number
    assert (one["order.id"], one["kafka.topic"]) == (orders[0], "order.status.changed")


def test_a_trouble_that_lasts_is_two_lines_with_a_count_of_the_others(captured_log: list[EventDict]) -> None:
    trouble = LastingTrouble(
        structlog.get_logger("shop"), begins="no mail is sent", ends="mail is sent again"
    )
    trouble.end()
    for _ in range(5):
        trouble.meet(error="refused")
    trouble.meet(is_new=True, error="wrong password")
    trouble.end()
    trouble.end()
    assert [(entry["event"], entry.get("error"), entry.get("held_back")) for entry in captured_log] == [
        ("no mail is sent", "refused", None),
        ("no mail is sent", "wrong password", None),
        ("mail is sent again", None, 4),
    ]


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_mail_addresses_are_masked_wherever_they_stand(log_format: str) -> None:
    said = printed(
        "from foundation.logging import logging_config\n"
        f"logging_config('{log_format}')\n"
        "structlog.get_logger('shop').warning('refused', error='550 <zoe.m+a@mail.example.com> is unknown', "
        "path='/users/zoe@example.org/', to=['zoë@example.com'], client='relay@host:11914')\n"
    )
    assert said.count("***@***") == 3
    assert "zo" not in said
    assert "client" in said
    assert "relay@host:11914" in said
