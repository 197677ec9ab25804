"""Reads orders."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, TypeVar
from uuid import UUID

from django.db.models import Model, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce, Now

from orders_app.document import NUMBER_PREFIX, OrderDocument, ShippingAddress
from orders_app.exceptions import OrderNotFound
from orders_app.models import Order, OrderItem, Payment, PaymentToken, Refund
from orders_app.models.order import AWAITS_PAYMENT
from orders_app.models.rows import read_documents
from orders_app.order_search import matching_row_by_row, search_conditions
from orders_app.state_machine import FINAL, OrderStatus, StockStatus
from web.bounded_count import bounded_count

Row = TypeVar("Row", bound=Model)
SEARCHED_FIRST, SEARCHED_SHIPPED, MANY_MATCHES = 2_000, 300, 50
MOST_MATCHES = 10_000
"""Where more orders are expected to match a search, it takes seconds to find them all."""
OPEN = tuple(status for status in OrderStatus if status not in FINAL)


def all_orders() -> QuerySet[Order]:
    """All orders, newest first, with their items prefetched for `document_of`."""
    return Order.objects.prefetch_related("items")


def orders_of(user_id: int) -> QuerySet[Order]:
    """The orders of one customer, newest first."""
    return all_orders().filter(user_id=user_id)


def search_orders(orders: QuerySet[Order], text: str) -> QuerySet[Order]:
    """The orders that match the search text; case and accents do not count.

    The text may be a part of the order number (of at least three characters), the beginning of the number or
    of the tracking number, or the beginnings of words: of the city, of the name of one product, or of the
    customer's names and e-mail address.
    """
    if is_beginning_of_all_numbers(text):
        return orders
    return _fulfilling_any(search_conditions(text, by_customer=True), orders)


def find_newest(orders: QuerySet[Order], text: str, most: int, *, by_customer: bool) -> list[UUID]:
    """The ids of those of these orders that match the search text, at most so many: the newest.

    Without `by_customer`, neither city nor customer are looked at. An id begins with the time at which its
    order was placed, so that ids alone are sorted.
    """
    matches = _matches(search_conditions(text, by_customer=by_customer), orders)
    return list(matches.order_by("-pk").values_list("pk", flat=True)[:most])


def is_beginning_of_all_numbers(text: str) -> bool:
    """Whether every order number begins with the text."""
    return NUMBER_PREFIX.startswith(text.upper())


def search_newest(orders: QuerySet[Order], text: str, *, by_customer: bool) -> QuerySet[Order] | None:
    """Those of the newest of these orders that match the search text, if they are many.

    None where they are few: then those that match are few enough to be found by `find_newest`, which takes
    seconds for a word that a million orders have.
    """
    found, _ = _search_newest(orders, text, by_customer=by_customer)
    return orders.filter(pk__in=found) if len(found) >= MANY_MATCHES else None


def search_bounded(orders: QuerySet[Order], text: str) -> tuple[QuerySet[Order], bool]:
    """The orders that match the search text, as `search_orders`, and whether they are all that match.

    Where more than MOST_MATCHES are expected to match, they are those among the newest of these orders.
    """
    counted = bounded_count(orders, MOST_MATCHES)
    if counted.is_exact or is_beginning_of_all_numbers(text):
        return search_orders(orders, text), True
    found, searched = _search_newest(orders, text, by_customer=True)
    expected = counted.rows * len(found) / max(searched, 1)
    if len(found) >= MANY_MATCHES and expected > MOST_MATCHES:
        return orders.filter(pk__in=found), False
    return search_orders(orders, text), True


def _search_newest(orders: QuerySet[Order], text: str, *, by_customer: bool) -> tuple[list[UUID], int]:
    """The ids of those of the newest of these orders that match, and how many were looked at."""
    newest = {order_id for part in _newest_parts(orders) for order_id in part.values_list("pk", flat=True)}
    rows = Order.objects.order_by().filter(pk__in=newest)
    matching = matching_row_by_row(rows, text, by_customer=by_customer)
    return list(matching.values_list("pk", flat=True)), len(newest)


def _newest_parts(orders: QuerySet[Order]) -> Iterator[QuerySet[Order]]:
    """The newest orders, and some of those that have a tracking number, which the newest have not yet."""
    newest = orders.order_by("-created_at", "-pk")
    yield newest[:SEARCHED_FIRST]
    for status in (OrderStatus.SHIPPED, OrderStatus.DELIVERED):
        yield newest.filter(status=status)[:SEARCHED_SHIPPED]


def orders_awaiting_payment(longer_than: timedelta) -> QuerySet[Order]:
    """The orders that have waited for their payment longer than this, oldest first.

    Orders paid on delivery are left out. PostgreSQL's clock decides, so that a worker whose clock is wrong
    cancels no order too early.
    """
    overdue = Order.objects.filter(AWAITS_PAYMENT, created_at__lt=Now() - longer_than)
    return overdue.order_by("created_at")


def get_document(order_id: UUID) -> OrderDocument:
    """One order as the API shows it. Raises OrderNotFound."""
    document = read_documents([order_id]).get(order_id)
    if document is None:
        raise OrderNotFound(order_id)
    return document


def find_placed_order(user_id: int, idempotency_key: str) -> OrderDocument | None:
    """The order that this customer has placed with this idempotency key."""
    placed = Order.objects.exclude(idempotency_key="").filter(
        user_id=user_id, idempotency_key=idempotency_key
    )
    order_id = placed.values_list("pk", flat=True).first()
    return read_documents([order_id]).get(order_id) if order_id else None


def last_address_of(user_id: int) -> ShippingAddress | None:
    """Where the customer's last order goes; None for a customer without orders."""
    address = Order.objects.filter(user_id=user_id).values(*ShippingAddress.__struct_fields__).first()
    return ShippingAddress(**address) if address else None


def ended_attempts(order_id: UUID) -> QuerySet[Payment]:
    """The attempts to pay the order that have ended, oldest first."""
    return Payment.objects.filter(order_id=order_id).order_by("attempt")


def waiting_attempts(order_id: UUID) -> Iterable[tuple[int, datetime]]:
    """The attempts that have not ended, with the time at which they were asked for. Reads no token."""
    waiting = PaymentToken.objects.filter(order_id=order_id).order_by("attempt")
    return waiting.values_list("attempt", "created_at")


def refunds_of(order_id: UUID) -> QuerySet[Refund]:
    """The refunds of the order, oldest first."""
    return Refund.objects.filter(order_id=order_id).order_by("version")


def orders_holding(product_id: str) -> QuerySet[Order]:
    """The orders that have this product reserved and are not delivered yet, newest first.

    The item is looked up for each open order, of which there are few. Written as a join, or sorted by the
    bare column, it would be looked for among the items or orders of all times.
    """
    item = OrderItem.objects.filter(order_id=OuterRef("pk"), product_id=product_id)
    is_open = Order.objects.filter(status__in=OPEN, stock_status=StockStatus.RESERVED)
    with_item = is_open.alias(item=Subquery(item.values("pk"))).filter(item__isnull=False)
    return with_item.order_by(Coalesce("created_at", Now()).desc(), "-pk")


def search_by_order(rows: QuerySet[Row], text: str, references: Sequence[str]) -> QuerySet[Row]:
    """The rows of the order with this number, and those of which one of these columns is the text.

    The rows have an `order_id`; the order number may be in any case.
    """
    of_order = Order.objects.filter(order_number=text.upper()).values("pk")
    conditions = [Q(order_id__in=of_order), *(Q(**{column: text}) for column in references)]
    return _fulfilling_any(conditions, rows)


def _fulfilling_any(conditions: Iterable[Q], rows: QuerySet[Row]) -> QuerySet[Row]:
    return rows.filter(pk__in=_matches(conditions, rows))


def _matches(conditions: Iterable[Q], rows: QuerySet[Row]) -> QuerySet[Row, Any]:
    """The primary keys of the rows that fulfil one of the conditions."""
    # A union and not an OR, so that PostgreSQL uses the index of each condition.
    matches, *more_matches = (rows.order_by().filter(condition).values("pk") for condition in conditions)
    return matches.union(*more_matches)
