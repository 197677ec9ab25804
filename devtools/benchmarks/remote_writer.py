"""A writer of the order log that shares nothing with the system but PostgreSQL's port.

It is a process of its own in another directory, with an empty environment. It reads a Job from its standard
input and writes when it committed each order's event.
"""

import subprocess
import sys
import time
import uuid
from pathlib import Path

import msgspec
import psycopg
from msgspec import Struct

_INSERT = """
INSERT INTO order_event (order_id, version, type, user_id, data, actor, trace_parent, created_at)
SELECT %s::uuid, 1, type, user_id, data, actor, trace_parent, now()
FROM order_event WHERE order_id = %s AND version = 1
"""
# What every writer of the log does after its COMMIT.
_NOTIFY = "NOTIFY order_log"


class Job(Struct, frozen=True):
    """Copies of the first event of the order `example`, each for a new order and with a commit of its own."""

    database_url: str
    example: str
    count: int
    rate: float


def commit_events(job: Job) -> dict[str, float]:
    """Runs a writer; returns when each new order's event was committed, by the clock of the machine."""
    done = subprocess.run(
        [sys.executable, "-P", Path(__file__)],
        input=msgspec.msgpack.encode(job),
        stdout=subprocess.PIPE,
        cwd="/",
        env={},
        check=True,
    )
    return msgspec.msgpack.decode(done.stdout, type=dict[str, float])


def _main() -> None:
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    committed: dict[str, float] = {}
    with psycopg.connect(job.database_url, autocommit=True) as connection:
        start = time.monotonic()
        for number in range(job.count):
            time.sleep(max(0.0, start + number / job.rate - time.monotonic()))
            order = str(uuid.uuid4())
            connection.execute(_INSERT, [order, job.example])
            committed[order] = time.monotonic()
            connection.execute(_NOTIFY)
    sys.stdout.buffer.write(msgspec.msgpack.encode(committed))


if __name__ == "__main__":
    _main()
