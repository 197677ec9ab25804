"""How to find the relay that leads: its session in PostgreSQL holds the advisory lock."""

from collections.abc import Collection

import psutil

_CLASS, _OBJECT = 0x5B, 1
"""The numbers of the lock, as in `foundation/advisory_lock.py`."""
LEADING_SESSION = f"""
SELECT pid FROM pg_locks
WHERE locktype = 'advisory' AND objsubid = 2 AND classid = {_CLASS} AND objid = {_OBJECT} AND granted
"""
"""The session of the relay that leads: objsubid 2 is an advisory lock with two numbers."""
LEADING_PORT = f"SELECT client_port FROM pg_stat_activity WHERE pid IN ({LEADING_SESSION})"
"""The port from which this session is connected; no row while no relay leads."""


def is_connected_from(pid: int | None, ports: Collection[int]) -> bool:
    """Whether the process has a connection from one of these ports."""
    try:
        connections = psutil.Process(pid).net_connections() if pid else []
    except psutil.NoSuchProcess:
        return False
    return any(each.laddr.port in ports for each in connections if each.laddr)
