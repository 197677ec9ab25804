"""What the processes of a running stack say in their heartbeats: that they run, and that they are warm."""

from pathlib import Path

import psutil

from foundation.heartbeat import WorkerProcess, worker_processes


def has_heartbeat(records: Path, pid: int) -> bool:
    """Whether this process has given its first heartbeat in this directory."""
    return any(each.pid == pid for each in _processes(records))


def warm_processes(records: Path, pid: int) -> int:
    """How many of this process and its descendants say in this directory that they are warm."""
    try:
        process = psutil.Process(pid)
        family = {pid, *(child.pid for child in process.children(recursive=True))}
    except psutil.NoSuchProcess:
        return 0
    return sum(each.is_warm and each.pid in family for each in _processes(records))


def _processes(records: Path) -> list[WorkerProcess]:
    return worker_processes(records, silent_after=float("inf"))
