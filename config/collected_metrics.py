"""The metrics that no process sets while it works: they are found when Prometheus asks for metrics."""

from collections.abc import Callable, Mapping, Sequence

import structlog
from django.db import Error as DatabaseError
from django.db import connection

from config import dependencies
from foundation.lasting_trouble import LastingTrouble
from foundation.metrics import DEPENDENCY_UP, POSTGRESQL_CONNECTIONS, POSTGRESQL_MAX_CONNECTIONS
from kafka_workers.audit.drift import update_drift
from kafka_workers.relay.metrics import update_unread_events
from orders_app.accounts.waiting_mails import update_account_mails_waiting
from orders_app.analytics.lag_metric import update_analytics_lag
from orders_app.payments.audit.last_audit import update_payment_differences
from orders_app.waiting_metrics import update_holds_overdue, update_orders_waiting
from web.dependency_checks import Check, find_all
from web.metrics_text import MetricsText, metrics_of_all_processes
from web.worker_health import update_worker_processes

OTHER = "other"
STATES: Mapping[str, str] = {
    "active": "active",
    "idle": "idle",
    "idle in transaction": "idle_in_transaction",
    "idle in transaction (aborted)": "idle_in_transaction",
}
"""The states of connections as PostgreSQL names them, and as the metric does."""

_CONNECTIONS = """
SELECT state, count(*) FROM pg_stat_activity
WHERE datname = current_database() AND backend_type = 'client backend' GROUP BY state
"""
_MAX_CONNECTIONS = "SELECT current_setting('max_connections')::integer"

_checks = {
    name: Check(check) for name, check in {**dependencies.DATABASES, "kafka": dependencies.kafka}.items()
}


def update_connections() -> None:
    """Set the metrics of the connections to PostgreSQL. Raises database errors."""
    with connection.cursor() as cursor:
        cursor.execute(_CONNECTIONS)
        found = cursor.fetchall()
        cursor.execute(_MAX_CONNECTIONS)
        [[most]] = cursor.fetchall()
    counts = dict.fromkeys([*STATES.values(), OTHER], 0)
    for state, count in found:
        counts[STATES.get(state, OTHER)] += count
    for name, count in counts.items():
        POSTGRESQL_CONNECTIONS.labels(name).set(count)
    POSTGRESQL_MAX_CONNECTIONS.set(most)


FROM_POSTGRESQL: Sequence[Callable[[], None]] = (
    update_connections,
    update_unread_events,
    update_orders_waiting,
    update_holds_overdue,
    update_drift,
    update_payment_differences,
    update_account_mails_waiting,
    update_analytics_lag,
)
_trouble = LastingTrouble(
    structlog.get_logger(__name__),
    begins="metrics that PostgreSQL knows stay as they were",
    ends="metrics that PostgreSQL knows are up to date again",
)


def update_metrics() -> None:
    """Set all of them; those that PostgreSQL knows stay as they were while it is away."""
    update_worker_processes()
    errors = [error] if (error := _update_dependencies()["postgresql"]) else _update_from_postgresql()
    if errors:
        _trouble.meet(error=errors[0])
    else:
        _trouble.end()


def show_metrics(accept: str) -> MetricsText:
    """All metrics of all processes, for a thread that answers no other request."""
    try:
        update_metrics()
    finally:
        connection.close()
    return metrics_of_all_processes(accept)


def _update_dependencies() -> Mapping[str, str | None]:
    """Set whether each server is there; returns why not, by its name.

    Asked first: each question to one that is away takes its time.
    """
    errors = {name: finding.error for name, finding in find_all(_checks).items()}
    for name, error in errors.items():
        DEPENDENCY_UP.labels(name).set(error is None)
    return errors


def _update_from_postgresql() -> list[str]:
    """Set what PostgreSQL knows; returns the errors of what could not be found out."""
    errors = []
    for update in FROM_POSTGRESQL:
        try:
            update()
        except DatabaseError as error:
            errors.append(str(error))
    return errors
