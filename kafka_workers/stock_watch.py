"""The worker of the stock watch: sends a message for each time the stock of a product falls too low."""

import threading
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from foundation.heartbeat import beat, tell_warm
from foundation.outage import DependencyUnavailable, take_turns
from foundation.warming import warm_up
from foundation.work_report import tell_work
from kafka_workers.contract.own_messages import own_message
from kafka_workers.runtime.exceptions import PublishFailed
from kafka_workers.runtime.messages.message import OutgoingMessage
from kafka_workers.runtime.producing.producer import Producer
from kafka_workers.workers import STOCK_WATCH
from products_app.exceptions import CatalogueUnavailable
from products_app.messages import InventoryLow
from products_app.services.stock_watch.watch import Fall, StockWatch


def run(stop: threading.Event) -> None:
    """Watch until `stop` is set. Waits while MongoDB or Kafka is unavailable."""
    with Producer(STOCK_WATCH.name) as producer:
        warm_up(producer.connect)

        def send(falls: Sequence[Fall]) -> None:
            try:
                producer.publish(map(message_of, falls))
            except PublishFailed as error:
                # No product can make a message too large: the settings of the broker must change.
                raise DependencyUnavailable("Kafka", str(error)) from error

        watch_until(stop, StockWatch(send))


def watch_until(stop: threading.Event, watch: StockWatch) -> None:
    """Take turns until `stop` is set. Waits during an outage of a dependency."""
    take_turns(stop, partial(take_turn, watch))
    with suppress(CatalogueUnavailable):
        watch.end()


def take_turn(watch: StockWatch) -> float:
    """One turn; how many seconds to wait afterwards. Raises DependencyUnavailable."""
    beat()
    try:
        pause = watch.take_turn()
    except CatalogueUnavailable as error:
        raise DependencyUnavailable("MongoDB", str(error)) from error
    tell_warm()
    tell_work()
    return pause


def message_of(fall: Fall) -> OutgoingMessage:
    """The message about a fall; the same one whenever it is sent."""
    value = InventoryLow(fall.product_id, fall.product_name, fall.stock, fall.low_stock_at, fall.time)
    return own_message(value, fall.product_id, of=fall.id, time=fall.time)
