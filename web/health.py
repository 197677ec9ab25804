"""Whether orders can be taken, and what is wrong besides (docs/operations.md)."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus

from django.db import Error as DatabaseUnavailable
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from msgspec import Struct, to_builtins

from foundation.heartbeat import WorkerProcess
from web.dependency_checks import Check, Finding, find_all
from web.monitoring import may_monitor
from web.worker_health import complaints, seen_processes

Checks = Mapping[str, Callable[[], None]]
"""By the name of a dependency, a function that raises where it cannot be reached."""

NeighbourChecks = Mapping[str, Callable[[], Sequence[str]]]
"""By the name of a dependency, a function that returns a sentence for each thing that others do there and
that holds orders up. One that raises finds nothing: what cannot be reached is told by the other checks."""


class Warned(Struct, frozen=True):
    """Something is wrong. `kind` is dependency, worker, breaker or neighbour; `name` says which one."""

    kind: str
    name: str
    reason: str


class Sentences(Struct, frozen=True, kw_only=True):
    """What `status` says."""

    ready: str
    not_ready: str
    without_optional: str
    with_warnings: str


class _Found(Struct, frozen=True, kw_only=True):
    required: Mapping[str, Finding[None]]
    optional: Mapping[str, Finding[None]]
    processes: Sequence[WorkerProcess] | None
    warnings: Sequence[Warned]


@never_cache
@require_safe
def live(_request: HttpRequest) -> JsonResponse:
    """This process answers."""
    return JsonResponse({"status": "live"})


def readiness(
    *, required: Checks, optional: Checks, neighbours: NeighbourChecks, sentences: Sentences
) -> Callable[[HttpRequest], JsonResponse]:
    """The view that runs these checks: 200 while all the required dependencies are up, otherwise 503.

    Its `status` is one of the sentences; what was found is for those who may monitor.
    """
    servers = {name: Check(check) for name, check in {**required, **optional}.items()}
    others = {name: Check(check) for name, check in neighbours.items()}

    @never_cache
    @require_safe
    def ready(request: HttpRequest) -> JsonResponse:
        found = _find(servers, others, required)
        body: dict[str, object] = {"status": _status(found, sentences)}
        if _may_see_details(request):
            body |= _details(found)
        return JsonResponse(
            body, status=HTTPStatus.OK if _is_ready(found) else HTTPStatus.SERVICE_UNAVAILABLE
        )

    return ready


def _find(
    servers: Mapping[str, Check[None]], others: Mapping[str, Check[Sequence[str]]], required: Iterable[str]
) -> _Found:
    # Started together: each group takes up to CHECK_SECONDS, and both shall take no longer.
    for check in others.values():
        check.start()
    findings, neighbours, processes = find_all(servers), find_all(others), seen_processes()
    return _Found(
        required={name: findings[name] for name in required},
        optional={name: finding for name, finding in findings.items() if name not in required},
        processes=processes,
        warnings=[*_of_servers(findings), *_of_processes(processes or ()), *_of_neighbours(neighbours)],
    )


def _is_ready(found: _Found) -> bool:
    return all(finding.error is None for finding in found.required.values())


def _status(found: _Found, sentences: Sentences) -> str:
    if not _is_ready(found):
        return sentences.not_ready
    if any(finding.error for finding in found.optional.values()):
        return sentences.without_optional
    return sentences.with_warnings if found.warnings else sentences.ready


def _of_servers(findings: Mapping[str, Finding[None]]) -> list[Warned]:
    return [Warned("dependency", name, each.error) for name, each in findings.items() if each.error]


def _of_processes(processes: Sequence[WorkerProcess]) -> list[Warned]:
    idle = [Warned("worker", worker, sentence) for (worker, _), sentence in complaints(processes).items()]
    open_breakers = [
        Warned(
            "breaker",
            each.breaker.group,
            f"process {each.pid} of {each.worker} handles nothing since {each.breaker.since:%FT%TZ}, "
            f"and tries again at {each.breaker.try_at:%FT%TZ}: {each.breaker.reason}",
        )
        for each in processes
        if each.breaker
    ]
    hindered = [
        Warned("neighbour", each.worker, sentence)
        for each in processes
        if each.state != "ended"
        for sentence in each.hindrances
    ]
    return idle + open_breakers + hindered


def _of_neighbours(findings: Mapping[str, Finding[Sequence[str]]]) -> list[Warned]:
    return [
        Warned("neighbour", name, sentence)
        for name, each in findings.items()
        for sentence in each.result or ()
    ]


def _details(found: _Found) -> dict[str, object]:
    """What monitors read: the keys are described in docs/operations.md."""
    return {
        "dependencies": {
            name: {"up": each.error is None, "milliseconds": each.milliseconds, "error": each.error}
            for name, each in {**found.required, **found.optional}.items()
        },
        "workers": None if found.processes is None else _by_worker(found.processes),
        "breakers": None if found.processes is None else _breakers(found.processes),
        "warnings": to_builtins(found.warnings),
    }


def _by_worker(processes: Sequence[WorkerProcess]) -> dict[str, list[dict[str, object]]]:
    by_worker: dict[str, list[dict[str, object]]] = {}
    for each in processes:
        entry: dict[str, object] = {
            "pid": each.pid,
            "state": each.state,
            "silentSeconds": each.silent_seconds,
        }
        by_worker.setdefault(each.worker, []).append(entry)
    return by_worker


def _breakers(processes: Sequence[WorkerProcess]) -> list[dict[str, object]]:
    return [
        {
            "group": each.breaker.group,
            "worker": each.worker,
            "pid": each.pid,
            "since": each.breaker.since,
            "tryAt": each.breaker.try_at,
            "reason": each.breaker.reason,
        }
        for each in processes
        if each.breaker
    ]


def _may_see_details(request: HttpRequest) -> bool:
    try:
        return may_monitor(request)
    except DatabaseUnavailable:  # no session can be read
        return False
