"""Whether this process works, and whether what it depends on can be reached (docs/operations.md)."""

import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from http import HTTPStatus

from django.db import Error as DatabaseUnavailable
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from msgspec import Struct, to_builtins

from web.monitoring import may_monitor

CHECK_SECONDS = 2.0
ERROR_CHARACTERS = 200

Checks = Mapping[str, Callable[[], None]]
"""By the name of a dependency, a function that raises where it cannot be reached."""


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


def readiness(
    *, required: Checks, optional: Checks, not_ready: str, without_optional: str
) -> Callable[[HttpRequest], JsonResponse]:
    """The view that runs these checks: 200 while all the required dependencies are up, otherwise 503.

    The sentences are its `status` where a required or an optional one is down; what each check found is for
    those who may monitor.
    """

    @never_cache
    @require_safe
    def ready(request: HttpRequest) -> JsonResponse:
        found = check_all({**required, **optional})
        is_ready = all(found[name].up for name in required)
        summary = "ready" if all(found[name].up for name in optional) else without_optional
        body: dict[str, object] = {"status": summary if is_ready else not_ready}
        if _may_see_details(request):
            body["dependencies"] = to_builtins(found)
        return JsonResponse(body, status=HTTPStatus.OK if is_ready else HTTPStatus.SERVICE_UNAVAILABLE)

    return ready


def _may_see_details(request: HttpRequest) -> bool:
    try:
        return may_monitor(request)
    except DatabaseUnavailable:  # no session can be read
        return False


def check_all(checks: Checks) -> dict[str, Dependency]:
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
