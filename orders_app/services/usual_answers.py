"""Recording the answers that need nothing but their order, in two round trips to PostgreSQL (ADR 25)."""

import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar
from uuid import UUID

from foundation.shared_connection import shared_connection
from orders_app.document import OrderDocument
from orders_app.event_log import Origin
from orders_app.services.locked_order import LockedOrder
from orders_app.services.locking import locked_orders_in_two_trips
from orders_app.services.order_ids import parse_order_id
from orders_app.services.stock_answers import MessageOrigin

RECORDING = "recording"

_recording = threading.Lock()
"""One thread at a time uses the shared connection."""


class Answer(Protocol):
    """An answer about an order, as far as it is the same for all."""

    @property
    def order_id(self) -> str:
        """The order, in whatever form the message names it."""

    @property
    def origin(self) -> MessageOrigin:
        """The message that brought it."""


A = TypeVar("A", bound=Answer)


def record_usual_answers(
    *,
    answers: Sequence[A],
    origin_actor: str,
    is_usual: Callable[[A, OrderDocument], bool],
    record: Callable[[LockedOrder, A], None],
) -> list[tuple[UUID, A]]:
    """Record the answers up to the first unusual one of each order; gives the others, which are not recorded.

    An answer is usual if `record` needs nothing but the order for it. One about an unknown order is ignored.
    """
    by_id = [(order_id, answer) for answer in answers if (order_id := parse_order_id(answer.order_id))]
    if not by_id:
        return []
    others: dict[UUID, list[tuple[UUID, A]]] = {}
    order_ids = {order_id for order_id, _ in by_id}
    with (
        _recording,
        locked_orders_in_two_trips(order_ids, Origin(origin_actor), shared_connection(RECORDING)) as orders,
    ):
        for order_id, answer in by_id:
            order = orders.get(order_id)
            if order is None:
                continue
            if order_id in others or not is_usual(answer, order.document):
                others.setdefault(order_id, []).append((order_id, answer))
            else:
                order.origin = Origin(origin_actor, answer.origin.trace_parent)
                record(order, answer)
    return [each for of_order in others.values() for each in of_order]
