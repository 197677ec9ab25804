"""The servers that the system depends on, and how to find out whether each is up."""

import socket

from django.conf import settings
from django.db import connection

from orders_app import event_log
from products_app import selectors as catalogue
from web import health

CONNECT_SECONDS = 1.0
HELD_SECONDS = 3.0
"""So long an event may wait for an open transaction before health says so; ours end much sooner."""


def postgresql() -> None:
    """Raises a database error unless a new connection answers a query."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    finally:
        connection.close()


def mongodb() -> None:
    """Raises CatalogueUnavailable unless the primary answers, or while there is none a secondary."""
    catalogue.ping()


def kafka() -> None:
    """Raises OSError unless one of the brokers accepts a connection; web processes have no Kafka client."""
    *others, last = settings.KAFKA_BROKERS.split(",")
    for broker in others:
        try:
            return _connect(broker)
        except OSError:
            continue
    return _connect(last)


def _connect(broker: str) -> None:
    host, _, port = broker.strip().rpartition(":")
    with socket.create_connection((host.strip("[]"), int(port)), CONNECT_SECONDS):
        pass


DATABASES = {"postgresql": postgresql, "mongodb": mongodb}


def order_log() -> list[str]:
    """A sentence for the open transaction that holds the readers of the order log back, if one does."""
    try:
        held = event_log.held_back()
    finally:
        connection.close()
    if held is None or held.seconds < HELD_SECONDS:
        return []
    return [f"relay and sockets wait since {held.seconds:.0f} s for {held.transaction}"]


# What waits on a broker, its consumers tell by themselves (foundation/heartbeat.py).
NEIGHBOURS: health.NeighbourChecks = {"postgresql": order_log}

# Without Kafka orders are taken, and settled later.
ready = health.readiness(
    required=DATABASES,
    optional={"kafka": kafka},
    neighbours=NEIGHBOURS,
    sentences=health.Sentences(
        ready="ready",
        not_ready="orders cannot be taken",
        without_optional="orders are taken, and settled when Kafka is back",
        with_warnings="orders are taken, but something is wrong",
    ),
)
