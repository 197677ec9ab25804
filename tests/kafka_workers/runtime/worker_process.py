"""A consumer of the given group as a process: says what it handles, and waits for a line each time."""

import signal
import sys
import threading
from collections.abc import Sequence

import django

django.setup()

from kafka_workers.runtime.consumer_loop import run  # noqa: E402 - settings come first
from kafka_workers.runtime.definition import ConsumerDefinition, Work  # noqa: E402
from kafka_workers.runtime.message import Outgoing  # noqa: E402
from tests.kafka_workers.runtime.workbench import decode_number  # noqa: E402


def handle(batch: Sequence[Work[int]]) -> list[Outgoing]:
    sys.stdout.write(f"{[work.value for work in batch]}\n")
    sys.stdout.flush()
    sys.stdin.readline()
    return []


group = sys.argv[1]
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
run(ConsumerDefinition(group=group, topics=[f"{group}.numbers"], decode=decode_number, handle=handle), stop)
