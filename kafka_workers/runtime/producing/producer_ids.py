"""Producer ids: a producer that sends each message once has to get one from the broker first."""

import json
import time

from confluent_kafka import KafkaException, Producer

from kafka_workers.runtime.broker.client_config import Config
from kafka_workers.runtime.broker.errors import exception_for
from kafka_workers.runtime.exceptions import BrokerUnavailable

AWAIT_SECONDS = 3
_LOOK_SECONDS = 0.02


def await_producer_ids(config: Config) -> None:
    """Return when the broker gives producer ids; `config` is that of an idempotent producer.

    A broker that was just started refuses the first request for one, and the client that made it waits half a
    second before the next. This client shall do so in place of the one that has messages to send. Raises
    BrokerUnavailable when there is no id within AWAIT_SECONDS.
    """
    states = set[str]()
    end = time.monotonic() + AWAIT_SECONDS
    client = Producer(
        config
        | {
            "statistics.interval.ms": int(_LOOK_SECONDS * 1000),
            "stats_cb": lambda text: states.add(json.loads(text)["eos"]["idemp_state"]),
        }
    )
    try:
        client.list_topics(timeout=AWAIT_SECONDS)
    except KafkaException as exception:
        raise exception_for(exception.args[0], "DESCRIBE", "") from exception
    while "Assigned" not in states:
        if time.monotonic() > end:
            raise BrokerUnavailable(f"the broker has given no producer id within {AWAIT_SECONDS} s")
        client.poll(_LOOK_SECONDS)
