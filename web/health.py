"""Whether this process works, and whether orders can be taken (docs/operations.md)."""

import socket
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http import HTTPStatus

from django.conf import settings
from django.db import Error as DatabaseUnavailable
from django.db import connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from msgspec import Struct, to_builtins

from products_app import selectors as catalogue
from web.monitoring import may_monitor

CHECK_SECONDS = 2.0
CONNECT_SECONDS = 1.0
ERROR_CHARACTERS = 200


class Dependency(Struct, frozen=True):
    """What one check found: how long it took, and the error's text where it failed."""

    up: bool
    milliseconds: float
    error: str | None = None


@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"status": "live"})


@never_cache
@require_safe
def ready(request: HttpRequest) -> JsonResponse:
    """200 while orders can be taken, which needs PostgreSQL and MongoDB; otherwise 503.

    Without Kafka orders are taken and settled later: still 200, and said. What each check found is for those
    who may monitor.
    """
    found = check_all({"postgresql": postgresql, "mongodb": mongodb, "kafka": kafka})
    takes_orders = found["postgresql"].up and found["mongodb"].up
    status = HTTPStatus.OK if takes_orders else HTTPStatus.SERVICE_UNAVAILABLE
    body = {"status": _summary(found, takes_orders)}
    if _may_see_details(request):
        body["dependencies"] = to_builtins(found)
    return JsonResponse(body, status=status)


def _may_see_details(request: HttpRequest) -> bool:
    try:
        return may_monitor(request)
    except DatabaseUnavailable:  # no session can be read
        return False


def _summary(found: Mapping[str, Dependency], takes_orders: bool) -> str:
    if not takes_orders:
        return "orders cannot be taken"
    return "ready" if found["kafka"].up else "orders are taken, and settled when Kafka is back"


def check_all(checks: Mapping[str, Callable[[], None]]) -> dict[str, Dependency]:
    """Run these checks at once; one that takes more than CHECK_SECONDS has failed, and is left behind."""
    threads = ThreadPoolExecutor(len(checks), thread_name_prefix="health")
    running = {name: threads.submit(_timed, check) for name, check in checks.items()}
    threads.shutdown(wait=False)
    wait(running.values(), CHECK_SECONDS)
    return {name: _result(future) for name, future in running.items()}


def _timed(check: Callable[[], None]) -> Dependency:
    start = time.perf_counter()
    error = None
    try:
        check()
    except Exception as failure:  # whatever a check raises is what it found
        error = f"{type(failure).__name__}: {failure}".splitlines()[0][:ERROR_CHARACTERS]
    return Dependency(error is None, round((time.perf_counter() - start) * 1000, 1), error)


def _result(future: Future[Dependency]) -> Dependency:
    if future.done():
        return future.result()
    return Dependency(False, CHECK_SECONDS * 1000, f"no answer within {CHECK_SECONDS:g} s")


def postgresql() -> None:
    """Raises a database error unless a new connection answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def mongodb() -> None:
    """Raises CatalogueUnavailable unless the primary answers."""
    catalogue.ping()


def kafka() -> None:
    """Raises OSError unless one of the brokers accepts a connection; web processes have no Kafka client."""
    *others, last = settings.KAFKA_BROKERS.split(",")
    for broker in others:
        try:
            return _connect(broker)
        except OSError:
            continue
    return _connect(last)


def _connect(broker: str) -> None:
    host, _, port = broker.strip().rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS):
        pass
