"""An access line in JSON is what the processors of all other lines would make of the same fields."""

import json
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conftest import log_format
from web.access_line import Access

TEXT = st.text(st.characters(), max_size=40) | st.sampled_from(
    ["mail alice@example.com", "mongodb://app:hunter2@db/shop", "\x1b[31m", "\ud800", "\x7f", "ä"]
)
TRACE_PARENTS = st.sampled_from(["", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"])
ACCESSES = st.builds(
    Access,
    method=TEXT,
    path=TEXT,
    status=st.integers(100, 599),
    ms=st.none() | st.floats(0, 60_000).map(lambda ms: round(ms, 2)),
    user=st.none() | TEXT,
    trace_parent=TRACE_PARENTS,
    fields=st.just({}) | st.fixed_dictionaries({"order": TEXT, "order_number": TEXT}),
)
AT_EACH_LINE = "@timestamp"


@given(ACCESSES)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_it_is_what_the_processors_make_of_its_fields(
    capfd: pytest.CaptureFixture[str], access: Access
) -> None:
    with log_format("json"):
        access.log("info")
        structlog.get_logger("access").info(
            "request",
            ms=access.ms,
            user=access.user,
            trace_parent=access.trace_parent,
            **access.fields,
            **{
                "http.request.method": access.method,
                "url.path": access.path,
                "http.response.status_code": access.status,
            },
        )
    one, other = (without_time(line) for line in capfd.readouterr().err.splitlines())
    assert one == other


def without_time(line: str) -> tuple[dict[str, Any], list[str]]:
    """The fields, and their names as they are written: no name may come twice."""
    names: list[str] = []

    def fields(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        names.extend(name for name, _ in pairs)
        return dict(pairs)

    found = json.loads(line, object_pairs_hook=fields)
    assert found.pop(AT_EACH_LINE)
    return found, sorted(names)


@pytest.mark.parametrize(("level", "lines"), [("info", 1), ("debug", 0)])
def test_it_is_written_from_its_level_on(capfd: pytest.CaptureFixture[str], level: str, lines: int) -> None:
    access = Access("GET", "/", 200)
    with log_format("json"):
        access.log(level)
    assert len(capfd.readouterr().err.splitlines()) == lines
