"""The metric of how long PostgreSQL takes for the statements of this process."""

from collections.abc import Callable
from time import perf_counter
from typing import Any

from django.db.backends.base.base import BaseDatabaseWrapper
from psycopg import Connection
from psycopg.pq import PipelineStatus

from foundation.metrics import POSTGRESQL_STATEMENT_SECONDS


def observe_statements(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """Receiver of Django's signal `connection_created`: observe all statements of this connection."""
    if _observe not in connection.execute_wrappers:
        # First: a wrapper of a `with` block takes away the last one at its end.
        connection.execute_wrappers.insert(0, _observe)


def _observe(
    execute: Callable[..., Any], sql: str, parameters: Any, many: bool, context: dict[str, Any]
) -> Any:
    start = perf_counter()
    try:
        return execute(sql, parameters, many, context)
    finally:
        if not _is_pipelined(context["connection"].connection):
            POSTGRESQL_STATEMENT_SECONDS.observe(perf_counter() - start)


def _is_pipelined(connection: "Connection[Any] | None") -> bool:
    """Whether statements are sent without waiting for their results: `one_round_trip` observes those."""
    return connection is not None and connection.pgconn.pipeline_status != PipelineStatus.OFF
