"""Warming a process: doing once, before its first work, what that work would otherwise wait for."""

from collections.abc import Callable

import structlog

log = structlog.get_logger(__name__)


def warm_up(*steps: Callable[[], object]) -> bool:
    """Take these steps; whether all of them succeeded.

    One that fails, as while a server is away, is logged and left to the first work.
    """
    return sum(_succeeds(step) for step in steps) == len(steps)


def _succeeds(step: Callable[[], object]) -> bool:
    try:
        step()
    except Exception as error:  # whatever it is, the work itself will meet it and handle it
        log.warning("not warmed up", step=f"{step.__module__}.{step.__qualname__}", reason=repr(error))
        return False
    return True
