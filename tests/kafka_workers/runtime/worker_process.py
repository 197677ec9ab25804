"""A consumer of the given group as a process: prints each batch that it handles, then waits for a line."""

import signal
import sys
import threading
from collections.abc import Sequence

import msgspec

from kafka_workers.runtime.consuming.consumer_loop import run
from kafka_workers.runtime.consuming.definition import ConsumerDefinition, DecodedMessage
from kafka_workers.runtime.messages.message import OutgoingMessage, ReceivedMessage


def decode(received: ReceivedMessage) -> int:
    return msgspec.json.decode(received.value, type=int)


def handle(batch: Sequence[DecodedMessage[int]]) -> list[OutgoingMessage]:
    sys.stdout.write(f"{[decoded.value for decoded in batch]}\n")
    sys.stdout.flush()
    sys.stdin.readline()
    return []


group = sys.argv[1]
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
run(ConsumerDefinition(group=group, topics=[f"{group}.numbers"], decode=decode, handle=handle), stop)
