"""Registers the schemas of a worker's messages in the schema registry, beside its work.

The registry is never waited for beyond START_SECONDS: the schemas of the code are what messages follow, and a
message that goes out before its schema is registered has no id in its headers.
"""

import json
from collections.abc import Collection, Sequence
from contextlib import closing
from threading import Event, Thread

import structlog
from django.conf import settings

from foundation.lasting_trouble import LastingTrouble
from kafka_workers.contract.registered_schemas import record_id
from kafka_workers.contract.schemas import registered_schema
from kafka_workers.contract.topics import BUSINESS_TOPICS, BusinessTopic
from kafka_workers.runtime.schema_registry import RegistryUnavailable, SchemaRefused, SchemaRegistry

START_SECONDS = 2.0
RETRY_SECONDS = 10.0

log = structlog.get_logger(__name__)


def begin_registration(names: Collection[str], stop: Event) -> None:
    """Register the schemas of these topics in a thread, and return after its first attempt or START_SECONDS.

    The thread goes on until each schema is registered or refused, or `stop` is set.
    """
    topics = [topic for topic in BUSINESS_TOPICS if topic.name in names]
    attempted = Event()
    Thread(target=_register, args=(topics, attempted, stop), name="schema-registration", daemon=True).start()
    attempted.wait(START_SECONDS)


def _register(topics: Sequence[BusinessTopic], attempted: Event, stop: Event) -> None:
    waiting = list(topics)
    trouble = LastingTrouble(
        log,
        begins="schema registry unavailable: messages go without ids",
        ends="schema registry available again",
    )
    with closing(SchemaRegistry(settings.SCHEMA_REGISTRY_URL)) as registry:
        while waiting and not stop.is_set():
            try:
                _register_one(registry, waiting[0])
                del waiting[0]
                trouble.end()
            except RegistryUnavailable as error:
                trouble.meet(reason=str(error))
                attempted.set()
                stop.wait(RETRY_SECONDS)
    attempted.set()
    if not waiting:
        log.info("schemas registered", topics=[topic.name for topic in topics if topic.schema_id])


def _register_one(registry: SchemaRegistry, topic: BusinessTopic) -> None:
    try:
        record_id(topic.name, registry.register(topic.name, json.dumps(registered_schema(topic))))
    except SchemaRefused as error:
        log.warning("schema refused: messages go without its id", topic=topic.name, reason=str(error))
