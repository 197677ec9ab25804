"""Writing demo orders: into the order log and its rows, and then into the stock ledger.

What a running system would do about their messages finds it done: the ledger answers a second time what it
answered first, the inbox says that their mails need no sending, and no payment of theirs waits to be charged.
"""

from collections.abc import Iterable, Sequence
from uuid import UUID

import msgspec
from django.db import connection, transaction
from django.utils import timezone

from config.demo.walk import Walked
from kafka_workers.relay.order_messages import messages_of
from kafka_workers.workers import EMAIL
from orders_app import event_log
from orders_app.document import OrderDocument
from orders_app.event_data import Created, EventType
from orders_app.event_log import LoggedEvent, NewEvent, Origin
from orders_app.inbox import message_key
from orders_app.models import InboxMessage
from orders_app.models.payment_rows import write_payment_rows
from orders_app.models.rows import changed_rows
from orders_app.services.locking import WRITE
from orders_app.services.place_order.request import PlacementRequest
from orders_app.services.place_order.writing import write_orders
from orders_app.state_machine import OrderStatus, StockStatus
from products_app.messages import InventoryRejected
from products_app.services.stock.service import Line, Release, Reserve, StockRequest, settle


def write(orders: Sequence[tuple[Walked, PlacementRequest]]) -> int:
    """Write those of these orders that are not there yet; how many that were. Safe to run again.

    If it is killed before their stock is settled, the system settles it by their messages as soon as it runs.
    """
    with transaction.atomic():
        written = write_orders([(order.placed, request) for order, request in orders], connection)
        new = [order for order, _ in orders if order.placed.id in written]
        later = [event for order in new for event in order.events]
        if later:
            rows = changed_rows([order.document for order in new if order.events])
            event_log.append_within(WRITE, [rows], later, connection)
        write_payment_rows([rows for order in new for rows in order.payment_rows], connection)
        _need_no_mail([event for order in new for event in (_created(order.placed), *order.events)])
    settle_stock(order.document for order in new)
    return len(new)


def settle_stock(orders: Iterable[OrderDocument]) -> None:
    """Reserve and release the stock of these orders as they say. Raises CatalogueUnavailable."""
    settle([request for order in orders for request in _stock_requests(order)])


def rejection_of(order_id: UUID, product_id: str, quantity: int) -> InventoryRejected | None:
    """Ask for more pieces than there are; the rejection, or None where there were enough, which go back."""
    order = str(order_id)
    [answer] = settle([Reserve(order, (Line(product_id, quantity),))])
    if isinstance(answer, InventoryRejected):
        return answer
    settle([Release(order)])
    return None


def _stock_requests(order: OrderDocument) -> list[StockRequest]:
    lines = tuple(Line(line.product_id, line.quantity) for line in order.items)
    requests: list[StockRequest] = [Reserve(str(order.id), lines)]
    if order.status == OrderStatus.CANCELLED and order.stock_status != StockStatus.REJECTED:
        requests.append(Release(str(order.id)))
    return requests


def _created(order: OrderDocument) -> NewEvent:
    data = Created(order.order_number, order)
    return event_log.new_event(EventType.CREATED, data, order, Origin(""), order.created_at)


def _need_no_mail(events: Sequence[NewEvent]) -> None:
    """Note for each message of these events of which a mail would tell that its mail must not be sent."""
    now = timezone.now()
    messages = [message for event in events for message in messages_of(_as_read(event))]
    keys = [
        message_key(str(message.headers["ce_source"]), str(message.headers["ce_id"]))
        for message in messages
        if message.topic in EMAIL.reads
    ]
    InboxMessage.objects.bulk_create(
        [InboxMessage(group=EMAIL.group, message_id=key, done_at=now) for key in keys], ignore_conflicts=True
    )


def _as_read(event: NewEvent) -> LoggedEvent:
    """The event as the reader of the log would give it; its position makes no difference to its messages."""
    return LoggedEvent(
        tx=0, id=0, **msgspec.structs.asdict(event) | {"data": msgspec.json.encode(event.data)}
    )
