"""Which versions of Python and Kafka are supported, and which tests are run with each."""

from dataclasses import dataclass

from devtools.stack.kafka_jars import DEFAULT_VERSION

PYTHON = ("3.11", "3.12", "3.13")
"""The first one is that of the other tests, and of the image."""
KAFKA = (DEFAULT_VERSION, "4.2.1", "4.1.2", "4.0.2")

COMMON = (
    "tests/flows/test_the_walk_of_an_order.py",
    "tests/flows/test_paid_orders.py",
    "tests/flows/test_external_services.py",
    "tests/kafka_workers/relay/test_outbox_relay.py",
    "tests/kafka_workers/consumers/test_inventory_consumer.py",
    "tests/devtools/faults/test_fault_runs.py",
)
"""The whole story of an order, paid and unpaid; relay and a consumer alone; the laws under mixed faults."""
OF_KAFKA = (
    "tests/kafka_workers/runtime/broker/test_topics_and_lag.py",
    "tests/kafka_workers/runtime/consuming/test_consuming.py",
    "tests/kafka_workers/runtime/producing/test_producer.py",
    "tests/kafka_workers/contract/test_principals.py",
)
"""What else rests on the broker alone: topics, groups, rejected messages, users with their ACLs."""
OF_PYTHON = (
    "tests/foundation",
    "tests/config",
    "tests/web/server",
    "tests/orders_app/services",
    "tests/orders_app/mail",
    "tests/products_app/services",
    "tests/kafka_workers/runtime/messages",
)
"""What else rests on Python and its packages: parts of the code by themselves, and both databases."""


@dataclass(frozen=True)
class Combination:
    """A Python and a Kafka that are tried together."""

    python: str
    kafka: str

    @property
    def name(self) -> str:
        return f"Python {self.python}, Kafka {self.kafka}"

    @property
    def tests(self) -> tuple[str, ...]:
        """The files and folders of tests that are run with it."""
        of_kafka = OF_KAFKA if self.python == PYTHON[0] else ()
        of_python = OF_PYTHON if self.kafka == KAFKA[0] else ()
        return (*COMMON, *of_kafka, *of_python)


def combinations() -> list[Combination]:
    """Each Kafka with the first Python, and each further Python with the first Kafka."""
    return [
        *(Combination(PYTHON[0], kafka) for kafka in KAFKA),
        *(Combination(python, KAFKA[0]) for python in PYTHON[1:]),
    ]
