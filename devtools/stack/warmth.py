"""Which processes of a running stack are warm, as they say in their heartbeats."""

from pathlib import Path

import psutil

from foundation.heartbeat import worker_processes


def warm_processes(records: Path, pid: int) -> int:
    """How many of this process and its descendants say in this directory that they are warm."""
    try:
        process = psutil.Process(pid)
        family = {pid, *(child.pid for child in process.children(recursive=True))}
    except psutil.NoSuchProcess:
        return 0
    found = worker_processes(records, silent_after=float("inf"))
    return sum(each.is_warm and each.pid in family for each in found)
