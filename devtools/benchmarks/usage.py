"""The CPU time and the memory that processes use."""

from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import psutil

_MIB = 2**20


def cpu_seconds(pids: Mapping[str, int]) -> dict[str, float]:
    """The CPU time of each of these processes since its start, with its children, ended ones too."""
    return {name: sum(map(_cpu_of, _tree(pid))) for name, pid in pids.items()}


def pss(pid: int) -> float:
    """MiB of a process and its children, in which shared pages count once."""
    return sum(float(process.memory_full_info().pss) for process in _tree(pid)) / _MIB


def rss(pid: int) -> float:
    """MiB of a process and its children, with all shared pages."""
    return sum(float(process.memory_info().rss) for process in _tree(pid)) / _MIB


def most_rss(pid: int) -> float:
    """The most MiB that one process has had since its start, with all shared pages."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024


def _tree(pid: int) -> list[psutil.Process]:
    parent = psutil.Process(pid)
    return [parent, *parent.children(recursive=True)]


def _cpu_of(process: psutil.Process) -> float:
    with suppress(psutil.NoSuchProcess):  # its parent has its time then
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0
