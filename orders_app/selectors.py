"""Reads orders."""

from datetime import timedelta
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from orders_app.document import OrderDocument
from orders_app.exceptions import OrderNotFound
from orders_app.models import Order, OrderItem
from orders_app.models.order import AWAITS_PAYMENT
from orders_app.models.rows import read_documents


def all_orders() -> QuerySet[Order]:
    """All orders, newest first, with their items prefetched for `document_of`."""
    return Order.objects.prefetch_related("items")


def orders_of(user_id: int) -> QuerySet[Order]:
    """The orders of one customer, newest first."""
    return all_orders().filter(user_id=user_id)


def search_orders(orders: QuerySet[Order], text: str) -> QuerySet[Order]:
    """The orders that match the search text.

    The text may be the beginning of the order number or of the customer's user name, the whole tracking
    number or e-mail address, or the beginnings of words in the name of one product of the order.
    """
    customers = get_user_model().objects.filter(Q(username__startswith=text) | Q(email__iexact=text))
    items = OrderItem.objects.annotate(words=SearchVector("product_name", config="simple")).filter(
        words=SearchQuery(word_beginnings(text), config="simple", search_type="raw")
    )
    conditions = (
        Q(order_number__startswith=text.upper()),
        Q(tracking_number=text),
        Q(user__in=customers.values("pk")),
        Q(pk__in=items.values("order_id")),
    )
    # A union and not an OR, so that PostgreSQL uses the index of each condition.
    matches, *more_matches = (orders.order_by().filter(condition).values("pk") for condition in conditions)
    return orders.filter(pk__in=matches.union(*more_matches))


def word_beginnings(text: str) -> str:
    """A PostgreSQL text query for words that begin with the words of `text`, all of them."""
    quoted = (word.replace("\\", r"\\").replace("'", "''") for word in text.split())
    return " & ".join(f"'{word}':*" for word in quoted)


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
