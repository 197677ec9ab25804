"""What the worker of this process waits for, and when it last finished work: its health tells it."""

import time
from dataclasses import dataclass, field


@dataclass
class WorkReport:
    """Times are in seconds since 1970; `waits_for` has the dependencies that do not answer, since when."""

    last_work: float | None = None
    waits_for: dict[str, float] = field(default_factory=dict)


REPORT = WorkReport()
"""Of this process."""


def tell_work() -> None:
    """Note that a batch is finished, or a turn of a worker that has no batches."""
    REPORT.last_work = time.time()


def tell_wait(dependency: str) -> None:
    """Note that work waits for a dependency which does not answer."""
    REPORT.waits_for.setdefault(dependency, time.time())


def tell_answer(dependency: str) -> None:
    """Note that the dependency answers."""
    REPORT.waits_for.pop(dependency, None)
