"""What a list of orders can be narrowed to and sorted by; a value that means nothing is a 400."""

import re
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django_filters import rest_framework as filters
from django_filters.fields import ChoiceField, IsoDateTimeField

from orders_app.models import Order
from orders_app.selectors import search_bounded
from orders_app.state_machine import OrderStatus

SHOWN_CHARACTERS = 50
UNESCAPED_PLUS = re.compile(r"([Tt]\d\d:\d\d\S*) (\d\d:?\d\d)$", re.ASCII)
FIRST_MOMENT = datetime(1, 1, 1, tzinfo=UTC)
LAST_MOMENT = datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)


def with_plus(time: str) -> str:
    """The time, with a plus before its offset: one that is not escaped in the query of a URL is a blank."""
    return UNESCAPED_PLUS.sub(r"\1+\2", time)


class EachChoice(forms.ChoiceField):
    """One of several choices: none may be blank, though the whole filter may; the error names them all."""

    def clean(self, value: str) -> Any:
        """The choice. Raises ValidationError."""
        if value and self.valid_value(value):
            return super().clean(value)
        choices: Any = self.choices
        named = ", ".join(str(choice) for choice, _ in choices if choice)
        raise ValidationError(
            f'"{value[:SHOWN_CHARACTERS]}" is not a valid choice: {named}.', "invalid_choice"
        )


class StatusField(EachChoice, forms.TypedChoiceField):
    """A status code."""


class OrderingField(EachChoice, ChoiceField):
    """The name of a field, with `-` for down."""


class StatusFilter(filters.BaseInFilter, filters.TypedChoiceFilter):
    """One status code, or several with commas between."""

    field_class = StatusField


class StableOrdering(filters.OrderingFilter):
    """Orders that are equal in what is sorted by keep one order from page to page."""

    field_class = OrderingField

    def filter(self, qs: QuerySet[Order], value: list[str] | None) -> QuerySet[Order]:
        """The orders sorted as asked, newest first where nothing is asked."""
        names = value or ["-createdAt"]
        wanted = [self.get_ordering_value(name) for name in names]
        return qs.order_by(*wanted, "-pk")


class InstantField(IsoDateTimeField):
    """A time, taken as UTC: PostgreSQL knows no offset of 16 hours or more, as ISO 8601 allows."""

    def to_python(self, value: object) -> datetime | None:
        """The time, or the calendar's end where UTC is beyond it. Raises ValidationError where it is none."""
        if isinstance(value, str):
            value = with_plus(value)
        moment: datetime | None = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError:
            return FIRST_MOMENT if moment and moment.year == FIRST_MOMENT.year else LAST_MOMENT


class InstantFilter(filters.IsoDateTimeFilter):
    """A time to compare with."""

    field_class = InstantField


class OrderFilters(filters.FilterSet):
    """`status`, `createdAfter` (inclusive), `createdBefore` (exclusive), `search`, `ordering`."""

    status = StatusFilter(choices=OrderStatus.choices, coerce=int, help_text="One code or several: `1,2`.")
    createdAfter = InstantFilter(field_name="created_at", lookup_expr="gte")  # noqa: N815
    createdBefore = InstantFilter(field_name="created_at", lookup_expr="lt")  # noqa: N815
    search = filters.CharFilter(
        method="find",
        max_length=200,
        help_text="A part of an order number (of three characters at least); the beginning of a tracking "
        "number; or beginnings of words: of the city, of a product's name, or of the customer's names and "
        "e-mail address. Case and accents do not count. Of a word that more than about 10,000 orders have, "
        "the newest are found, and the answer has the header `X-Newest-Searched`.",
    )
    ordering = StableOrdering(
        fields={"created_at": "createdAt", "total_amount": "totalAmount"},
        field_labels={"created_at": "Time of placing", "total_amount": "Total"},
    )

    class Meta:
        model = Order
        fields: tuple[str, ...] = ()

    are_all_found = True
    """False once the search has left out older orders that may match too."""

    def find(self, queryset: QuerySet[Order], _: str, text: str) -> QuerySet[Order]:
        """The orders in which a person would find these words; of a word that very many have, the newest.

        Comes after the other filters, which narrow what is searched.
        """
        found, self.are_all_found = search_bounded(queryset, text)
        return found
