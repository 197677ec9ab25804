"""A consumer of the given group as a process, with a breaker that opens soon."""

import signal
import sys
import threading

from django.conf import settings

from kafka_workers.runtime.consuming.consumer_loop import run
from kafka_workers.runtime.consuming.definition import ConsumerDefinition
from tests.kafka_workers.runtime.workbench import decode_number

settings.BREAKER_RUN, settings.BREAKER_PROBE, settings.BREAKER_PAUSE_SECONDS = 5, 4, 600
group = sys.argv[1]
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
definition = ConsumerDefinition(
    group=group, topics=[f"{group}.numbers"], decode=decode_number, handle=lambda _: []
)
run(definition, stop)
