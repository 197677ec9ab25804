"""Named places in the code at which the fault suite ends a process with SIGKILL.

With KILL_AT=<name> or KILL_AT=<name>:<n> in the environment, the process is killed when it passes the
named place for the first or n-th time.
"""

import os
import signal
from typing import Literal

KillPointName = Literal[
    "after-commit-before-produce",
    "after-acknowledgement-before-position",
    "before-handling",
    "after-handling-before-answers",
    "after-answers-before-offsets",
    "before-sending-mail",
    "before-last-line-of-mail",
    "after-sending-mail-before-record",
    "after-claim-before-charge",
    "after-charge",
    "after-refund",
    "before-recording-falls",
    "after-recording-falls-before-sending",
    "after-sending-falls-before-record",
    "before-figures-committed",
    "in-rebuild",
    "before-switch-committed",
    "in-rebalance",
    "before-resolution-committed",
    "before-archiving",
    "before-archiving-committed",
    "after-account-closed",
    "after-redacting-orders",
    "before-redaction-ended",
]

_fatal_name, _, _count = os.environ.get("KILL_AT", "").partition(":")
_passes_left = int(_count or 1)


def kill_point(name: KillPointName) -> None:
    """Kill the process if KILL_AT names this kill point; else do nothing."""
    global _passes_left  # noqa: PLW0603 - KILL_AT counts in the whole process
    if name != _fatal_name:
        return
    _passes_left -= 1
    if _passes_left == 0:
        os.kill(os.getpid(), signal.SIGKILL)
