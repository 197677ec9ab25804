"""The log lines of a running system, shipped, stored and searched as deploy/elk does it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import httpx
import pytest

from devtools.log_search import LogSearchServer
from devtools.stack.stack import Stack
from tests.logs.lines_by_otlp import ELK, STREAM, LinesByOtlp

pytestmark = [pytest.mark.elk, pytest.mark.timeout(1800)]

IDLE_SECONDS = 60
FOUND = {"order", "story", "trouble", "failures"}
"""The saved searches that find something in the lines of this system."""


def search(server: LogSearchServer, query: Mapping[str, Any], size: int = 1000) -> list[Any]:
    answer = httpx.post(f"{server.url}/{STREAM}/_search", json={"query": query, "size": size}, timeout=30)
    assert answer.status_code == 200, answer.text
    hits: list[Any] = answer.json()["hits"]["hits"]
    return hits


def test_every_line_of_the_system_is_stored(
    shipped: LinesByOtlp, log_search: LogSearchServer, stack: Stack
) -> None:
    assert shipped.refused == []
    count = httpx.get(f"{log_search.url}/{STREAM}/_count", timeout=30).json()["count"]
    assert count == len(shipped.stored) > 50
    assert search(log_search, {"exists": {"field": "labels.pipeline_error"}}) == []
    [one, *_] = search(log_search, {"term": {"process.name": "inventory"}}, size=1)
    assert one["_source"]["event"]["dataset"] == "stockbridge.log"
    of_brokers = search(log_search, {"term": {"log.file.path": str(stack.settings.logs / "stack.log")}})
    assert any("starting" in hit["_source"]["message"] for hit in of_brokers)


def test_every_field_of_every_line_can_be_searched(shipped: LinesByOtlp) -> None:
    template = json.loads((ELK / "index-template.json").read_text())["template"]["mappings"]
    known = set(mapped(template["properties"]))
    used = {name for line in shipped.stored for name in line if not name.startswith("labels.")}
    assert used - known == set()


def mapped(properties: Mapping[str, Any], before: str = "") -> Iterator[str]:
    """The whole names of the fields in a mapping."""
    for name, field in properties.items():
        yield from (
            mapped(field["properties"], f"{before}{name}.") if "properties" in field else [before + name]
        )


@pytest.mark.usefixtures("shipped")
def test_the_story_of_an_order_is_found_by_its_number(told: str, log_search: LogSearchServer) -> None:
    done = run_order_story(told, log_search)
    assert done.returncode == 0, done.stderr
    story = [line.split(maxsplit=1)[1] for line in done.stdout.splitlines()]
    assert done.stdout.splitlines() == sorted(done.stdout.splitlines(), key=lambda line: line[:23])
    for process, *words in (
        ("web", "request", "POST /api/v1/orders/ 201"),
        ("relay", "events sent", "order.created"),
        ("inventory", "handled", "inventory.reserve"),
        ("order", "handled", "inventory.reserved"),
        ("payment", "handled", "payment.requested"),
        ("order", "handled", "payment.succeeded"),
        ("email", "handled", "order.created"),
        ("analytics", "handled", "order.created"),
    ):
        assert any(line.startswith(process) and all(word in line for word in words) for line in story), (
            process,
            words,
            done.stdout,
        )


def test_an_order_that_no_line_names_is_said_to_be_unknown(log_search: LogSearchServer) -> None:
    done = run_order_story("NOBODY-HAS-IT", log_search)
    assert (done.returncode, done.stderr) == (1, "no stored line names the order NOBODY-HAS-IT\n")


def run_order_story(number: str, server: LogSearchServer) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ELK / "order_story.py", number],
        env=os.environ | {"ELASTICSEARCH_URL": server.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.usefixtures("shipped")
def test_every_saved_search_can_be_run_and_shows_fields_that_there_are(log_search: LogSearchServer) -> None:
    template = json.loads((ELK / "index-template.json").read_text())["template"]["mappings"]
    known = set(mapped(template["properties"]))
    found = set()
    for text in (ELK / "saved-searches.ndjson").read_text().splitlines():
        saved = json.loads(text)
        if saved["type"] == "search":
            source = json.loads(saved["attributes"]["kibanaSavedObjectMeta"]["searchSourceJSON"])
            if search(log_search, {"query_string": {"query": source["query"]["query"]}}):
                found.add(saved["id"].removeprefix("stockbridge-"))
            columns = {name for name in saved["attributes"]["columns"] if not name.startswith("labels.")}
            assert columns <= known
    assert found >= FOUND


def test_an_idle_system_logs_nothing(stack: Stack, told: str) -> None:
    """This waits for a minute, since that is what it is about."""
    assert told
    settled = {path: settled_size(path) for path in stack.settings.logs.glob("*.log")}
    threading.Event().wait(IDLE_SECONDS)
    said = {path.name: path.read_text()[size:] for path, size in settled.items()}
    assert {name: text for name, text in said.items() if text} == {}


def settled_size(path: Path) -> int:
    """How long the log is when nothing was added for two seconds."""
    size = -1
    while (now := len(path.read_text())) != size:
        size = now
        threading.Event().wait(2)
    return size
