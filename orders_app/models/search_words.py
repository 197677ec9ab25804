"""Expressions of the indexes by which orders are found; migrations 0006 and 0008 have their SQL functions."""

from typing import Any

from django.contrib.postgres.search import SearchVector, SearchVectorField
from django.db.models import Func, TextField


class SearchForm(Func):
    """A text without case and accents: `SÃO` and `são` become `sao`."""

    function = "search_form"
    arity = 1
    output_field = TextField()


class NumberParts(Func):
    """The parts of three characters of the order number in an event's data."""

    function = "number_parts"
    arity = 1
    output_field = SearchVectorField()


class UserWords(Func):
    """The words of a user's four names: user name, first name, last name and e-mail address."""

    function = "user_words"
    arity = 4
    output_field = SearchVectorField()


def product_words() -> Any:
    """The words of a product's name."""
    return SearchVector(SearchForm("product_name"), config="simple")


def city_words() -> Any:
    """The words of an order's city."""
    return SearchVector(SearchForm("city"), config="simple")
