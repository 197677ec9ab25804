"""Named places at which the fault suite ends a process with SIGKILL.

STRIKE_AT=<name> or STRIKE_AT=<name>:<n> in the environment: the process dies the first or n-th time it gets
there.
"""

import os
import signal
from typing import Literal

StrikePoint = Literal[
    "after-commit-before-produce",
    "after-acknowledgement-before-position",
    "before-handling",
    "after-handling-before-answers",
    "after-answers-before-offsets",
    "in-rebalance",
    "before-settling-committed",
]

_name, _, _count = os.environ.get("STRIKE_AT", "").partition(":")
_arrivals_left = int(_count or 1)


def reached(point: StrikePoint) -> None:
    """Does nothing, unless the environment asks for the process's death here."""
    global _arrivals_left  # noqa: PLW0603 - the environment asks once a process
    if point != _name:
        return
    _arrivals_left -= 1
    if _arrivals_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
