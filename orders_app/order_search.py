"""How orders are found by what people type: case and accents do not count; each condition has an index."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.postgres.search import SearchQuery
from django.db.models import Exists, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Replace, Upper

from orders_app.models import HistoryEvent, Order, OrderItem
from orders_app.models.order_event import IS_FIRST
from orders_app.models.search_words import NumberParts, SearchForm, UserWords, city_words, product_words

PART_LENGTH = 3
"""The length of the parts of order numbers in the index, so also of the shortest text that finds a middle."""
FRAGMENT = re.compile(rf"[0-9a-z]{{{PART_LENGTH},8}}")


def search_conditions(text: str, *, by_customer: bool) -> Iterator[Q]:
    """The conditions of which an order that `text` finds fulfils at least one.

    `by_customer`: also by the names and the e-mail address of the customer, and the city.
    """
    words = beginnings_of_words(text)
    yield Q(order_number__startswith=text.upper())
    yield Q(pk__in=_with_tracking_number(text))
    yield Q(pk__in=_matching(OrderItem.objects.all(), product_words(), words).values("order_id"))
    if by_customer:
        yield Q(user__in=_matching(get_user_model().objects.all(), _USER_WORDS, words).values("pk"))
        yield Q(pk__in=_matching(Order.objects.order_by(), city_words(), words).values("pk"))
    if parts := parts_of_number(text):
        yield Q(pk__in=_matching(_FIRST_EVENTS, NumberParts("data"), parts).values("order_id"))


def matching_row_by_row(orders: QuerySet[Order], text: str, *, by_customer: bool) -> QuerySet[Order]:
    """Those of these few orders that `text` finds, looked at one by one: no index helps among few.

    `by_customer` is as for `search_conditions`.
    """
    words = beginnings_of_words(text)
    items = OrderItem.objects.filter(order_id=OuterRef("pk"))
    found = Q(order_number__startswith=text.upper()) | Q(tracking_number__istartswith=text)
    found |= Q(Exists(_matching(items, product_words(), words)))
    if by_customer:
        found |= Q(city_words=words) | Q(customer_words=words)
    if parts_of_number(text):
        found |= Q(digits__contains=re.sub(r"[\s-]", "", text).upper())
    customer_words = UserWords("user__username", "user__first_name", "user__last_name", "user__email")
    digits = Replace("order_number", Value("-"), Value(""))
    return orders.alias(city_words=city_words(), customer_words=customer_words, digits=digits).filter(found)


_FIRST_EVENTS = HistoryEvent.objects.filter(IS_FIRST)
_USER_WORDS = UserWords("username", "first_name", "last_name", "email")


def beginnings_of_words(text: str) -> SearchQuery:
    """A PostgreSQL text query for words that begin with the words of `text`, all of them."""
    # Before quoting, because a compatibility character may stand for a quote.
    plain = unicodedata.normalize("NFKD", text)
    quoted = (word.replace("\\", r"\\").replace("'", "''") for word in plain.split())
    beginnings = SearchForm(Value(" & ".join(f"'{word}':*" for word in quoted)))
    return _text_query(beginnings)


def _text_query(words: SearchForm | Value) -> SearchQuery:
    return SearchQuery(words, config="simple", search_type="raw")


def parts_of_number(text: str) -> SearchQuery | None:
    """A PostgreSQL text query for order numbers that contain `text`; None where no number can."""
    digits = re.sub(r"[\s-]", "", text).lower()
    fragments = (digits, digits.removeprefix("sb"))
    contained = [_parts(fragment) for fragment in fragments if FRAGMENT.fullmatch(fragment)]
    return _text_query(Value(" | ".join(contained))) if contained else None


def _parts(fragment: str) -> str:
    starts = range(len(fragment) - PART_LENGTH + 1)
    return f"({' & '.join(fragment[start : start + PART_LENGTH] for start in starts)})"


def _with_tracking_number(text: str) -> QuerySet[Order, Any]:
    tracked = Order.objects.order_by().exclude(tracking_number="").alias(number=Upper("tracking_number"))
    return tracked.filter(number__startswith=text.upper()).values("pk")


def _matching(rows: QuerySet[Any], vector: Any, words: SearchQuery) -> QuerySet[Any]:
    matching: QuerySet[Any] = rows.alias(words=vector).filter(words=words)
    return matching
