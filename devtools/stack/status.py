"""`./start status`: what runs, what is behind and what is wrong, as seen from another shell."""

import http.client
import json
import os
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from devtools.stack import figures
from devtools.stack.figures import Figures
from devtools.stack.ports import reachable
from devtools.stack.settings import read_values
from devtools.stack.spawn import PROJECT
from devtools.stack.state import (
    PartState,
    StackState,
    StateFile,
    frozen_processes,
    is_frozen,
    seconds_since_start,
)
from foundation.duration import duration_in_words

ALL_IS_WELL, SOMETHING_IS_WRONG, DOES_NOT_RUN = 0, 1, 2

_WIDTH = 80
_HTTP_SECONDS = 10.0
_LAG_SECONDS = 40.0
# A part with so many restarts that has not run for so long since the last one is in a crash loop.
_LOOP_RESTARTS, _LOOP_SECONDS = 3, 30.0
_PAGES = {"admin": "/admin/", "board": "/board/", "API": "/api/docs/"}
_STUCK = {"STALLED": "does not get on with", "STOPPED": "has no member that reads"}
"""What `consumer_lag` says of a group that reads nothing, in words."""


@dataclass(frozen=True)
class Findings:
    """Sentences about a running stack."""

    behind: list[str]
    checked: list[str]
    wrong: list[str]


def print_status(directory: Path) -> int:
    """Prints the status of the stack on this directory; returns the exit code.

    Raises StackError if this user may not know it, or if the file with the settings is broken.
    """
    state = StateFile(directory).read()
    if state is None:
        print(f"Stockbridge does not run on {directory}.")
        return DOES_NOT_RUN
    settings = read_values(directory)
    findings = _look(state, settings)
    print("\n".join(_lines(state, settings, findings)))
    return SOMETHING_IS_WRONG if findings.wrong else ALL_IS_WELL


def _look(state: StackState, settings: Mapping[str, str]) -> Findings:
    wrong = [
        *_frozen_supervisor(state.pid),
        *_wrong_parts(state.parts),
        *(f"waits for {what}" for what in state.waits_for),
    ]
    if not state.ready:
        return Findings([], [], ["it is still starting", *wrong])
    with ThreadPoolExecutor() as pool:
        lag = pool.submit(_lag, settings)
        health = pool.submit(_health, state.web, settings)
        metrics = pool.submit(_figures, state.web, settings)
        unread, lag_wrong = lag.result()
        found = metrics.result()
        wrong += [*health.result(), *lag_wrong, *figures.wrong(found)]
    return Findings([*figures.behind(found), *unread], list(figures.checked(found)), wrong)


def _frozen_supervisor(pid: int) -> list[str]:
    if not is_frozen(pid):
        return []
    return [f"the supervisor is frozen by a signal, so nothing is started again: kill -CONT {pid}"]


def _wrong_parts(parts: Sequence[PartState]) -> Iterator[str]:
    for part in parts:
        up = _up(part)
        if up is None:
            yield f"{part.name} does not run"
        elif part.pid and (frozen := frozen_processes(part.pid)):
            subject = part.name if part.pid in frozen else f"a part of {part.name}"
            pids = " ".join(map(str, frozen))
            yield f"{subject} is frozen by a signal: kill -CONT {pids} lets it continue"
        elif part.restarts >= _LOOP_RESTARTS and up < _LOOP_SECONDS:
            yield f"{part.name} ends again and again ({part.restarts} restarts)"


def _up(part: PartState) -> float | None:
    try:
        return seconds_since_start(part.pid) if part.pid else None
    except psutil.NoSuchProcess:
        return None


def _health(web: str, settings: Mapping[str, str]) -> list[str]:
    """What /health/ready complains about."""
    try:
        found = json.loads(_get(web, "/health/ready", settings))
        status = found["status"]
    except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
        return [f"{web}/health/ready does not answer: {error}"]
    return [] if status == "ready" else [status, *_warnings(found)]


def _warnings(found: Mapping[str, Any]) -> Iterator[str]:
    for name, dependency in found.get("dependencies", {}).items():
        if not dependency["up"]:
            yield f"{name}: {dependency['error']}"
    for warning in found.get("warnings", ()):
        if warning["kind"] != "dependency":
            yield f"{warning['kind']} {warning['name']}: {warning['reason']}"


def _figures(web: str, settings: Mapping[str, str]) -> Figures:
    try:
        return Figures.read(_get(web, "/metrics", settings))
    except (OSError, http.client.HTTPException, ValueError):
        return Figures([])


def _get(web: str, path: str, settings: Mapping[str, str]) -> str:
    """The body of an answer, whatever its status."""
    url = urlsplit(web)
    headers = {"Host": settings["ALLOWED_HOSTS"].split(",")[0].strip().removeprefix(".")}
    if settings.get("MONITOR_TOKEN"):
        headers["Authorization"] = f"Bearer {settings['MONITOR_TOKEN']}"
    connection = http.client.HTTPConnection(reachable(url.hostname or ""), url.port, timeout=_HTTP_SECONDS)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def _lag(settings: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """How many messages each group has not read, and what is wrong with that, or with finding it out."""
    try:
        done = subprocess.run(
            [sys.executable, "manage.py", "consumer_lag", "--json"],
            cwd=PROJECT,
            env={**os.environ, **settings},
            capture_output=True,
            text=True,
            timeout=_LAG_SECONDS,
            check=False,
        )
        rows = json.loads(done.stdout)
    except subprocess.TimeoutExpired:
        return [], [f"the lag of the consumers was not told in {_LAG_SECONDS:.0f} s"]
    except ValueError:
        return [], [f"the lag of the consumers is not known: {_last_line(done.stderr)}"]
    unread: Counter[str] = Counter()
    for row in rows:
        unread[row["group"]] += row["lag"] or 0
    behind = [f"{group}: {count} messages unread" for group, count in sorted(unread.items())]
    stuck = [_stuck(row) for row in rows if row["status"] in _STUCK]
    return behind, list(dict.fromkeys([*(_lost(row) for row in rows if row["lost"]), *stuck]))


def _stuck(row: Mapping[str, Any]) -> str:
    return f"{row['group']} {_STUCK[row['status']]} {row['topic']}, where messages wait"


def _lost(row: Mapping[str, Any]) -> str:
    return f"retention has deleted {row['lost']} messages of {row['topic']} that {row['group']} has not read"


def _last_line(text: str) -> str:
    return text.strip().rpartition("\n")[2] or "the command was killed"


def _lines(state: StackState, settings: Mapping[str, str], findings: Findings) -> Iterator[str]:
    yield f"Stockbridge runs on {state.web} (supervisor: pid {state.pid})"
    addresses = {
        **{name: f"{state.web}{path}" for name, path in _PAGES.items()},
        "sockets": settings.get("PUBLIC_WS_URL"),
        "mails": settings.get("INBOX_URL"),
    }
    yield from (f"{name:12}{address}" for name, address in addresses.items() if address)
    yield from ("", f"{'part':12}{'pid':>9}{'running for':>14}{'restarts':>10}")
    for part in state.parts:
        up = _up(part)
        duration = "-" if up is None else duration_in_words(up)
        yield f"{part.name:12}{part.pid or '-':>9}{duration:>14}{part.restarts:>10}"
    yield from _section("behind", findings.behind or ["not known"])
    yield from _section("checked", findings.checked or ["not known"])
    yield from _section("wrong", findings.wrong or ["nothing"])


def _section(title: str, sentences: Sequence[str]) -> Iterator[str]:
    yield from ("", title)
    for sentence in sentences:
        yield from textwrap.wrap(sentence, _WIDTH, initial_indent="  ", subsequent_indent="    ")
