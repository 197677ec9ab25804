"""Reading orders."""

from datetime import timedelta
from uuid import UUID

from django.contrib.auth import get_user_model
from django.contrib.postgres.search import SearchQuery, SearchVector
from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from orders_app.document import OrderDocument
from orders_app.exceptions import OrderNotFound
from orders_app.models import Order, OrderItem
from orders_app.models.order import AWAITS_MONEY
from orders_app.models.rows import read_documents


def all_orders() -> QuerySet[Order]:
    """Every order, newest first, ready for `document_of`: one more statement fetches the items of a page."""
    return Order.objects.prefetch_related("items")


def orders_of(user_id: int) -> QuerySet[Order]:
    """The orders of one customer, newest first."""
    return all_orders().filter(user_id=user_id)


def search_orders(orders: QuerySet[Order], text: str) -> QuerySet[Order]:
    """The orders that the text finds.

    It is the beginning of the order's number or of the customer's user name, the tracking number, the
    customer's e-mail address, or beginnings of words in the name of one of the products.
    """
    customers = get_user_model().objects.filter(Q(username__startswith=text) | Q(email__iexact=text))
    items = OrderItem.objects.annotate(words=SearchVector("product_name", config="simple")).filter(
        words=SearchQuery(word_beginnings(text), config="simple", search_type="raw")
    )
    ways = (
        Q(order_number__startswith=text.upper()),
        Q(tracking_number=text),
        Q(user__in=customers.values("pk")),
        Q(pk__in=items.values("order_id")),
    )
    # A union and not an OR: each way has its own index.
    found, *others = (orders.order_by().filter(way).values("pk") for way in ways)
    return orders.filter(pk__in=found.union(*others))


def word_beginnings(text: str) -> str:
    """A query for all of these words, each of which may go on."""
    quoted = (word.replace("\\", r"\\").replace("'", "''") for word in text.split())
    return " & ".join(f"'{word}':*" for word in quoted)


def orders_awaiting_money(longer_than: timedelta) -> QuerySet[Order]:
    """The orders not paid on delivery that wait for their money longer than this, oldest first.

    PostgreSQL's clock decides, so that a worker whose clock is wrong takes no order too early.
    """
    overdue = Order.objects.filter(AWAITS_MONEY, created_at__lt=Now() - longer_than)
    return overdue.order_by("created_at")


def get_document(order_id: UUID) -> OrderDocument:
    """One order as the API shows it. Raises OrderNotFound."""
    document = read_documents([order_id]).get(order_id)
    if document is None:
        raise OrderNotFound(order_id)
    return document
