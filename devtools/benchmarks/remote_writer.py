"""A writer of the order log that shares nothing with the system but PostgreSQL's port.

It is a process of its own in another directory, with an empty environment. It reads a Job from its standard
input and writes when it committed each order's event.
"""

import subprocess
import sys
import time
from pathlib import Path

import msgspec
import psycopg
from msgspec import Struct


class Job(Struct, frozen=True):
    """Runs `statement`, which appends an event and returns its order, with a commit each; then `wake_up`."""

    database_url: str
    statement: str
    wake_up: str
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
            found = connection.execute(job.statement).fetchone()
            assert found is not None
            committed[str(found[0])] = time.monotonic()
            connection.execute(job.wake_up)
    sys.stdout.buffer.write(msgspec.msgpack.encode(committed))


if __name__ == "__main__":
    _main()
